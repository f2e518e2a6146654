// Runs nft commands, given as text, through libnftables. Private to this folder.
#pragma once

#include "backends/os/descriptor.hpp"
#include "backends/os/system_error.hpp"

#include <expected>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace lbc {

enum class NftRun : unsigned char {
    write, // runs the commands of a text in one transaction
    test,  // checks that libnftables understands them; writes nothing
    list,  // returns what they list, with protocols as numbers
    json,  // the same as libnftables-json(5)
    terse, // the same without the elements of sets
};

/// Runs libnftables in a child process, because libnftables calls exit() if it gets no socket (mnl.c,
/// nft_mnl_socket_open), or if it does not expect the kernel's answer (netlink.c, netlink_abi_error), which foreign
/// rules can cause. The child starts with the first command and caches what it reads for the next one.
class Libnftables {
public:
    Libnftables() = default;
    Libnftables(Libnftables const&) = delete;
    Libnftables& operator=(Libnftables const&) = delete;
    ~Libnftables() { rest(); }

    /// `what` begins the message of an error: "cannot read the table inet lbc". After an error, a change was either not
    /// made, or made and the kernel's answer lost.
    [[nodiscard]] std::expected<std::string, SystemError> run(std::string const& text, NftRun how,
                                                              std::string_view what);

    /// Ends the child. The child holds every descriptor that was open when it started, a lock's among them. It also
    /// ends when this process ends.
    void rest();

private:
    [[nodiscard]] bool start();
    [[nodiscard]] std::string last_words();

    Descriptor socket_;
    Descriptor errors_; // what it writes to its standard error
    pid_t pid_ = -1;
};

} // namespace lbc
