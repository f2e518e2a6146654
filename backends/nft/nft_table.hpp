// lbc's table in the kernel, as the step that changes it sees it; libnftables is behind it.
#pragma once

#include "backends/nft/nft_elements.hpp"
#include "backends/nft/nft_state.hpp"
#include "backends/system_error.hpp"

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

    /// Loads no module by asking.
    [[nodiscard]] virtual std::expected<bool, SystemError> exists() = 0;

    /// What is in it; empty where there is none. Loads no module.
    [[nodiscard]] virtual std::expected<NftState, SystemError> read() = 0;

    /// Whether `load` would do it. Writes nothing.
    [[nodiscard]] virtual std::expected<void, SystemError> test(std::string const& text) = 0;

    /// Does what a text for `nft -f` says, in one transaction. On an error it was not
    /// made, or it was, and the kernel's answer was not heard.
    [[nodiscard]] virtual std::expected<void, SystemError> load(std::string const& text) = 0;

    /// Lets go of what it was done with, until it is needed again: a process, which has a lock's descriptor, too.
    virtual void rest() = 0;

    /// Changes elements of sets that are there, in one transaction; errors as above.
    [[nodiscard]] virtual std::expected<void, SystemError> write(std::span<NftElementChange const> changes) = 0;
};

[[nodiscard]] std::unique_ptr<NftTable> open_libnftables();

} // namespace lbc
