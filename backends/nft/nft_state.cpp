#include "backends/nft/nft_state.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace lbc {
namespace {

constexpr std::string_view second = "b_";
/// Those that a load takes away where they have no rules.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> every_chain{
    {{"prerouting", "type filter hook prerouting priority mangle; policy accept; "},
     {"output", "type route hook output priority mangle; policy accept; "},
     {"peers", ""},
     {"guard", ""}}};

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    auto const begin = text.find_first_not_of(blanks);
    return begin == std::string_view::npos ? std::string_view{}
                                           : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

template <typename Use>
void for_each_part(std::string_view text, char separator, Use use) {
    while (!text.empty()) {
        auto const end = std::min(text.find(separator), text.size());
        if (auto const part = trim(text.substr(0, end)); !part.empty())
            use(part);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::optional<std::uint32_t> hexadecimal(std::string_view word) {
    std::uint32_t value = 0;
    if (!word.starts_with("0x"))
        return {};
    auto const [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), value, 16);
    return error == std::errc() && end == word.data() + word.size() ? std::optional(value) : std::nullopt;
}

/// One wording of what nft may word otherwise: numbers of protocols, marks without leading zeros.
std::string plain_word(std::string_view word) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> protocols{
        {{"tcp", "6"}, {"udp", "17"}, {"sctp", "132"}}};
    for (auto const& [name, number] : protocols)
        if (word == name)
            return std::string(number);
    auto const value = hexadecimal(word);
    return value ? Fwmark{*value}.str() : std::string(word);
}

/// A line without what makes no difference. The members of a set in braces come in any order.
std::string plain_line(std::string_view line) {
    std::vector<std::string> words;
    std::vector<std::string> members;
    bool is_inside = false;
    for_each_part(line, ' ', [&](std::string_view word) {
        if (word == "{" || word == "}") {
            is_inside = word == "{";
            std::ranges::sort(members);
            words.insert(words.end(), members.begin(), members.end());
            members.clear();
            words.emplace_back(word);
            return;
        }
        if (word.ends_with(','))
            word.remove_suffix(1);
        (is_inside ? members : words).push_back(plain_word(word));
    });
    auto text = fmt::format("{} ", fmt::join(words, " "));
    if (auto const at = text.find("meta iiftype "); at != std::string::npos)
        text.erase(at, std::string_view("meta ").size());
    return text;
}

std::vector<std::string> plain_lines(std::string_view text) {
    std::vector<std::string> lines;
    for_each_part(text, '\n', [&](std::string_view line) {
        if (!line.starts_with('#'))
            lines.push_back(plain_line(line));
    });
    return lines;
}

std::map<std::string, std::vector<std::string>> plain_sets(NftState const& state) {
    std::map<std::string, std::vector<std::string>> sets;
    for (auto const& set : state.sets) {
        auto lines = plain_lines(set.elements);
        std::ranges::sort(lines);
        sets[set.kind + " " + set.name + " " + set.definition] = std::move(lines);
    }
    return sets;
}

std::map<std::string, std::vector<std::string>> plain_chains(NftState const& state) {
    std::map<std::string, std::vector<std::string>> chains;
    for (auto const& chain : state.chains)
        chains[chain.name] = plain_lines(chain.rules);
    return chains;
}

/// Reads a listing line by line.
class ListingReader {
public:
    NftState read(std::string_view text) {
        for_each_part(text, '\n', [this](std::string_view line) { take(line); });
        return std::move(state_);
    }

private:
    void take(std::string_view line) {
        if (in_elements_)
            take_elements(line);
        else if (line.starts_with("set ") || line.starts_with("map "))
            begin_set(line);
        else if (line.starts_with("chain "))
            begin_chain(line);
        else if (line == "}")
            end();
        else if (is_set_ && line.starts_with("elements = {"))
            take_elements(line.substr(std::string_view("elements = {").size()));
        else if (is_set_)
            state_.sets.back().definition +=
                fmt::format("{}{};", state_.sets.back().definition.empty() ? "" : " ", line);
        else if (is_chain_ && line.starts_with("type ") && line.contains(" hook "))
            state_.chains.back().definition = std::string(line) + " ";
        else if (is_chain_)
            state_.chains.back().rules += fmt::format("        {}\n", line);
    }

    static std::string name_in(std::string_view line) {
        line.remove_prefix(line.find(' ') + 1);
        return std::string(line.substr(0, line.find(' ')));
    }

    void begin_set(std::string_view line) {
        state_.sets.push_back({std::string(line.substr(0, 3)), name_in(line), {}, {}});
        is_set_ = true;
    }

    void begin_chain(std::string_view line) {
        state_.chains.push_back({name_in(line), {}, {}});
        is_chain_ = true;
    }

    void take_elements(std::string_view text) {
        in_elements_ = !text.ends_with('}');
        if (!in_elements_)
            text.remove_suffix(1);
        for_each_part(text, ',', [this](std::string_view element) {
            state_.sets.back().elements += fmt::format("    {},\n", element);
        });
    }

    void end() { is_set_ = is_chain_ = false; }

    NftState state_;
    bool is_set_ = false;
    bool is_chain_ = false;
    bool in_elements_ = false;
};

std::string sets_text(std::vector<NftSet> const& sets) {
    std::string out = "# Made where it is missing, and filled anew.\ntable inet lbc {\n";
    auto const into = std::back_inserter(out);
    for (auto const& set : sets)
        fmt::format_to(into, "    {} {} {{ {} }}\n", set.kind, set.name, set.definition);
    out += "}\n";
    for (auto const& set : sets)
        fmt::format_to(into, "flush {} inet lbc {}\n", set.kind, set.name);
    for (auto const& set : sets)
        if (!set.elements.empty())
            fmt::format_to(into, "add element inet lbc {} {{\n{}}}\n", set.name, set.elements);
    return out;
}

NftChain const* find_chain(std::vector<NftChain> const& chains, std::string_view name) {
    auto const found = std::ranges::find(chains, name, &NftChain::name);
    return found == chains.end() || found->rules.empty() ? nullptr : &*found;
}

std::string rules_text(std::vector<NftChain> const& chains) {
    std::string out = "# All rules change at one moment.\ntable inet lbc {\n";
    auto const into = std::back_inserter(out);
    for (auto const& [name, definition] : every_chain)
        fmt::format_to(into, "    chain {} {{ {}}}\n", name, definition);
    out += "}\nflush table inet lbc\n";
    for (auto const& [name, definition] : every_chain)
        if (find_chain(chains, name) == nullptr)
            fmt::format_to(into, "delete chain inet lbc {}\n", name);
    out += "table inet lbc {\n";
    for (auto const& [name, definition] : every_chain)
        if (auto const* chain = find_chain(chains, name); chain != nullptr)
            fmt::format_to(into, "    chain {} {{\n{}    }}\n", name, chain->rules);
    return out + "}\n";
}

} // namespace

NftParts NftState::parts() const {
    if (empty())
        return {{}, "add table inet lbc\ndelete table inet lbc\n"};
    return {sets_text(sets), rules_text(chains)};
}

bool NftState::is_second() const {
    return std::ranges::any_of(chains, [](NftChain const& chain) { return chain.rules.contains(" @b_"); });
}

std::vector<Fwmark> NftState::marks() const {
    std::vector<Fwmark> marks;
    for (auto const& set : sets)
        for_each_part(set.elements, '\n', [&](std::string_view line) {
            auto const colon = line.rfind(" : ");
            if (set.kind != "map" || colon == std::string_view::npos)
                return;
            auto const mark = line.substr(colon + 3);
            if (auto const value = hexadecimal(mark.substr(0, mark.find(','))))
                marks.push_back(Fwmark{*value});
        });
    return marks;
}

NftState with_second_names(NftState state) {
    for (auto& set : state.sets)
        set.name.insert(0, second);
    for (auto& chain : state.chains)
        for (auto at = chain.rules.find(" @"); at != std::string::npos; at = chain.rules.find(" @", at + 1))
            chain.rules.insert(at + 2, second);
    return state;
}

NftState read_nft_listing(std::string_view text) { return ListingReader().read(text); }

bool is_same(NftState const& a, NftState const& b) {
    return plain_sets(a) == plain_sets(b) && plain_chains(a) == plain_chains(b);
}

} // namespace lbc
