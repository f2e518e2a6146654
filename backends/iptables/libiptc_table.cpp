#include "backends/iptables/libiptc_table.hpp"

#include "backends/iptables/blob_writer.hpp"
#include "backends/iptables/libiptc_handle.hpp"
#include "backends/iptables/owned_rules.hpp"
#include "backends/iptables/xt_target.hpp"
#include "backends/os/descriptor.hpp"
#include "backends/os/modules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <thread>

namespace lbc {
namespace {

using Kind = SystemError::Kind;

constexpr int commit_attempts = 10;
constexpr std::chrono::milliseconds commit_pause{10};

/// Makes the own chains those of `wanted`: flushes the chains of `current` that change, and creates missing ones.
/// Chains that leave stay for now, empty, because rules may still lead to them.
template <typename Tables>
void prepare_chains(TableHandle<Tables>& table, Ruleset const& current, Ruleset const& wanted) {
    for (Chain const& chain : current.chains) {
        Chain const* const becomes = find_chain(wanted.chains, chain.name);
        if (becomes == nullptr || *becomes != chain)
            table.flush(chain.name);
    }
    // libiptc indexes chains in linear time if their names come in reverse order.
    for (auto chain = wanted.chains.rbegin(); chain != wanted.chains.rend(); ++chain)
        if (find_chain(current.chains, chain->name) == nullptr)
            table.create_chain(chain->name);
}

template <typename Tables>
void write_rule(TableHandle<Tables>& table, std::string const& chain, Rule const& rule, xt::Bytes& buffer) {
    buffer.clear();
    xt::append_rule(rule, Tables::family, buffer);
    table.append(chain, buffer);
}

/// Keeps, in place, entry jumps that are the next wanted ones of their chain. Removes the other own ones, appends the
/// rest.
template <typename Tables>
void place_entry_jumps(TableHandle<Tables>& table, std::vector<EntryJump> wanted, xt::Bytes& buffer) {
    std::vector<PlacedEntryJump> surplus;
    for (PlacedEntryJump& placed : placed_entry_jumps(table)) {
        auto const next = std::ranges::find(wanted, placed.hook.builtin, &EntryJump::builtin);
        if (next != wanted.end() && *next == placed.hook)
            wanted.erase(next);
        else
            surplus.push_back(std::move(placed));
    }
    // From the last: a removal renumbers the rules after it.
    for (auto placed = surplus.rbegin(); placed != surplus.rend(); ++placed)
        table.remove_rule(placed->hook.builtin, placed->number);
    for (EntryJump const& hook : wanted)
        write_rule(table, hook.builtin, hook.rule, buffer);
}

template <typename Tables>
void remove_chains(TableHandle<Tables>& table, Ruleset const& current, Ruleset const& wanted) {
    for (Chain const& chain : current.chains)
        if (find_chain(wanted.chains, chain.name) == nullptr)
            table.remove_chain(chain.name);
}

/// Replaces `current`, the own rules of the table, with `wanted`.
template <typename Tables>
void write_wanted(TableHandle<Tables>& table, Ruleset const& current, Ruleset const& wanted) {
    xt::Bytes buffer;
    prepare_chains(table, current, wanted);
    for (Chain const& chain : wanted.chains) {
        Chain const* const was = find_chain(current.chains, chain.name);
        if (was == nullptr || *was != chain)
            for (Rule const& rule : chain.rules)
                write_rule(table, chain.name, rule, buffer);
    }
    place_entry_jumps(table, wanted.entry_jumps, buffer);
    remove_chains(table, current, wanted);
}

/// Appends a chain's rules as they were, each with its counters. A set that was created again has a new index, and the
/// old bytes hold the old one: so an own rule that looks up a set is written again, with the set's name.
template <typename Tables>
void append_saved(TableHandle<Tables>& table, RawChain const& saved, Chain const& as_read) {
    using Entry = typename Tables::Entry;
    xt::ByteView left = saved.entries;
    xt::Bytes buffer;
    for (Rule const& rule : as_read.rules) {
        Entry was;
        std::memcpy(&was, left.data(), sizeof was);
        auto const entry = left.first(was.next_offset);
        left = left.subspan(was.next_offset);
        if (!std::holds_alternative<MapMark>(rule.then) || !xt::refuse_rule(rule, Tables::family).empty()) {
            table.append(saved.name, entry);
            continue;
        }
        buffer.clear();
        xt::append_rule(rule, Tables::family, buffer);
        std::memcpy(buffer.data() + offsetof(Entry, counters), &was.counters, sizeof was.counters);
        table.append(saved.name, buffer);
    }
}

/// Replaces `current` with `saved`, which reads as `wanted`.
template <typename Tables>
void write_saved(TableHandle<Tables>& table, Ruleset const& current, Ruleset const& wanted, RawRules const& saved) {
    for (Chain const& chain : current.chains)
        table.flush(chain.name);
    prepare_chains(table, current, wanted);
    for (RawChain const& chain : saved.chains)
        append_saved(table, chain, *find_chain(wanted.chains, chain.name));
    std::vector<PlacedEntryJump> const jumps = placed_entry_jumps(table);
    for (auto placed = jumps.rbegin(); placed != jumps.rend(); ++placed)
        table.remove_rule(placed->hook.builtin, placed->number);
    for (RawEntryJump const& hook : saved.entry_jumps)
        table.insert(hook.builtin, hook.number, hook.entry);
    remove_chains(table, current, wanted);
}

std::expected<void, SystemError> check_rule(Rule const& rule, std::string const& chain, Ruleset const& wanted) {
    std::string refusal = xt::refuse_rule(rule, wanted.family);
    if (std::string const* const next = xt::led_to(rule.then); refusal.empty() && next != nullptr) {
        if (find_chain(wanted.chains, *next) == nullptr)
            refusal = fmt::format("there is no chain `{}`", *next);
    }
    if (!refusal.empty()) {
        return std::unexpected(
            SystemError{Kind::failed, EINVAL,
                        fmt::format("a rule for chain `{}` of the {} mangle table cannot be written: {}", chain,
                                    title(wanted.family), refusal)});
    }
    return {};
}

/// Calls `visit(chain, rule)` for every rule, until one gives an error.
template <typename Visitor>
std::expected<void, SystemError> each_rule(Ruleset const& rules, Visitor visit) {
    for (Chain const& chain : rules.chains) {
        for (Rule const& rule : chain.rules)
            if (auto done = visit(chain.name, rule); !done)
                return done;
    }
    for (EntryJump const& hook : rules.entry_jumps)
        if (auto done = visit(hook.builtin, hook.rule); !done)
            return done;
    return {};
}

/// Queries the kernel for a revision of an extension; the kernel loads its module if necessary.
template <typename Tables>
std::expected<void, SystemError> probe(int socket, xt::Extension const& extension) {
    bool const match = extension.kind == xt::Extension::Kind::match;
    xt_get_revision request{};
    std::ranges::copy(extension.name, request.name);
    request.revision = extension.revision;
    socklen_t size = sizeof request;
    if (::getsockopt(socket, Tables::level, match ? Tables::match_revision : Tables::target_revision, &request,
                     &size) >= 0) {
        return {};
    }
    if (errno == EPERM)
        return std::unexpected(table_error(Tables::family, "read", EPERM, {}));
    return std::unexpected(
        SystemError{Kind::unsupported, errno,
                    fmt::format("the kernel has no {} `{}` {} of revision {} (module {})", title(Tables::family),
                                extension.name, match ? "match" : "target", extension.revision, extension.module)});
}

template <typename Tables>
class LibiptcTable final : public MangleTable {
public:
    explicit LibiptcTable(TableBlob<Tables> run) : run_(std::move(run)) {}
    explicit LibiptcTable(TableHandle<Tables> handle) : handle_(std::move(handle)), owned_(owned_rules(*handle_)) {}

    Ruleset const& owned() const override {
        if (!owned_)
            owned_ = owned_rules(*run_);
        return *owned_;
    }

    bool holds(Ruleset const& wanted) const override {
        if (run_ && run_->has(wanted))
            return true;
        if (!owned_)
            owned_ = owned_rules(*run_, wanted);
        return *owned_ == wanted;
    }

    std::expected<void, SystemError> supports(Ruleset const& wanted) override {
        std::set<xt::Extension> extensions;
        auto const writable = each_rule(wanted, [&](std::string const& chain, Rule const& rule) {
            xt::collect_extensions(rule, extensions);
            return check_rule(rule, chain, wanted);
        });
        if (!writable)
            return writable;
        Descriptor const socket(::socket(Tables::domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
        if (!socket)
            return std::unexpected(table_error(Tables::family, "read", errno, std::strerror(errno)));
        for (xt::Extension const& extension : extensions)
            if (auto known = probe<Tables>(socket.get(), extension); !known)
                return known;
        return {};
    }

    std::expected<void, SystemError> replace(Ruleset const& wanted) override {
        auto const writable = each_rule(
            wanted, [&](std::string const& chain, Rule const& rule) { return check_rule(rule, chain, wanted); });
        if (!writable)
            return writable;
        return commit(wanted, [&] {
            auto const written = replace_run(wanted);
            return written ? *written : replace_by_libiptc(wanted);
        });
    }

    std::expected<void, SystemError> restore() override {
        if (!touched_)
            return {};
        return commit(owned(), [&] {
            TableHandle<Tables> table = take_handle();
            write_saved(table, owned_rules(table), owned(), saved());
            return table.commit();
        });
    }

private:
    /// The table as it was opened, on the first call; read again on every further one.
    TableHandle<Tables> take_handle() {
        if (handle_) {
            TableHandle<Tables> first = std::move(*handle_);
            handle_.reset();
            return first;
        }
        auto again = TableHandle<Tables>::read();
        if (!again) {
            throw Refused{
                table_error(Tables::family, "read", again.error(), TableHandle<Tables>::reason(again.error()))};
        }
        return std::move(*again);
    }

    /// Replaces the table with one entry blob; errno, or 0 on success. None: only libiptc can make this change.
    std::optional<int> replace_run(Ruleset const& wanted) {
        if (!run_)
            return std::nullopt;
        if (!touched_)
            return give(rewrite(*run_, wanted));
        auto const again = TableBlob<Tables>::read();
        return again ? give(rewrite(*again, wanted)) : std::nullopt;
    }

    std::optional<int> give(std::optional<NewTable<Tables>> table) {
        if (!table)
            return std::nullopt;
        touched_ = touched_ || table->differs;
        return table->differs ? table->commit() : 0;
    }

    int replace_by_libiptc(Ruleset const& wanted) {
        TableHandle<Tables> table = take_handle();
        Ruleset const current = owned_rules(table);
        if (current == wanted)
            return 0;
        if (!run_ && !saved_)
            saved_ = raw_rules(table);
        saved(); // without a way to roll back nothing is written
        touched_ = true;
        write_wanted(table, current, wanted);
        return table.commit();
    }

    /// The bytes that `owned` was read from. A blob that was indexed has no malformed rule.
    RawRules const& saved() {
        if (!saved_ && run_)
            saved_ = raw_rules(*run_);
        if (!saved_)
            throw Refused{table_error(Tables::family, "read", EINVAL, "an own rule is malformed")};
        return *saved_;
    }

    /// Whether the table has `wanted` although the commit failed: a second call restores the counters of foreign rules,
    /// and the kernel refuses it if another program has replaced the table in between.
    bool written_nevertheless(Ruleset const& wanted) {
        auto const now = TableHandle<Tables>::read();
        return now && owned_rules(*now) == wanted;
    }

    /// Calls `change()` until it returns 0, or an errno but EAGAIN. It changes the table as it is; the first time, as
    /// it was opened.
    template <typename Change>
    std::expected<void, SystemError> commit(Ruleset const& wanted, Change change) try {
        for (int attempt = 0; attempt < commit_attempts; ++attempt) {
            if (attempt > 0)
                std::this_thread::sleep_for(commit_pause * attempt);
            int const code = change();
            if (code == 0)
                return {};
            // EAGAIN: the number of counters does not match the number of entries, so another program has replaced the
            // table.
            if (code != EAGAIN) {
                std::string const reason = TableHandle<Tables>::reason(code);
                if (written_nevertheless(wanted))
                    return {};
                return std::unexpected(table_error(Tables::family, "change", code, reason));
            }
        }
        return std::unexpected(SystemError{
            Kind::changed, EAGAIN,
            fmt::format("cannot change the {} mangle table: other programs keep changing it without the xtables lock",
                        title(Tables::family))});
    } catch (Refused const& refused) {
        return std::unexpected(refused.error);
    }

    std::optional<TableBlob<Tables>> run_;      // as it was opened
    std::optional<TableHandle<Tables>> handle_; // the same if there is no blob, until the first commit
    mutable std::optional<Ruleset> owned_;      // filled on first use
    std::optional<RawRules> saved_;             // the bytes of `owned_`, filled on first use
    bool touched_ = false;
};

template <typename Tables>
SystemError no_table(int code) {
    if (code == EAFNOSUPPORT)
        return {Kind::unsupported, code, fmt::format("the kernel has no {}", title(Tables::family))};
    return {Kind::unsupported, code,
            fmt::format("the kernel has no {} mangle table (module {}, kernel option {}); where it has nftables, `lbc "
                        "apply --backend nft` marks by them",
                        title(Tables::family), Tables::mangle_module, Tables::mangle_option)};
}

template <typename Tables>
std::expected<std::unique_ptr<MangleTable>, SystemError> open_table(TableWriter writer) {
    if (writer == TableWriter::runs) {
        if (auto run = TableBlob<Tables>::read())
            return std::make_unique<LibiptcTable<Tables>>(std::move(*run));
    }
    auto const missing = [](int code) { return code == ENOPROTOOPT || code == ENOENT || code == EAFNOSUPPORT; };
    auto handle = TableHandle<Tables>::read();
    if (!handle && missing(handle.error())) {
        load_module(Tables::tables_module);
        load_module(Tables::mangle_module);
        handle = TableHandle<Tables>::read();
    }
    if (handle)
        return std::make_unique<LibiptcTable<Tables>>(std::move(*handle));
    int const code = handle.error();
    return std::unexpected(missing(code)
                               ? no_table<Tables>(code)
                               : table_error(Tables::family, "read", code, TableHandle<Tables>::reason(code)));
}

} // namespace

std::expected<std::unique_ptr<MangleTable>, SystemError> open_libiptc_mangle(Family family, TableWriter writer) {
    return family == Family::ipv4 ? open_table<Ipv4Tables>(writer) : open_table<Ipv6Tables>(writer);
}

} // namespace lbc
