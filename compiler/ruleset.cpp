#include "compiler/ruleset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <utility>

namespace lbc {

namespace {

// A name behind `xtables_chain_protos` (libxtables) is the same everywhere. Others come from /etc/protocols, which
// differs between machines and may be missing; there a number is what iptables-save writes and restore always takes.
std::string protocol_word(std::uint8_t number) {
    static constexpr std::array<std::pair<std::uint8_t, std::string_view>, 5> names{
        {{6, "tcp"}, {17, "udp"}, {132, "sctp"}, {50, "esp"}, {51, "ah"}}};
    auto const* const found =
        std::find_if(names.begin(), names.end(), [&](auto const& entry) { return entry.first == number; });
    return found == names.end() ? std::to_string(number) : std::string(found->second);
}

// iptables-restore splits a line at white space and takes `"` and `\` for quoting; an interface may have them.
std::string argument(std::string_view text) {
    bool const plain = std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._:@+-").contains(c);
    });
    if (plain) {
        return std::string(text);
    }
    std::string quoted = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
        }
        quoted += c;
    }
    return quoted + '"';
}

std::string_view negation(bool negated) { return negated ? "! " : ""; }

void append_ports(std::string& out, Matches const& when) {
    if (when.destination_ports.empty()) {
        return;
    }
    if (when.destination_ports.size() == 1) {
        fmt::format_to(std::back_inserter(out), "-m {} ", protocol_word(when.protocol));
        if (when.not_destination_ports || !when.destination_ports.front().is_all()) {
            fmt::format_to(std::back_inserter(out), "{}--dport {} ", negation(when.not_destination_ports),
                           when.destination_ports.front().str(':'));
        }
        return;
    }
    fmt::format_to(std::back_inserter(out), "-m multiport {}--dports ", negation(when.not_destination_ports));
    for (PortRange const& range : when.destination_ports) {
        out += range.str(':');
        out += ',';
    }
    out.back() = ' ';
}

struct TargetText {
    std::string operator()(SetMark const& set) const {
        return fmt::format("-j MARK --set-xmark {}/{:#x}", set.mark.str(), set.mask);
    }
    std::string operator()(Jump const& jump) const { return "-j " + jump.chain; }
    std::string operator()(Goto const& go) const { return "-g " + go.chain; }
    std::string operator()(Return const&) const { return "-j RETURN"; }
    std::string operator()(Drop const& drop) const { return (drop.is_policy ? "policy " : "-j ") + drop.name; }
    std::string operator()(Accept const&) const { return "-j ACCEPT"; }
    std::string operator()(Pass const& target) const { return target.name.empty() ? "" : "-j " + target.name; }
    template <typename Named>
    std::string operator()(Named const& target) const {
        return "-j " + target.name;
    }
};

} // namespace

bool is_own_chain(std::string_view name) { return name == marks_chain || name.starts_with("LBC-"); }

bool is_own_chain(std::string_view table, std::string_view name) { return table == "mangle" && is_own_chain(name); }

bool is_own_rule(std::string_view table, std::string_view chain, Rule const& rule) {
    auto const* jump = std::get_if<Jump>(&rule.then);
    auto const* go = std::get_if<Goto>(&rule.then);
    return is_own_chain(table, chain) || (jump != nullptr && is_own_chain(table, jump->chain)) ||
           (go != nullptr && is_own_chain(table, go->chain));
}

Chain const* Ruleset::find(std::string_view name) const {
    auto const found = std::ranges::find(chains, name, &Chain::name);
    return found == chains.end() ? nullptr : &*found;
}

std::string to_string(Rule const& rule) {
    Matches const& when = rule.when;
    std::string out;
    auto const add = [&]<typename... Args>(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
    };
    if (when.destination && (when.destination->length > 0 || when.not_destination)) {
        add("{}-d {}/{} ", negation(when.not_destination), when.destination->address.str(), when.destination->length);
    }
    if (when.in_interface && (when.in_interface->str() != "+" || when.not_in_interface)) {
        add("{}-i {} ", negation(when.not_in_interface), argument(when.in_interface->str()));
    }
    if (when.protocol != 0) {
        add("{}-p {} ", negation(when.not_protocol), protocol_word(when.protocol));
    }
    append_ports(out, when);
    if (when.source_mac) {
        add("-m mac {}--mac-source {} ", negation(when.not_source_mac), when.source_mac->str());
    }
    if (when.mark) {
        add("-m mark {}--mark {}", negation(when.not_mark), when.mark->str());
        out += when.mark_mask == whole_mark ? " " : fmt::format("/{:#x} ", when.mark_mask);
    }
    if (!when.unknown.empty()) {
        add("{} ", when.unknown);
    }
    out += std::visit(TargetText{}, rule.then);
    if (out.ends_with(' '))
        out.pop_back();
    return out;
}

} // namespace lbc
