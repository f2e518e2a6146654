#include "compiler/rules/ruleset.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace lbc {

namespace {

// The names in `xtables_chain_protos` (libxtables) are the same everywhere. Other names come from /etc/protocols, which
// differs between machines and may be missing. Without it iptables-save writes the number, and iptables-restore always
// accepts that.
void append_protocol(std::string& out, std::uint8_t number) {
    static constexpr std::array<std::pair<std::uint8_t, std::string_view>, 5> names{
        {{6, "tcp"}, {17, "udp"}, {132, "sctp"}, {50, "esp"}, {51, "ah"}}};
    auto const* const found =
        std::find_if(names.begin(), names.end(), [&](auto const& entry) { return entry.first == number; });
    if (found != names.end())
        out += found->second;
    else
        out += std::to_string(number);
}

// iptables-restore splits a line at white space and takes `"` and `\` for quoting; the name of an interface may contain
// them.
void append_argument(std::string& out, std::string_view text) {
    bool const plain = std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._:@+-").contains(c);
    });
    if (plain) {
        out += text;
        return;
    }
    out += '"';
    for (char const c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    out += '"';
}

void append_option(std::string& out, bool negated, std::string_view option) {
    if (negated)
        out += "! ";
    out += option;
}

/// "0x3/0xffffffff"
void append_masked(std::string& out, Fwmark mark, std::uint32_t mask) {
    out += mark.str();
    out += '/';
    out += Fwmark{mask}.str();
}

void append_ports(std::string& out, Matches const& when) {
    if (when.destination_ports.empty())
        return;
    if (when.destination_ports.size() == 1) {
        out += "-m ";
        append_protocol(out, when.protocol);
        out += ' ';
        if (when.not_destination_ports || !when.destination_ports.front().is_all()) {
            append_option(out, when.not_destination_ports, "--dport ");
            out += when.destination_ports.front().str(':');
            out += ' ';
        }
        return;
    }
    out += "-m multiport ";
    append_option(out, when.not_destination_ports, "--dports ");
    for (PortRange const& range : when.destination_ports) {
        out += range.str(':');
        out += ',';
    }
    out.back() = ' ';
}

/// Appends a target in the syntax of iptables-save.
struct TargetWriter {
    std::string& out;

    void operator()(SetMark const& set) const {
        out += "-j MARK --set-xmark ";
        append_masked(out, set.mark, set.mask);
    }
    void operator()(MapMark const& map) const {
        out += "-j SET --map-set ";
        out += map.set;
        out += " dst,dst --map-mark";
    }
    void operator()(Jump const& jump) const { add("-j ", jump.chain); }
    void operator()(Goto const& go) const { add("-g ", go.chain); }
    void operator()(Return const&) const { out += "-j RETURN"; }
    void operator()(Drop const& drop) const { add(drop.is_policy ? "policy " : "-j ", drop.name); }
    void operator()(Accept const&) const { out += "-j ACCEPT"; }
    void operator()(Continue const& target) const {
        if (!target.name.empty())
            add("-j ", target.name);
    }
    template <typename Named>
    void operator()(Named const& target) const {
        add("-j ", target.name);
    }

private:
    void add(std::string_view option, std::string_view name) const {
        out += option;
        out += name;
    }
};

} // namespace

bool is_own_chain(std::string_view name) { return name == marks_chain || name.starts_with("LBC-"); }

bool is_own_chain(std::string_view table, std::string_view name) {
    // iptables-nft stores its tables as tables of nftables.
    bool const is_mangle = table == "mangle" || table == "ip mangle" || table == "ip6 mangle";
    return table == nft_table || (is_mangle && is_own_chain(name));
}

bool is_own_rule(std::string_view table, std::string_view chain, Rule const& rule) {
    auto const* jump = std::get_if<Jump>(&rule.then);
    auto const* go = std::get_if<Goto>(&rule.then);
    return is_own_chain(table, chain) || (jump != nullptr && is_own_chain(table, jump->chain)) ||
           (go != nullptr && is_own_chain(table, go->chain));
}

std::vector<BaseChain> base_chains(Ruleset const& table) {
    using enum BaseChain::Hook;
    constexpr int raw = -300;
    constexpr int mangle = -150;
    constexpr int nat = -100;
    constexpr int security = 50;
    if (table.shape)
        return table.shape->bases;
    if (table.table == "raw")
        return {{"PREROUTING", prerouting, raw}, {"OUTPUT", output, raw}};
    if (table.table == "mangle")
        return {{"PREROUTING", prerouting, mangle}, {"INPUT", input, mangle}, {"OUTPUT", output, mangle}};
    if (table.table == "nat")
        return {{"PREROUTING", prerouting, nat, true}, {"OUTPUT", output, nat, true}};
    if (table.table == "filter")
        return {{"INPUT", input, 0}};
    if (table.table == "security")
        return {{"INPUT", input, security}};
    return {};
}

Chain const* Ruleset::find(std::string_view name) const {
    auto const found =
        std::ranges::lower_bound(chains, name, {}, [](Chain const& chain) { return std::string_view(chain.name); });
    return found == chains.end() || found->name != name ? nullptr : &*found;
}

MarkSet const* Ruleset::find_set(std::string_view name) const {
    auto const found = std::ranges::find(sets, name, &MarkSet::name);
    return found == sets.end() ? nullptr : &*found;
}

std::size_t Ruleset::rule_count() const {
    auto count = entry_jumps.size();
    for (auto const& chain : chains)
        count += static_cast<std::size_t>(std::ranges::count_if(chain.rules, [](Rule const& rule) {
            auto const* drop = std::get_if<Drop>(&rule.then);
            return drop == nullptr || !drop->is_policy;
        }));
    for (auto const& set : sets)
        count += set.entries.size();
    return count;
}

void append_to(std::string& out, Rule const& rule) {
    Matches const& when = rule.when;
    if (when.destination && (when.destination->length > 0 || when.not_destination)) {
        append_option(out, when.not_destination, "-d ");
        out += when.destination->address.str();
        out += '/';
        out += std::to_string(when.destination->length);
        out += ' ';
    }
    if (when.in_interface && (when.in_interface->str() != "+" || when.not_in_interface)) {
        append_option(out, when.not_in_interface, "-i ");
        append_argument(out, when.in_interface->str());
        out += ' ';
    }
    if (when.protocol != 0) {
        append_option(out, when.not_protocol, "-p ");
        append_protocol(out, when.protocol);
        out += ' ';
    }
    append_ports(out, when);
    if (when.source_mac) {
        out += "-m mac ";
        append_option(out, when.not_source_mac, "--mac-source ");
        out += when.source_mac->str();
        out += ' ';
    }
    if (when.mark) {
        out += "-m mark ";
        append_option(out, when.not_mark, "--mark ");
        if (when.mark_mask == whole_mark)
            out += when.mark->str();
        else
            append_masked(out, *when.mark, when.mark_mask);
        out += ' ';
    }
    if (!when.unknown.empty()) {
        out += when.unknown;
        out += ' ';
    }
    auto const size = out.size();
    std::visit(TargetWriter{out}, rule.then);
    if (out.size() == size && out.ends_with(' '))
        out.pop_back();
}

std::string to_string(Rule const& rule) {
    std::string out;
    append_to(out, rule);
    return out;
}

} // namespace lbc
