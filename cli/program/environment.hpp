// What a command is run with and how it ends. Everything outside comes in through `Environment`, so that a test can run
// any command without a process, a disk or a kernel.
#pragma once

#include "backends/apply/kernel.hpp"
#include "backends/observe/interfaces.hpp"
#include "backends/os/exit_status.hpp"
#include "backends/os/rights.hpp"
#include "grammar/files.hpp"

#include <expected>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// The machine that lbc runs on, as far as a site file speaks of it.
class Host {
public:
    Host() = default;
    Host(Host const&) = delete;
    Host& operator=(Host const&) = delete;
    virtual ~Host() = default;

    [[nodiscard]] virtual std::string name() const = 0; // uname(2)'s nodename
    /// Those of this network namespace. A stand-in that has none is not compared with a file.
    [[nodiscard]] virtual std::expected<std::vector<Interface>, SystemError> interfaces() const = 0;
};

/// The machine this process runs on.
[[nodiscard]] std::unique_ptr<Host> this_host();

struct Environment {
    FileReader& files;
    Host& host;
    std::function<std::unique_ptr<Kernel>()> kernel; // asked for by commands that touch it
    std::ostream& out;
    std::ostream& err;
    bool colour_out = false;
    bool colour_err = false;
    std::optional<std::size_t> width_out{}; // columns, if it is a terminal
    std::optional<std::size_t> width_err{};
    std::function<void(Rights)> keep_rights{}; // of this process; none: it keeps what it has

    /// Gives up what the rest of a command does not need.
    void keep(Rights rights) const {
        if (keep_rights)
            keep_rights(rights);
    }
};

} // namespace lbc
