// What lbc changes of a box beside tables and services, as an interface, so that a test can replace it.
#pragma once

#include "backends/os/record.hpp"
#include "backends/os/sysctl.hpp"
#include "backends/os/system_error.hpp"

#include <expected>

namespace lbc {

/// Kernel settings, and the record.
class HostState {
public:
    HostState() = default;
    HostState(HostState const&) = delete;
    HostState& operator=(HostState const&) = delete;
    virtual ~HostState() = default;

    /// `unsupported` if this kernel has no such setting.
    [[nodiscard]] virtual std::expected<int, SystemError> read_sysctl(Sysctl sysctl) = 0;

    [[nodiscard]] virtual std::expected<void, SystemError> write_sysctl(Sysctl sysctl, int value) = 0;

    /// Checks that changing the setting to `value` costs this box nothing else. The error states the way out.
    [[nodiscard]] virtual std::expected<void, SystemError> may_write_sysctl(Sysctl sysctl, int value) = 0;

    /// Returns an empty record if nothing was recorded.
    [[nodiscard]] virtual std::expected<Record, SystemError> read_record() = 0;

    [[nodiscard]] virtual std::expected<void, SystemError> write_record(Record const& record) = 0;
};

} // namespace lbc
