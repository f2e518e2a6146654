#include "backends/iptables/variant_programs.hpp"

#include "backends/nft/nft_present.hpp"
#include "backends/nft/variant_lines.hpp"
#include "backends/os/run_program.hpp"

#include "grammar/utf8.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 20;
constexpr std::chrono::seconds patience{60};
constexpr int most_attempts = 3; // to read what other programs change at the same time

std::string program_name(Family family, std::string_view action) {
    return fmt::format("{}tables-nft-{}", family == Family::ipv4 ? "ip" : "ip6", action);
}

/// The first line of an error text that has more than the program's name and version: iptables-nft-restore prints
/// "iptables-nft-restore v1.8.9 (nf_tables): ", and the reason on a line of its own.
std::string reason_in(std::string_view said, std::string_view name) {
    std::string_view reason;
    while (!said.empty()) {
        auto const line = said.substr(0, said.find('\n'));
        said.remove_prefix(std::min(line.size() + 1, said.size()));
        auto const text = line.substr(0, line.find_last_not_of(" \t\r") + 1);
        if (text.empty())
            continue;
        if (reason.empty())
            reason = text;
        if (!(text.starts_with(name) && text.ends_with(':')))
            return printable(text.substr(text.find_first_not_of(" \t")));
    }
    return reason.empty() ? "it does not say why" : printable(reason);
}

SystemError failure(Invocation const& program, Ended const& ended) {
    auto const& name = program.words.front();
    auto const said = ended.too_long   ? "it says too much"
                      : ended.too_slow ? "it does not end"
                                       : reason_in(ended.err, name);
    return {SystemError::Kind::failed, 0, fmt::format("{} failed: {}", name, said)};
}

std::expected<std::string, SystemError> save(Invocation const& program) {
    auto ended = run_program(program);
    if (!ended)
        return std::unexpected(std::move(ended.error()));
    if (!ended->good())
        return std::unexpected(failure(program, *ended));
    return std::move(ended->out);
}

} // namespace

std::expected<std::string, SystemError> run_variant_save(Family family) {
    auto const has_chains = ask_for_iptables_nft_chains(family);
    if (!has_chains)
        return std::unexpected(has_chains.error());
    if (!*has_chains)
        return {};
    Invocation const program{
        .words = {program_name(family, "save"), "-t", "mangle"}, .limit = longest_text, .patience = patience};
    std::string why;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        auto saved = save(program);
        if (!saved)
            return saved;
        auto const rules = dump_nft_rules(family, "mangle");
        if (!rules)
            return std::unexpected(rules.error());
        auto const distrusted = distrust(*saved, *rules);
        if (!distrusted)
            return saved;
        why = *distrusted;
    }
    return std::unexpected(
        SystemError{SystemError::Kind::failed, 0,
                    fmt::format("the text of {} does not tell which rules are lbc's: {}", program.words.front(), why)});
}

std::expected<void, SystemError> run_variant_restore(Family family, std::string const& text, bool only_test) {
    Invocation program{.words = {program_name(family, "restore"), "--noflush"},
                       .limit = longest_text,
                       .file = text,
                       .patience = patience};
    if (only_test)
        program.words.emplace_back("--test");
    program.words.emplace_back(file_argument);
    auto const ended = run_program(program);
    if (!ended)
        return std::unexpected(ended.error());
    if (!ended->good())
        return std::unexpected(failure(program, *ended));
    return {};
}

} // namespace lbc
