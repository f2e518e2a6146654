#include "backends/iptables/nft_marks.hpp"

#include "backends/iptables/nft_tables.hpp"
#include "backends/run_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lbc {
namespace {

constexpr std::size_t longest_ruleset = std::size_t{64} << 20;
constexpr std::chrono::seconds patience{60};

std::string_view trimmed(std::string_view line) {
    auto const first = line.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view() : line.substr(first);
}

/// The words behind a keyword and before its `{`.
std::string name_behind(std::string_view line, std::string_view keyword) {
    auto const name = line.substr(keyword.size());
    return std::string(name.substr(0, name.find(" {")));
}

/// Whether nft has no words for a part of a rule of iptables', and that part may give packets a mark.
bool has_marking_extension(std::string_view rule) {
    static constexpr std::array<std::string_view, 10> harmless{"LOG",   "NFLOG", "TCPMSS",     "REJECT", "CHECKSUM",
                                                               "TRACE", "CT",    "MASQUERADE", "SNAT",   "TOS"};
    constexpr std::string_view target = "xt target \"";
    for (auto at = rule.find(target); at != std::string_view::npos; at = rule.find(target, at + 1)) {
        auto const name = rule.substr(at + target.size());
        if (std::ranges::find(harmless, name.substr(0, name.find('"'))) == harmless.end())
            return true;
    }
    return rule.contains("xt match \"socket\"") || rule.contains("# xt_");
}

bool sets_mark(std::string_view rule) {
    if (has_marking_extension(rule))
        return true;
    // `ct mark set` is the connection's mark; `meta mark set`, or `mark set` alone, the packet's.
    constexpr std::string_view words = "mark set ";
    for (auto at = rule.find(words); at != std::string_view::npos; at = rule.find(words, at + 1))
        if (!rule.substr(0, at).ends_with("ct "))
            return true;
    return false;
}

} // namespace

std::vector<std::string> chains_that_mark(std::string_view ruleset) {
    std::vector<std::string> chains;
    std::string table;
    std::string chain;
    while (!ruleset.empty()) {
        auto const end = std::min(ruleset.find('\n'), ruleset.size());
        auto const line = trimmed(ruleset.substr(0, end));
        ruleset.remove_prefix(std::min(end + 1, ruleset.size()));
        if (line.starts_with("table "))
            table = name_behind(line, "table ");
        else if (line.starts_with("chain "))
            chain = name_behind(line, "chain ");
        else if (sets_mark(line))
            if (auto place = fmt::format("table {}, chain {}", table, chain);
                std::ranges::find(chains, place) == chains.end())
                chains.push_back(std::move(place));
    }
    return chains;
}

std::expected<std::vector<std::string>, SystemError> read_nft_marks() {
    auto const has_tables = ask_for_nft_tables();
    if (!has_tables)
        return std::unexpected(has_tables.error());
    if (!*has_tables)
        return {};
    auto const listed =
        run_program({.words = {"nft", "list", "ruleset"}, .limit = longest_ruleset, .patience = patience});
    if (!listed && listed.error().kind != SystemError::Kind::unsupported)
        return std::unexpected(listed.error());
    if (!listed || !listed->good())
        return std::vector<std::string>{"tables that `nft list ruleset` cannot show here"};
    return chains_that_mark(listed->out);
}

} // namespace lbc
