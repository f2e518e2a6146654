#include "backends/iptables/libiptc_handle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lbc {
namespace {

/// A chain's name padded to 32 bytes, all of which libiptc reads.
class ChainLabel {
public:
    explicit ChainLabel(std::string_view name) {
        std::copy_n(name.begin(), std::min(name.size(), text_.size() - 1), text_.begin());
    }
    [[nodiscard]] char const* get() const { return text_.data(); }

private:
    std::array<char, sizeof(xt_chainlabel)> text_{};
};

/// The buffer comes from operator new and entries are multiples of the alignment, so each begins aligned.
template <typename Entry>
Entry const* entry_at(xt::ByteView bytes) {
    return reinterpret_cast<Entry const*>(bytes.data());
}

} // namespace

SystemError table_error(Family family, std::string_view action, int code, std::string_view reason,
                        std::string_view what) {
    if (code == EPERM || code == EACCES) {
        return {SystemError::Kind::permission, code,
                fmt::format("cannot {} the {} {}: {}; lbc needs CAP_NET_ADMIN and CAP_NET_RAW, as root has them in "
                            "this network namespace",
                            action, title(family), what, std::strerror(code))};
    }
    return {SystemError::Kind::failed, code,
            fmt::format("cannot {} the {} {}: {}", action, title(family), what, reason)};
}

template <typename Tables>
std::expected<TableHandle<Tables>, int> TableHandle<Tables>::read(std::string const& table) {
    errno = 0;
    xtc_handle* const handle = Tables::init(table.c_str());
    if (handle == nullptr)
        return std::unexpected(errno);
    return TableHandle(handle, table);
}

template <typename Tables>
std::vector<std::string> TableHandle<Tables>::chains() const {
    std::vector<std::string> names;
    for (char const* name = Tables::first_chain(handle_.get()); name != nullptr;
         name = Tables::next_chain(handle_.get())) {
        names.emplace_back(name);
    }
    return names;
}

template <typename Tables>
Ruleset TableHandle<Tables>::whole() const {
    Ruleset result;
    result.family = Tables::family;
    result.table = table_;
    for (std::string const& name : chains()) {
        Chain& read = result.chains.emplace_back(Chain{name, {}});
        each_rule(name, [&](xt::ByteView bytes, std::string_view target) {
            read.rules.push_back(xt::read_rule(bytes, Tables::family, target, xt::Comments::kept));
        });
        xt_counters counters{};
        char const* const policy = Tables::policy(name.c_str(), &counters, handle_.get());
        if (policy != nullptr && policy == std::string_view("DROP"))
            read.rules.push_back({{}, Drop{.is_policy = true}, {}});
    }
    std::ranges::sort(result.chains, {}, &Chain::name);
    return result;
}

template <typename Tables>
void TableHandle<Tables>::check(int done, std::string_view what, std::string const& chain) const {
    if (done == 0) {
        int const code = errno;
        throw Refused{
            table_error(Tables::family, "change", code, fmt::format("{} `{}`: {}", what, chain, reason(code)))};
    }
}

template <typename Tables>
void TableHandle<Tables>::create_chain(std::string const& name) {
    check(Tables::create_chain(ChainLabel(name).get(), handle_.get()), "new chain", name);
}

template <typename Tables>
void TableHandle<Tables>::flush(std::string const& chain) {
    check(Tables::flush(ChainLabel(chain).get(), handle_.get()), "flush of chain", chain);
}

template <typename Tables>
void TableHandle<Tables>::append(std::string const& chain, xt::ByteView entries) {
    using Entry = typename Tables::Entry;
    ChainLabel const label(chain);
    while (!entries.empty()) {
        Entry const* const entry = entry_at<Entry>(entries);
        check(Tables::append(label.get(), entry, handle_.get()), "new rule of chain", chain);
        entries = entries.subspan(entry->next_offset);
    }
}

template <typename Tables>
void TableHandle<Tables>::insert(std::string const& builtin, unsigned number, xt::ByteView entry) {
    unsigned count = 0;
    each_rule(builtin, [&](xt::ByteView, std::string_view) { ++count; });
    // libiptc counts the position of an insertion from 0.
    check(Tables::insert(ChainLabel(builtin).get(), entry_at<typename Tables::Entry>(entry),
                         std::min(number - 1, count), handle_.get()),
          "new rule of chain", builtin);
}

template <typename Tables>
void TableHandle<Tables>::remove_rule(std::string const& builtin, unsigned number) {
    check(Tables::delete_rule(ChainLabel(builtin).get(), number - 1, handle_.get()), "removal of a rule of chain",
          builtin);
}

template <typename Tables>
std::string TableHandle<Tables>::referrer(std::string const& name) const {
    for (std::string const& chain : chains()) {
        bool found = false;
        each_rule(chain, [&](xt::ByteView, std::string_view target) { found = found || target == name; });
        if (found)
            return chain;
    }
    return {};
}

template <typename Tables>
void TableHandle<Tables>::remove_chain(std::string const& name) {
    ChainLabel const label(name);
    unsigned references = 0;
    check(Tables::references(&references, label.get(), handle_.get()), "references of chain", name);
    if (references > 0) {
        throw Refused{
            table_error(Tables::family, "change", EMLINK,
                        fmt::format("chain `{}` has to go, but a rule of chain `{}`, which is not lbc's, leads to it",
                                    name, referrer(name)))};
    }
    check(Tables::delete_chain(label.get(), handle_.get()), "removal of chain", name);
}

/// libiptc (1.8.9) keeps the counters of rules, but commits every policy with counters of zero unless it is set.
template <typename Tables>
void TableHandle<Tables>::keep_policies() {
    for (std::string const& chain : chains()) {
        xt_counters counters{};
        char const* const policy = Tables::policy(chain.c_str(), &counters, handle_.get());
        if (policy != nullptr) {
            check(Tables::set_policy(ChainLabel(chain).get(), ChainLabel(policy).get(), &counters, handle_.get()),
                  "policy of chain", chain);
        }
    }
}

template <typename Tables>
int TableHandle<Tables>::commit() {
    keep_policies();
    errno = 0;
    return Tables::commit(handle_.get()) != 0 ? 0 : errno;
}

template class TableHandle<Ipv4Tables>;
template class TableHandle<Ipv6Tables>;

} // namespace lbc
