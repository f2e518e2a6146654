// Commands of nftables, as texts for nft, by libnftables. Private to this folder.
#pragma once

#include "backends/descriptor.hpp"
#include "backends/system_error.hpp"

#include <expected>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace lbc {

enum class NftRun : unsigned char {
    write, // the commands of a text, in one transaction
    test,  // whether libnftables understands them; it writes nothing
    list,  // gives what they list, with protocols as numbers
    json,  // the same as libnftables-json(5)
    terse, // the same without the elements of sets
};

/// libnftables in a process of its own, which begins with the first command: it ends the process where it gets no
/// socket (mnl.c, nft_mnl_socket_open) or is told what it does not expect (netlink.c, netlink_abi_error), and rules of
/// others are among what it is told. What it reads once it knows for the next command.
class Libnftables {
public:
    Libnftables() = default;
    Libnftables(Libnftables const&) = delete;
    Libnftables& operator=(Libnftables const&) = delete;
    ~Libnftables() { rest(); }

    /// `what` begins the message of an error: "cannot read the table inet lbc". A change on which there is an error was
    /// not made, or it was, and the kernel's answer was not heard.
    [[nodiscard]] std::expected<std::string, SystemError> run(std::string const& text, NftRun how,
                                                              std::string_view what);

    /// Ends the process. It has all descriptors that were open when it began, a lock's among them, and ends with this
    /// one in any case.
    void rest();

private:
    [[nodiscard]] bool start();
    [[nodiscard]] std::string last_words();

    Descriptor socket_;
    Descriptor errors_; // what it writes to its standard error
    pid_t pid_ = -1;
};

} // namespace lbc
