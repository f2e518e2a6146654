// keepalived on this box: one small interface to the program and to the file that it reads, so that a test can replace
// both.
#pragma once

#include "backends/os/system_error.hpp"

#include <expected>
#include <optional>
#include <string>

namespace lbc {

class KeepalivedDaemon {
public:
    KeepalivedDaemon() = default;
    KeepalivedDaemon(KeepalivedDaemon const&) = delete;
    KeepalivedDaemon& operator=(KeepalivedDaemon const&) = delete;
    virtual ~KeepalivedDaemon() = default;

    /// The file's text; nothing if there is no file.
    [[nodiscard]] virtual std::expected<std::optional<std::string>, SystemError> read() = 0;

    /// Whether users other than its owner can read the existing file.
    [[nodiscard]] virtual bool is_readable_by_others() { return false; }

    /// Replaces the file as a whole, or removes it.
    [[nodiscard]] virtual std::expected<void, SystemError> write(std::optional<std::string> const& text) = 0;

    /// Tests a text with `keepalived -t`. The error has its output; `unsupported` if keepalived is not installed.
    [[nodiscard]] virtual std::expected<void, SystemError> test(std::string const& text) = 0;

    /// Whether a keepalived of this network namespace runs with the file. An error if the one that runs has another.
    [[nodiscard]] virtual std::expected<bool, SystemError> is_running() = 0;

    /// Makes the running keepalived read the file again, but does not wait until it has.
    [[nodiscard]] virtual std::expected<void, SystemError> reload() = 0;
};

} // namespace lbc
