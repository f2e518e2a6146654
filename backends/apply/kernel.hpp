// The kernel behind small interfaces, so that a test can replace it and let each call fail. `system_kernel.cpp` joins
// the implementers.
#pragma once

#include "backends/ipset/mark_sets.hpp"
#include "backends/iptables/mangle_table.hpp"
#include "backends/iptables/variant_tables.hpp"
#include "backends/ipvs/ipvs.hpp"
#include "backends/keepalived/keepalived_daemon.hpp"
#include "backends/nft/nft_netfilter.hpp"
#include "backends/nft/nft_table.hpp"
#include "backends/os/host_state.hpp"
#include "backends/os/system_error.hpp"

#include <expected>
#include <memory>
#include <string>

namespace lbc {

class Kernel : public LegacyTables, public VariantTables, public MarkSets, public HostState {
public:
    /// lbc's table of nftables. Reads nothing yet.
    [[nodiscard]] virtual std::unique_ptr<NftTable> open_nft() = 0;

    /// All tables of nftables in this network namespace, own and foreign, as rules of both families. They include those
    /// of iptables-nft. Loads no module.
    [[nodiscard]] virtual std::expected<NftRulesets, SystemError> read_nftables() = 0;

    /// Opens IPVS, and loads its module if only that is missing. `unsupported` if the kernel has no IPVS.
    [[nodiscard]] virtual std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs() = 0;

    /// keepalived with its file at `path`. Reads nothing yet.
    [[nodiscard]] virtual std::unique_ptr<KeepalivedDaemon> open_keepalived(std::string path) = 0;
};

} // namespace lbc
