// Any bytes as a text of iptables-save, as a script that lbc made, as JSON of nft, and line by line as rules: tables or
// a problem, never a crash; and a rule that was understood is the same when it is read from lbc's own words.
#include "backends/nft/nft_ruleset.hpp"
#include "backends/nft/nft_state.hpp"
#include "backends/nft/read_nft_json.hpp"
#include "backends/restore/read_tables.hpp"
#include "backends/restore/rule_text.hpp"
#include "tests/fuzz/support.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using lbc::fuzz::require;

/// Nothing of a rule that is not there or not understood.
std::optional<lbc::Rule> read_rule(std::string_view line, lbc::Family family) {
    lbc::TableNames const names{"mangle", {{"LBC", 0}, {"LOG", 1}, {"PREROUTING", 2}}};
    auto const words = lbc::split_words(line);
    if (!words)
        return std::nullopt;
    auto rule = lbc::read_rule_words(*words, family, names);
    if (!rule || !*rule || std::holds_alternative<lbc::UnknownTarget>((*rule)->then))
        return std::nullopt;
    return std::move(*rule);
}

/// A control character is a blank in lbc's words, which may part one word in two.
bool is_printable(std::string_view line) {
    for (char const c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return false;
    return true;
}

void check_rule(std::string_view line) {
    for (auto const family : lbc::families)
        if (auto const rule = read_rule(line, family); rule && is_printable(line))
            require(read_rule(to_string(*rule), family) == rule, "a rule is the same in its own words", line);
}

void check_tables(std::string_view text, lbc::Family family) {
    auto const tables = lbc::read_tables(text, family);
    require(tables || !tables.error().message.empty(), "a refusal has words");
    auto const saved = lbc::read_saved_tables(text, family);
    require(saved || !tables, "what a program may write, people may save", text);
    if (tables)
        require(saved->rules.tables == tables->tables && saved->notes.empty(), "and it is the same", text);
    if (!saved)
        return;
    for (auto const& table : saved->rules.tables)
        for (auto const& chain : table.chains)
            require(table.find(chain.name) == &chain, "a chain is found", chain.name);
}

void check_nft(std::string_view text) {
    auto const tables = lbc::read_nft_json(text);
    require(tables || !tables.error().empty(), "a refusal has words");
    if (!tables)
        return;
    for (auto const& table : *tables) {
        static_cast<void>(is_same(table, table));
        for (auto const family : lbc::families)
            if (auto const rules = lbc::ruleset_of(table, family))
                for (auto const& chain : rules->chains)
                    require(chain.origins.size() <= chain.rules.size(), "an origin has its rule");
        for (auto const& chain : table.chains)
            for (auto const& rule : chain.rules)
                static_cast<void>(to_string(rule));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(data, data + size);
    check_nft(text);
    for (auto const family : lbc::families) {
        check_tables(text, family);
        static_cast<void>(lbc::tables_in_script(text, "lb1", family));
    }
    static_cast<void>(lbc::family_of_tables(text));
    for (std::size_t begin = 0; begin < text.size();) {
        auto const end = std::min(text.find('\n', begin), text.size());
        auto const line = std::string_view(text).substr(begin, end - begin);
        check_rule(line);
        check_rule(line.substr(std::min(line.find(' ', 3), line.size()))); // behind `-A CHAIN`
        begin = end + 1;
    }
    return 0;
}
