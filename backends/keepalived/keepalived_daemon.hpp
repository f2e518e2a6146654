// keepalived on this box: one small interface to the program and to the file that it reads, so that a test can stand in
// for both.
#pragma once

#include "backends/system_error.hpp"

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

    /// The file's text; nothing where there is no file.
    [[nodiscard]] virtual std::expected<std::optional<std::string>, SystemError> read() = 0;

    /// Whether the file that is there can be read by others than its owner.
    [[nodiscard]] virtual bool is_readable_by_others() { return false; }

    /// Puts a text in the file's place as a whole, or takes the file away.
    [[nodiscard]] virtual std::expected<void, SystemError> write(std::optional<std::string> const& text) = 0;

    /// Asks `keepalived -t` about a text. The error has its words; `unsupported` where keepalived is not installed.
    [[nodiscard]] virtual std::expected<void, SystemError> test(std::string const& text) = 0;

    /// Whether a keepalived of this network namespace runs with the file. An error where the one that runs has another.
    [[nodiscard]] virtual std::expected<bool, SystemError> is_running() = 0;

    /// Has the one that runs read the file again. It does so in its own time.
    [[nodiscard]] virtual std::expected<void, SystemError> reload() = 0;
};

} // namespace lbc
