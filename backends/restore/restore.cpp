#include "backends/restore/restore.hpp"

#include "backends/ipset/ipset_text.hpp"
#include "compiler/base/comment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace lbc {

namespace {

/// iptables-restore takes the bytes behind the 10,239th of a line as a new line. A rule has a few words, each of
/// bounded size.
constexpr std::size_t longest_rule = 1000;

std::string header(Family family, RestoreStyle style, bool has_sets) {
    std::string_view const program = family == Family::ipv4 ? "iptables-restore" : "ip6tables-restore";
    std::string_view const version = title(family);
    return fmt::format("# lbc: the {} mangle rules of director {}.\n"
                       "# Load with: {} --noflush\n"
                       "# A second load adds a second jump into each chain, which changes no mark; the script of\n"
                       "# `lbc compile --emit sh` keeps one.\n",
                       version, comment_text(style.director), program) +
           (has_sets ? "# First, the sets that the rules ask: sed -n 's/^#ipset //p' FILE | ipset restore -exist\n"
                     : "");
}

void append_body(std::string& out, Ruleset const& ruleset) {
    constexpr std::size_t usual_size = 128; // of a rule with its comment; a text that grows is copied
    std::size_t count = 0;
    for (Chain const& chain : ruleset.chains)
        count += chain.rules.size();
    out.reserve(out.size() + count * usual_size);
    auto const append_rule = [&](std::string_view chain, Rule const& rule) {
        [[maybe_unused]] auto const begin = out.size();
        out += "-A ";
        out += chain;
        out += ' ';
        append_to(out, rule);
        assert(out.size() - begin <= longest_rule);
        out += '\n';
    };
    for (MarkSet const& set : ruleset.sets)
        append_ipset_lines(out, set);
    for (Chain const& chain : ruleset.chains) {
        out += ':';
        out += chain.name;
        out += " - [0:0]\n";
    }
    for (Chain const& chain : ruleset.chains) {
        std::string_view comment;
        out += chain.rules.empty() ? "" : "\n";
        for (Rule const& rule : chain.rules) {
            if (rule.comment != comment && !rule.comment.empty()) {
                out += "# ";
                out += comment_text(rule.comment);
                out += '\n';
            }
            comment = rule.comment;
            append_rule(chain.name, rule);
        }
    }
    out += ruleset.entry_jumps.empty() ? "" : "\n";
    for (EntryJump const& hook : ruleset.entry_jumps)
        append_rule(hook.builtin, hook.rule);
}

} // namespace

std::string restore_body(Ruleset const& ruleset) {
    std::string out;
    append_body(out, ruleset);
    return out;
}

std::string restore_text(Ruleset const& ruleset, RestoreStyle style) {
    std::string out = header(ruleset.family, style, !ruleset.sets.empty());
    if (ruleset.empty())
        out += "# The site has nothing for this family: this text changes nothing.\n";
    out += "*mangle\n";
    append_body(out, ruleset);
    out += "COMMIT\n";
    return out;
}

} // namespace lbc
