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

/// Whether all options are masks, which it takes over.
bool read_masks(std::span<RuleOption const> options, ConnmarkMasks& masks) {
    for (auto const& option : options) {
        auto const mask = option.values.size() == 1 ? rule_mark(option.values[0].text) : std::nullopt;
        bool const is_both = option.name == "--mask";
        if (option.negated || !mask || mask->mask != whole_mark ||
            (!is_both && option.name != "--nfmask" && option.name != "--ctmask"))
            return false;
        if (option.name != "--ctmask")
            masks.packet = mask->mark;
        if (option.name != "--nfmask")
            masks.connection = mask->mark;
    }
    return true;
}

/// Shifts of marks are read as any mark.
Target read_connmark(Words target) {
    auto const options = split_options(target.subspan(1));
    if (!options || options->empty())
        return unknown(target);
    auto const& first = options->front();
    auto const of_marks = [&](std::string_view name) { return first.name == name && first.values.empty(); };
    auto const rest = std::span(*options).subspan(1);
    if (ConnmarkMasks masks; !first.negated && read_masks(rest, masks)) {
        if (of_marks("--restore-mark"))
            return restoring_mark(as_written(target), masks);
        if (of_marks("--save-mark"))
            return saving_mark(as_written(target), masks);
    }
    auto const value = first.values.size() == 1 ? rule_mark(first.values[0].text) : std::nullopt;
    auto const set = value && rest.empty() && !first.negated
                         ? xmark(first.name, *value, first.values[0].text.contains('/'))
                         : std::nullopt;
    if (set)
        return SetConnectionMark{as_written(target), set->mask, set->mark.value};
    static constexpr std::array<std::string_view, 11> harmless{
        "--save-mark", "--set-mark", "--set-xmark", "--and-mark",        "--or-mark",         "--xor-mark",
        "--mask",      "--nfmask",   "--ctmask",    "--left-shift-mark", "--right-shift-mark"};
    if (std::ranges::find(*options, "--restore-mark", &RuleOption::name) != options->end())
        return UnknownMark{as_written(target)};
    bool const is_known = std::ranges::all_of(
        *options, [&](RuleOption const& option) { return contains(harmless, option.name) && !option.negated; });
    return is_known ? Target{SetConnectionMark{.name = as_written(target), .is_any = true}} : unknown(target);
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
        return Continue{as_written(target), is_untracking_target(name)};
    if (names.table == "nat" && is_readdressing_target(name))
        return Dnat{as_written(target)};
    return name == "HMARK" ? Target{UnknownMark{as_written(target)}} : unknown(target);
}

} // namespace lbc
