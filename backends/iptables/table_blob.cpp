#include "backends/iptables/table_blob.hpp"

#include "backends/iptables/xt_target.hpp"
#include "backends/os/descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <numeric>

namespace lbc {
namespace {

constexpr std::array<std::string_view, NF_INET_NUMHOOKS> hook_names{"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                                                    "POSTROUTING"};
constexpr std::uint32_t largest_table = 1U << 30U;
constexpr int read_attempts = 10; // another program may change the table between the two queries

/// The name in an entry that begins a chain, or in the last entry of a table; none for other entries.
std::optional<std::string_view> chain_name(BlobEntry const& entry) {
    constexpr std::size_t size = sizeof xt_error_target{}.errorname;
    xt::ByteView const target = entry.bytes.subspan(entry.target);
    if (entry.target_name != XT_ERROR_TARGET || target.size() < sizeof(xt::ExtensionHead) + size)
        return std::nullopt;
    auto const* const name = reinterpret_cast<char const*>(target.data() + sizeof(xt::ExtensionHead));
    return std::string_view(name, ::strnlen(name, size));
}

/// Equal but for the counters, and for the fields that the kernel itself uses.
template <typename Entry>
bool equal(xt::ByteView one, xt::ByteView other) {
    constexpr std::size_t parts = offsetof(Entry, target_offset);
    constexpr std::size_t parts_size = sizeof(Entry::target_offset) + sizeof(Entry::next_offset);
    static_assert(offsetof(Entry, next_offset) == parts + sizeof(Entry::target_offset));
    return one.size() == other.size() && std::memcmp(one.data(), other.data(), offsetof(Entry, nfcache)) == 0 &&
           std::memcmp(one.data() + parts, other.data() + parts, parts_size) == 0 &&
           std::memcmp(one.data() + sizeof(Entry), other.data() + sizeof(Entry), one.size() - sizeof(Entry)) == 0;
}

} // namespace

Chain const* find_chain(std::vector<Chain> const& chains, std::string_view name) {
    auto const place = std::ranges::lower_bound(chains, name, {}, &Chain::name);
    return place != chains.end() && place->name == name ? &*place : nullptr;
}

template <typename Tables>
std::expected<TableBlob<Tables>, int> TableBlob<Tables>::read() {
    Descriptor const socket(::socket(Tables::domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!socket)
        return std::unexpected(errno);
    for (int attempt = 0; attempt < read_attempts; ++attempt) {
        typename Tables::Info info{};
        std::ranges::copy(mangle_table, info.name);
        socklen_t size = sizeof info;
        if (::getsockopt(socket.get(), Tables::level, Tables::get_info, &info, &size) != 0)
            return std::unexpected(errno);
        if (info.size > largest_table)
            return std::unexpected(EBADMSG);
        xt::Bytes answer(sizeof(typename Tables::GetEntries) + info.size);
        std::memcpy(answer.data(), info.name, sizeof info.name);
        xt::store(answer, offsetof(typename Tables::GetEntries, size), info.size);
        size = static_cast<socklen_t>(answer.size());
        if (::getsockopt(socket.get(), Tables::level, Tables::get_entries, answer.data(), &size) == 0)
            return index(info, std::move(answer));
        if (errno != EAGAIN)
            return std::unexpected(errno);
    }
    return std::unexpected(EAGAIN);
}

template <typename Tables>
std::expected<TableBlob<Tables>, int> TableBlob<Tables>::index(typename Tables::Info const& info, xt::Bytes answer) {
    TableBlob blob(info, std::move(answer));
    bool const is_whole = blob.answer_.size() == sizeof(typename Tables::GetEntries) + info.size;
    if (!is_whole || !blob.find_entries() || !blob.find_builtins() || !blob.find_chains() || !blob.index_names() ||
        !blob.check_verdicts()) {
        return std::unexpected(EBADMSG);
    }
    return blob;
}

/// Indexes the entries; false unless each lies within the table, and its parts within the entry.
template <typename Tables>
bool TableBlob<Tables>::find_entries() {
    using Entry = typename Tables::Entry;
    offsets_.reserve(std::min<std::size_t>(info_.num_entries, info_.size / sizeof(Entry)));
    for (std::uint32_t at = 0; at != info_.size;) {
        xt::ByteView const rest = entries().subspan(at);
        auto const target = xt::load<std::uint16_t>(rest, offsetof(Entry, target_offset));
        auto const next = xt::load<std::uint16_t>(rest, offsetof(Entry, next_offset));
        if (!target || !next || *target < sizeof(Entry) || *target + sizeof(xt::ExtensionHead) > *next ||
            *next > rest.size()) {
            return false;
        }
        offsets_.push_back(at);
        at += *next;
    }
    return offsets_.size() == info_.num_entries;
}

/// Finds the built-in chains, those of the hooks. They follow each other from the beginning of the table.
template <typename Tables>
bool TableBlob<Tables>::find_builtins() {
    std::uint32_t next = 0;
    for (std::size_t hook = 0; hook < hook_names.size(); ++hook) {
        if ((info_.valid_hooks & (1U << hook)) == 0)
            continue;
        auto const last = std::ranges::lower_bound(offsets_, info_.underflow[hook]);
        if (next == offsets_.size() || offsets_[next] != info_.hook_entry[hook] || last == offsets_.end() ||
            *last != info_.underflow[hook] || *last < offsets_[next]) {
            return false;
        }
        auto const end = static_cast<std::uint32_t>(last - offsets_.begin());
        chains_.push_back({hook_names[hook], true, next, next, end});
        next = end + 1;
    }
    return next != 0;
}

/// Finds the other chains, up to the entry that ends the table.
template <typename Tables>
bool TableBlob<Tables>::find_chains() {
    std::size_t const builtins = chains_.size();
    std::uint32_t const begin = chains_.back().last + 1;
    if (begin == count() || !chain_name(entry(begin)) || !chain_name(entry(count() - 1)))
        return false;
    for (std::uint32_t number = begin; number < count(); ++number) {
        auto const name = chain_name(entry(number));
        if (!name)
            continue;
        if (name->size() >= XT_EXTENSION_MAXNAMELEN)
            return false; // libiptc could not write a jump to it
        if (chains_.size() > builtins)
            chains_.back().last = number - 1;
        if (number + 1 < count())
            chains_.push_back({*name, false, number, number + 1, 0});
    }
    return std::ranges::all_of(chains_, [](BlobChain const& chain) { return chain.first <= chain.last; });
}

template <typename Tables>
bool TableBlob<Tables>::index_names() {
    by_name_.resize(chains_.size());
    std::iota(by_name_.begin(), by_name_.end(), 0U);
    auto const name = [this](std::uint32_t i) { return chains_[i].name; };
    std::ranges::sort(by_name_, {}, name);
    return std::ranges::adjacent_find(by_name_, {}, name) == by_name_.end();
}

/// Checks that jumps lead to chains, or to the next rule.
template <typename Tables>
bool TableBlob<Tables>::check_verdicts() const {
    for (std::uint32_t number = 0; number < count(); ++number) {
        BlobEntry const now = entry(number);
        auto const verdict = xt::verdict_of(now.bytes.subspan(now.target));
        bool const is_next = verdict && *verdict >= 0 && static_cast<std::uint32_t>(*verdict) == end_of(number);
        if (verdict && now.target_name.empty() && !is_next)
            return false;
    }
    return true;
}

template <typename Tables>
BlobChain const* TableBlob<Tables>::find(std::string_view name) const {
    auto const place = std::ranges::lower_bound(by_name_, name, {}, [this](auto i) { return chains_[i].name; });
    return place != by_name_.end() && chains_[*place].name == name ? &chains_[*place] : nullptr;
}

template <typename Tables>
BlobChain const* TableBlob<Tables>::chain_at(std::uint32_t offset) const {
    auto const begin = [this](BlobChain const& chain) { return offsets_[chain.first]; };
    auto const place = std::ranges::lower_bound(chains_, offset, {}, begin);
    return place != chains_.end() && !place->is_builtin && begin(*place) == offset ? &*place : nullptr;
}

template <typename Tables>
BlobEntry TableBlob<Tables>::entry(std::uint32_t number) const {
    auto const bytes = entries().subspan(offsets_[number], end_of(number) - offsets_[number]);
    std::size_t const target = *xt::load<std::uint16_t>(bytes, offsetof(typename Tables::Entry, target_offset));
    auto const* const name = reinterpret_cast<char const*>(bytes.data() + target + offsetof(xt::ExtensionHead, name));
    BlobEntry found{bytes, target, {name, ::strnlen(name, XT_EXTENSION_MAXNAMELEN)}};
    if (auto const verdict = xt::verdict_of(bytes.subspan(target)); verdict && *verdict < 0) {
        found.target_name = xt::verdict_name(*verdict);
    } else if (verdict) {
        auto const* const chain = chain_at(static_cast<std::uint32_t>(*verdict));
        found.target_name = chain != nullptr ? chain->name : std::string_view{};
    }
    return found;
}

template <typename Tables>
Rule TableBlob<Tables>::read(BlobEntry const& entry) const {
    return xt::read_rule(entry.bytes, Tables::family, entry.target_name);
}

template <typename Tables>
Chain TableBlob<Tables>::read(BlobChain const& chain) const {
    Chain result{std::string(chain.name), {}};
    result.rules.reserve(chain.last - chain.first);
    for (auto number = chain.first; number < chain.last; ++number)
        result.rules.push_back(read(entry(number)));
    return result;
}

template <typename Tables>
bool TableBlob<Tables>::is_rule(std::uint32_t number, Rule const& wanted, xt::Bytes& buffer) const {
    using Entry = typename Tables::Entry;
    buffer.clear();
    xt::append_rule(wanted, Tables::family, buffer);
    std::size_t const target = *xt::load<std::uint16_t>(buffer, offsetof(Entry, target_offset));
    if (std::string const* const name = xt::led_to(wanted.then); name != nullptr) {
        auto const* const chain = find(*name);
        if (chain == nullptr)
            return false;
        xt::store_verdict(buffer, target, static_cast<int>(offsets_[chain->first]));
    } else if (auto const verdict = xt::own_verdict(wanted.then)) {
        xt::store_verdict(buffer, target, *verdict);
    }
    return equal<Entry>(entries().subspan(offsets_[number], end_of(number) - offsets_[number]), buffer);
}

template <typename Tables>
bool TableBlob<Tables>::has(BlobChain const& chain, Chain const& wanted) const {
    if (chain.last - chain.first != wanted.rules.size())
        return false;
    xt::Bytes buffer;
    auto number = chain.first;
    return std::ranges::all_of(wanted.rules, [&](Rule const& rule) { return is_rule(number++, rule, buffer); });
}

template <typename Tables>
bool TableBlob<Tables>::has(Ruleset const& wanted) const {
    std::size_t own = 0;
    xt::Bytes buffer;
    auto hook = wanted.entry_jumps.begin();
    for (BlobChain const& chain : chains_) {
        own += is_own_chain(chain.name) ? 1 : 0;
        for (auto number = chain.first; chain.is_builtin && number < chain.last; ++number) {
            if (!is_own_chain(entry(number).target_name))
                continue;
            if (hook == wanted.entry_jumps.end() || hook->builtin != chain.name || !is_rule(number, hook->rule, buffer))
                return false;
            ++hook;
        }
    }
    return hook == wanted.entry_jumps.end() && own == wanted.chains.size() &&
           std::ranges::all_of(wanted.chains, [&](Chain const& chain) {
               auto const* const now = find(chain.name);
               return now != nullptr && has(*now, chain);
           });
}

template class TableBlob<Ipv4Tables>;
template class TableBlob<Ipv6Tables>;

} // namespace lbc
