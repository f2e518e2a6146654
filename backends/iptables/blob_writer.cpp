#include "backends/iptables/blob_writer.hpp"

#include "backends/iptables/xt_target.hpp"
#include "backends/os/descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <iterator>

namespace lbc {
namespace {

/// A chain of the new table. A foreign one has no `wanted`.
struct NewChain {
    std::string_view name;
    BlobChain const* now = nullptr;
    Chain const* wanted = nullptr;
};

template <typename Tables>
class BlobWriter {
    using Entry = typename Tables::Entry;
    using Replace = typename Tables::Replace;

public:
    BlobWriter(TableBlob<Tables> const& now, Ruleset const& wanted) : now_(now), wanted_(wanted) {}

    std::optional<NewTable<Tables>> write() {
        constexpr std::size_t usual_rule = 256;
        std::size_t rules = 0;
        for (Chain const& chain : wanted_.chains)
            rules += chain.rules.size() + 2;
        table_.replace.reserve(sizeof(Replace) + now_.info().size + rules * usual_rule);
        table_.replace.resize(sizeof(Replace));
        write_builtins();
        for (NewChain const& chain : new_chains())
            write_chain(chain);
        copy(now_.count() - 1);
        if (!link())
            return std::nullopt;
        finish();
        return std::move(table_);
    }

private:
    /// A target that leads to a chain, whose offset is filled in when it is known.
    struct Link {
        std::size_t target = 0; // in the blob
        std::string_view chain;
    };

    [[nodiscard]] std::uint32_t end() const {
        return static_cast<std::uint32_t>(table_.replace.size() - sizeof(Replace));
    }

    void write_builtins() {
        std::vector<EntryJump const*> left;
        std::ranges::transform(wanted_.entry_jumps, std::back_inserter(left),
                               [](EntryJump const& hook) { return &hook; });
        std::size_t hook = 0;
        for (BlobChain const& chain : now_.chains()) {
            if (!chain.is_builtin)
                break;
            while ((now_.info().valid_hooks & (1U << hook)) == 0)
                ++hook;
            hook_entry_[hook] = end();
            write_builtin(chain, left);
            underflow_[hook] = end();
            copy(chain.last);
            ++hook;
        }
    }

    void write_builtin(BlobChain const& chain, std::vector<EntryJump const*>& left) {
        auto const next = [&] {
            return std::ranges::find_if(left, [&](EntryJump const* hook) { return hook->builtin == chain.name; });
        };
        for (auto number = chain.first; number < chain.last; ++number) {
            BlobEntry const entry = now_.entry(number);
            if (is_own_chain(entry.target_name)) {
                auto const place = next();
                if (place == left.end() || (*place)->rule != now_.read(entry)) {
                    table_.differs = true;
                    continue;
                }
                left.erase(place);
            }
            copy(number);
        }
        for (auto place = next(); place != left.end(); place = next()) {
            add((*place)->rule);
            left.erase(place);
        }
    }

    /// In the order of the old table, which libiptc sorts by name, with new chains inserted by name.
    std::vector<NewChain> new_chains() {
        std::vector<NewChain> chains;
        auto wanted = wanted_.chains.begin();
        auto const add_up_to = [&](auto is_before) {
            for (; wanted != wanted_.chains.end() && is_before(*wanted); ++wanted)
                if (now_.find(wanted->name) == nullptr)
                    chains.push_back({wanted->name, nullptr, &*wanted});
        };
        for (BlobChain const& chain : now_.chains()) {
            if (chain.is_builtin)
                continue;
            add_up_to([&](Chain const& next) { return next.name < chain.name; });
            Chain const* const same = find_chain(wanted_.chains, chain.name);
            if (same != nullptr || !is_own_chain(chain.name))
                chains.push_back({chain.name, &chain, same});
            else
                table_.differs = true;
        }
        add_up_to([](Chain const&) { return true; });
        return chains;
    }

    void write_chain(NewChain const& chain) {
        if (chain.now != nullptr)
            copy(chain.now->head);
        else
            add_head(chain.name);
        begins_.emplace_back(chain.name, end());
        bool const stays = chain.now != nullptr && (chain.wanted == nullptr || now_.has(*chain.now, *chain.wanted) ||
                                                    now_.read(*chain.now) == *chain.wanted);
        if (stays)
            for (auto number = chain.now->first; number < chain.now->last; ++number)
                copy(number);
        else
            std::ranges::for_each(chain.wanted->rules, [this](Rule const& rule) { add(rule); });
        if (chain.now != nullptr)
            copy(chain.now->last);
        else
            add({{}, Return{}, {}});
    }

    void copy(std::uint32_t number) {
        BlobEntry const entry = now_.entry(number);
        auto const begin = table_.replace.size();
        table_.replace.insert(table_.replace.end(), entry.bytes.begin(), entry.bytes.end());
        table_.counters.push_back(number);
        auto const verdict = xt::verdict_of(entry.bytes.subspan(entry.target));
        if (verdict && *verdict >= 0 && entry.target_name.empty())
            xt::store_verdict(table_.replace, begin + entry.target, static_cast<int>(end()));
        else if (verdict && *verdict >= 0)
            links_.push_back({begin + entry.target, entry.target_name});
    }

    void add(Rule const& rule) {
        table_.differs = true;
        auto const begin = table_.replace.size();
        xt::append_rule(rule, Tables::family, table_.replace);
        table_.counters.push_back(NewTable<Tables>::none);
        auto const target = begin + *xt::load<std::uint16_t>(table_.replace, begin + offsetof(Entry, target_offset));
        if (std::string const* const chain = xt::led_to(rule.then); chain != nullptr) {
            xt::store_verdict(table_.replace, target, 0);
            links_.push_back({target, *chain});
        } else if (auto const verdict = xt::own_verdict(rule.then)) {
            xt::store_verdict(table_.replace, target, *verdict);
        }
    }

    void add_head(std::string_view name) {
        table_.differs = true;
        std::array<char, sizeof xt_error_target{}.errorname> text{};
        auto const begin = table_.replace.size();
        table_.replace.resize(begin + sizeof(Entry));
        std::ranges::copy(name, text.begin());
        xt::append_extension(table_.replace, XT_ERROR_TARGET, 0, text);
        xt::store(table_.replace, begin + offsetof(Entry, target_offset), static_cast<std::uint16_t>(sizeof(Entry)));
        xt::store(table_.replace, begin + offsetof(Entry, next_offset),
                  static_cast<std::uint16_t>(table_.replace.size() - begin));
        table_.counters.push_back(NewTable<Tables>::none);
    }

    bool link() {
        std::ranges::sort(begins_);
        return std::ranges::all_of(links_, [this](Link const& link) {
            using Begin = std::pair<std::string_view, std::uint32_t>;
            auto const place = std::ranges::lower_bound(begins_, link.chain, {}, &Begin::first);
            if (place == begins_.end() || place->first != link.chain)
                return false;
            xt::store_verdict(table_.replace, link.target, static_cast<int>(place->second));
            return true;
        });
    }

    void finish() {
        Replace replace{};
        std::ranges::copy(mangle_table, replace.name);
        replace.valid_hooks = now_.info().valid_hooks;
        std::ranges::copy(hook_entry_, replace.hook_entry);
        std::ranges::copy(underflow_, replace.underflow);
        replace.num_entries = static_cast<unsigned>(table_.counters.size());
        replace.size = end();
        replace.num_counters = now_.count();
        std::memcpy(table_.replace.data(), &replace, sizeof replace);
    }

    TableBlob<Tables> const& now_;
    Ruleset const& wanted_;
    NewTable<Tables> table_;
    std::array<unsigned, NF_INET_NUMHOOKS> hook_entry_{};
    std::array<unsigned, NF_INET_NUMHOOKS> underflow_{};
    std::vector<Link> links_;
    std::vector<std::pair<std::string_view, std::uint32_t>> begins_; // of chains
};

} // namespace

template <typename Tables>
std::optional<NewTable<Tables>> rewrite(TableBlob<Tables> const& now, Ruleset const& wanted) {
    return BlobWriter<Tables>(now, wanted).write();
}

template <typename Tables>
int NewTable<Tables>::commit() {
    using Replace = typename Tables::Replace;
    Descriptor const socket(::socket(Tables::domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!socket)
        return errno;
    std::vector<xt_counters> old(*xt::load<unsigned>(replace, offsetof(Replace, num_counters)));
    xt::store(replace, offsetof(Replace, counters), reinterpret_cast<std::uintptr_t>(old.data()));
    if (::setsockopt(socket.get(), Tables::level, Tables::set_replace, replace.data(),
                     static_cast<socklen_t>(replace.size())) != 0) {
        return errno;
    }
    xt::Bytes kept(sizeof(xt_counters_info) + counters.size() * sizeof(xt_counters));
    bool is_any = false;
    for (std::size_t i = 0; i < counters.size(); ++i) {
        if (counters[i] != none) {
            xt_counters const& count = old[counters[i]];
            is_any = is_any || count.pcnt != 0 || count.bcnt != 0;
            xt::store(kept, sizeof(xt_counters_info) + i * sizeof count, count);
        }
    }
    if (!is_any)
        return 0;
    xt_counters_info info{};
    std::ranges::copy(mangle_table, info.name);
    info.num_counters = static_cast<unsigned>(counters.size());
    std::memcpy(kept.data(), &info, sizeof info);
    return ::setsockopt(socket.get(), Tables::level, Tables::set_add_counters, kept.data(),
                        static_cast<socklen_t>(kept.size())) == 0
               ? 0
               : errno;
}

template struct NewTable<Ipv4Tables>;
template struct NewTable<Ipv6Tables>;
template std::optional<NewTable<Ipv4Tables>> rewrite(TableBlob<Ipv4Tables> const& now, Ruleset const& wanted);
template std::optional<NewTable<Ipv6Tables>> rewrite(TableBlob<Ipv6Tables> const& now, Ruleset const& wanted);

} // namespace lbc
