// The table inet lbc in the kernel: the interface for the step that changes it. libnftables implements it.
#pragma once

#include "backends/nft/nft_elements.hpp"
#include "backends/nft/nft_state.hpp"
#include "backends/os/system_error.hpp"

#include <expected>
#include <memory>
#include <span>
#include <string>

namespace lbc {

class NftTable {
public:
    NftTable() = default;
    NftTable(NftTable const&) = delete;
    NftTable& operator=(NftTable const&) = delete;
    virtual ~NftTable() = default;

    /// Whether the table exists. Loads no module.
    [[nodiscard]] virtual std::expected<bool, SystemError> exists() = 0;

    /// Its contents; empty if there is no table. Loads no module.
    [[nodiscard]] virtual std::expected<NftState, SystemError> read() = 0;

    /// Checks that libnftables understands a text for `load`. Writes nothing.
    [[nodiscard]] virtual std::expected<void, SystemError> test(std::string const& text) = 0;

    /// Loads a text for `nft -f` in one transaction. After an error, the change was either not made, or made and the
    /// kernel's answer lost.
    [[nodiscard]] virtual std::expected<void, SystemError> load(std::string const& text) = 0;

    /// Ends the worker process, which may hold a lock's descriptor. The next call that needs it starts it again.
    virtual void rest() = 0;

    /// Changes elements of existing sets in one transaction; errors as in `load`.
    [[nodiscard]] virtual std::expected<void, SystemError> write(std::span<NftElementChange const> changes) = 0;
};

[[nodiscard]] std::unique_ptr<NftTable> open_libnftables();

} // namespace lbc
