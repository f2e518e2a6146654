// The tables of iptables-nft, as an interface, so that a test can replace them.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/base/types.hpp"

#include <expected>
#include <string>

namespace lbc {

/// The mangle tables of iptables-nft, through its programs.
class VariantTables {
public:
    VariantTables() = default;
    VariantTables(VariantTables const&) = delete;
    VariantTables& operator=(VariantTables const&) = delete;
    virtual ~VariantTables() = default;

    /// The output of iptables-nft-save for the mangle table if it has own chains, else empty. Loads no module.
    [[nodiscard]] virtual std::expected<std::string, SystemError> save_variant(Family family) = 0;

    /// Runs iptables-nft-restore --noflush on `text`, as one transaction: on an error nothing was changed. With
    /// `only_test` it only checks whether it would accept the text.
    [[nodiscard]] virtual std::expected<void, SystemError> restore_variant(Family family, std::string const& text,
                                                                           bool only_test) = 0;
};

} // namespace lbc
