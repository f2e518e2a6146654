#include "backends/restore/rule_target.hpp"

#include "backends/restore/target_effects.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace lbc {
namespace {

struct TableChains {
    std::string_view table;
    std::span<std::string_view const> builtin;
};

constexpr std::array<std::string_view, 5> every_hook{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
constexpr std::array<std::string_view, 4> nat_hooks{"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"};
constexpr std::array<std::string_view, 3> filter_hooks{"INPUT", "FORWARD", "OUTPUT"};
constexpr std::array<std::string_view, 2> raw_hooks{"PREROUTING", "OUTPUT"};
constexpr std::array<TableChains, 5> tables{{{"mangle", every_hook},
                                             {"nat", nat_hooks},
                                             {"filter", filter_hooks},
                                             {"raw", raw_hooks},
                                             {"security", filter_hooks}}};

bool contains(std::span<std::string_view const> list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

UnknownTarget unknown(Words target) { return {as_written(target)}; }

/// iptables turns each option of MARK into one `--set-xmark` (mark_tg_parse in libxt_MARK.c).
std::optional<SetMark> xmark(std::string_view option, MarkAndMask value, bool has_mask) {
    auto const [mark, mask] = value;
    if (option == "--set-xmark")
        return SetMark{Fwmark{mark}, mask};
    if (option == "--set-mark")
        return SetMark{Fwmark{mark}, mark | mask};
    if (has_mask)
        return std::nullopt;
    if (option == "--and-mark")
        return SetMark{Fwmark{0}, ~mark};
    if (option == "--or-mark")
        return SetMark{Fwmark{mark}, mark};
    return option == "--xor-mark" ? std::optional(SetMark{Fwmark{mark}, 0}) : std::nullopt;
}

Target read_mark(Words target) {
    auto const value = target.size() == 3 ? rule_mark(target[2].text) : std::nullopt;
    auto const set = value ? xmark(target[1].text, *value, target[2].text.contains('/')) : std::nullopt;
    return set ? Target{*set} : unknown(target);
}

/// Reads a target that changes the mark with only one of its options, `to_any_mark`.
Target read_options(Words target, std::string_view to_any_mark, std::span<std::string_view const> harmless) {
    auto const options = split_options(target.subspan(1));
    if (!options || options->empty())
        return unknown(target);
    if (std::ranges::any_of(*options, [&](RuleOption const& option) { return option.name == to_any_mark; }))
        return UnknownMark{as_written(target)};
    bool const passes = std::ranges::all_of(
        *options, [&](RuleOption const& option) { return contains(harmless, option.name) && !option.negated; });
    return passes ? Target{Continue{as_written(target)}} : unknown(target);
}

/// The bits that `--restore-mark` may change: it clears those of one mask in the packet's mark, and puts in those of
/// the other mask from the connection's mark (connmark_tg_shift in xt_connmark.c).
std::uint32_t restored_bits(std::vector<RuleOption> const& options) {
    std::uint32_t bits = 0;
    std::size_t masks = 0;
    for (auto const& option : options) {
        bool const is_both = option.name == "--mask";
        if (!is_both && option.name != "--nfmask" && option.name != "--ctmask")
            continue;
        auto const mask = option.values.size() == 1 ? rule_mark(option.values[0].text) : std::nullopt;
        bits |= mask && mask->mask == whole_mark ? mask->mark : whole_mark;
        masks += is_both ? 2 : 1;
    }
    bool const is_shifted =
        std::ranges::any_of(options, [](RuleOption const& option) { return option.name.contains("shift"); });
    return masks == 2 && !is_shifted ? bits : whole_mark;
}

/// The connection's mark is not the packet's mark (xt_connmark.c).
Target read_connmark(Words target) {
    static constexpr std::array<std::string_view, 11> harmless{
        "--save-mark", "--set-mark", "--set-xmark", "--and-mark",        "--or-mark",         "--xor-mark",
        "--mask",      "--nfmask",   "--ctmask",    "--left-shift-mark", "--right-shift-mark"};
    auto read = read_options(target, "--restore-mark", harmless);
    if (auto* any = std::get_if<UnknownMark>(&read))
        any->mask = restored_bits(split_options(target.subspan(1)).value_or(std::vector<RuleOption>{}));
    return read;
}

/// A set may give the packet its mark, with `--map-set … --map-mark` (xt_set.c).
Target read_set(Words target) {
    bool const maps = target.size() == 5 && target[1].text == "--map-set" && target[3].text == "dst,dst" &&
                      target[4].text == "--map-mark";
    if (maps)
        return MapMark{target[2].text};
    static constexpr std::array<std::string_view, 4> harmless{"--add-set", "--del-set", "--exist", "--timeout"};
    return read_options(target, "--map-set", harmless);
}

std::optional<Target> read_verdict(std::string_view name, std::string_view table) {
    if (name == "ACCEPT")
        return Accept{};
    if (name == "DROP")
        return Drop{};
    if (name == "RETURN")
        return Return{};
    // The kernel has REJECT in this table only (ipt_REJECT.c).
    return name == "REJECT" && table == "filter" ? std::optional<Target>(Drop{"REJECT"}) : std::nullopt;
}

} // namespace

bool is_table(std::string_view table) { return std::ranges::find(tables, table, &TableChains::table) != tables.end(); }

bool is_builtin_chain(std::string_view table, std::string_view chain) {
    auto const* const found = std::ranges::find(tables, table, &TableChains::table);
    return found != tables.end() && contains(found->builtin, chain);
}

Target read_target_words(Words target, bool is_goto, TableNames const& names) {
    std::string const& name = target[0].text;
    // If a chain has the name of a target, the text does not tell which one is meant.
    bool const is_target = is_continuing_target(name) || name == "MARK" || name == "CONNMARK" || name == "SET" ||
                           name == "HMARK" || (names.table == "nat" && is_readdressing_target(name)) ||
                           read_verdict(name, names.table);
    if (names.chains.contains(name) && !is_builtin_chain(names.table, name) && target.size() == 1 && !is_target)
        return is_goto ? Target{Goto{name}} : Target{Jump{name}};
    if (is_goto || names.chains.contains(name))
        return unknown(target);
    bool const has_reason = name == "REJECT" && target.size() == 3 && target[1].text == "--reject-with";
    if (auto const verdict = read_verdict(name, names.table); verdict && (target.size() == 1 || has_reason))
        return *verdict;
    if (name == "MARK")
        return read_mark(target);
    if (name == "CONNMARK")
        return read_connmark(target);
    if (name == "SET")
        return read_set(target);
    if (is_continuing_target(name))
        return Continue{as_written(target)};
    if (names.table == "nat" && is_readdressing_target(name))
        return Dnat{as_written(target)};
    return name == "HMARK" ? Target{UnknownMark{as_written(target)}} : unknown(target);
}

} // namespace lbc
