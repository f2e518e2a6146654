#include "backends/iptables/variant_rules.hpp"

#include "backends/nft/variant_lines.hpp"
#include "backends/restore/read_tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace lbc {
namespace {

/// For iptables-restore, which takes a line break in a comment for the end of the line.
std::string on_one_line(std::string_view rule) {
    std::string out(rule);
    std::ranges::replace(out, '\n', ' ');
    return out;
}

} // namespace

std::string VariantRules::removal() const {
    std::string text = "*mangle\n";
    // From the last: a removal renumbers the rules after it. A rule whose comment has a line break cannot be named by
    // its text.
    for (auto hook = entry_jumps.rbegin(); hook != entry_jumps.rend(); ++hook)
        if (hook->rule.contains('\n'))
            text += fmt::format("-D {} {}\n", hook->builtin, hook->number);
    for (auto const& hook : entry_jumps)
        if (!hook.rule.contains('\n'))
            text += fmt::format("-D {} {}\n", hook.builtin, hook.rule);
    for (auto const& chain : chains)
        text += fmt::format("-F {}\n", chain);
    for (auto const& chain : chains)
        text += fmt::format("-X {}\n", chain);
    return text + "COMMIT\n";
}

std::string VariantRules::return_text() const {
    std::string text = "*mangle\n";
    for (auto const& chain : chains)
        text += fmt::format(":{} - [0:0]\n", chain);
    for (auto const& rule : rules)
        text += rule + '\n';
    for (auto const& hook : entry_jumps)
        text += fmt::format("-I {} {} {}\n", hook.builtin, hook.number, on_one_line(hook.rule));
    return text + "COMMIT\n";
}

Ruleset VariantRules::ruleset() const {
    std::string text = "*mangle\n";
    for (auto const* builtin : {"PREROUTING", "OUTPUT"})
        text += fmt::format(":{} ACCEPT [0:0]\n", builtin);
    for (auto const& chain : chains)
        text += fmt::format(":{} - [0:0]\n", chain);
    Ruleset found{family, {}, {}};
    auto const tables = read_tables(text + fmt::format("{}\nCOMMIT\n", fmt::join(rules, "\n")), family);
    if (tables && !tables->tables.empty())
        std::ranges::copy_if(tables->tables.front().chains, std::back_inserter(found.chains),
                             [](Chain const& chain) { return is_own_chain(chain.name); });
    for (auto const& hook : entry_jumps)
        found.entry_jumps.push_back({hook.builtin, {{}, Jump{std::string(last_jump(hook.rule))}, {}}});
    return found;
}

VariantRules read_variant_rules(std::string_view saved, Family family) {
    VariantRules found;
    found.family = family;
    std::map<std::string_view, std::size_t> counts; // of rules of built-in chains
    bool is_mangle = false;
    while (!saved.empty()) {
        auto const line = take_saved_line(saved).text;
        if (line.starts_with('*'))
            is_mangle = line == "*mangle";
        if (!is_mangle)
            continue;
        if (line.starts_with(':')) {
            auto const name = line.substr(1, line.find(' ') - 1);
            if (is_own_chain(name))
                found.chains.emplace_back(name);
            else if (!line.substr(name.size() + 1).starts_with(" - ")) // a built-in chain has a policy
                counts[name] = 0;
        }
        if (!line.starts_with("-A "))
            continue;
        auto const words = line.substr(3);
        auto const chain = words.substr(0, words.find(' '));
        if (is_own_chain(chain))
            found.rules.push_back(on_one_line(line));
        auto const count = counts.find(chain);
        if (count != counts.end() && ++count->second != 0 && is_own_chain(last_jump(line)))
            found.entry_jumps.push_back(
                {std::string(chain), count->second, std::string(words.substr(chain.size() + 1))});
    }
    return found;
}

} // namespace lbc
