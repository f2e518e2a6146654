#include "backends/apply/system_kernel.hpp"

#include "backends/ipset/ipset_kernel.hpp"
#include "backends/iptables/iptables_variant.hpp"
#include "backends/iptables/legacy_words.hpp"
#include "backends/iptables/libiptc_netfilter.hpp"
#include "backends/iptables/libiptc_table.hpp"
#include "backends/iptables/variant_programs.hpp"
#include "backends/iptables/xt_lock.hpp"
#include "backends/ipvs/ipvs_kernel.hpp"
#include "backends/keepalived/keepalived_process.hpp"
#include "backends/os/state_files.hpp"
#include "backends/os/sysctl_files.hpp"

#include <algorithm>
#include <utility>

namespace lbc {
namespace {

class SystemKernel final : public Kernel {
public:
    std::expected<std::unique_ptr<XtablesLock>, SystemError> lock(std::chrono::milliseconds wait) override {
        return take_xtables_lock(wait);
    }

    std::expected<std::unique_ptr<MangleTable>, SystemError> open_mangle(Family family) override {
        return open_libiptc_mangle(family);
    }

    std::expected<std::vector<MarkSet>, SystemError> read_sets(Family family) override {
        return read_ipset_sets(family);
    }
    std::expected<void, SystemError> write_set(MarkSet const& set) override { return write_ipset_set(set); }
    std::expected<void, SystemError> destroy_set(std::string const& name) override { return destroy_ipset_set(name); }
    std::expected<std::size_t, SystemError> count_set_uses(std::string const& name) override {
        return count_ipset_uses(name);
    }

    std::expected<Netfilter, SystemError> read_netfilter(Family family) override {
        auto read = read_libiptc_netfilter(family);
        if (!read)
            return read;
        ask_for_legacy_words(*read);
        auto const mangle = std::ranges::find(read->tables, "mangle", &Ruleset::table);
        if (mangle == read->tables.end())
            return read;
        auto sets = read_sets(family);
        if (!sets)
            return std::unexpected(std::move(sets.error()));
        mangle->sets = std::move(*sets);
        return read;
    }

    std::expected<bool, SystemError> has_own_chains(Family family) override { return has_own_libiptc_chains(family); }

    std::expected<std::string, SystemError> save_variant(Family family) override { return run_variant_save(family); }
    std::expected<void, SystemError> restore_variant(Family family, std::string const& text, bool only_test) override {
        return run_variant_restore(family, text, only_test);
    }

    bool is_iptables_nft() override { return lbc::is_iptables_nft(); }

    std::unique_ptr<NftTable> open_nft() override { return open_libnftables(); }

    std::expected<NftRulesets, SystemError> read_nftables() override { return read_nft_netfilter(); }

    std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs() override { return open_ipvs_netlink(); }

    std::unique_ptr<KeepalivedDaemon> open_keepalived(std::string path) override {
        return open_keepalived_process(std::move(path));
    }

    std::expected<int, SystemError> read_sysctl(Sysctl sysctl) override { return read_sysctl_file(sysctl); }

    std::expected<void, SystemError> write_sysctl(Sysctl sysctl, int value) override {
        return write_sysctl_file(sysctl, value);
    }

    std::expected<void, SystemError> may_write_sysctl(Sysctl sysctl, int value) override {
        return may_write_sysctl_file(sysctl, value);
    }

    std::expected<Record, SystemError> read_record() override { return read_record_file(); }

    std::expected<void, SystemError> write_record(Record const& record) override { return write_record_file(record); }
};

} // namespace

std::unique_ptr<Kernel> make_system_kernel() { return std::make_unique<SystemKernel>(); }

} // namespace lbc
