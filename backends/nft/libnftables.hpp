// libnftables: commands of nft(8) without the program. Private to this folder.
#pragma once

#include "backends/system_error.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace lbc {

enum class NftRun : unsigned char {
    write, // the commands of a text, in one transaction
    test,  // whether the kernel would take them; it writes nothing
    list,  // gives what they list, with protocols as numbers
    json,  // the same as libnftables-json(5)
    terse, // the same without the elements of sets
};

/// `what` begins the message of an error: "cannot read the table inet lbc". A change on which there is
/// an error was not made, or it was, and the kernel's answer was not heard.
[[nodiscard]] std::expected<std::string, SystemError> run_libnftables(std::string const& text, NftRun how,
                                                                      std::string_view what);

} // namespace lbc
