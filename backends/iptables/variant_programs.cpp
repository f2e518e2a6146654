#include "backends/iptables/variant_programs.hpp"

#include "backends/nft/nft_present.hpp"
#include "backends/run_program.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 20;
constexpr std::chrono::seconds patience{60};

std::string program_name(Family family, std::string_view action) {
    return fmt::format("{}tables-nft-{}", family == Family::ipv4 ? "ip" : "ip6", action);
}

SystemError failure(Invocation const& program, Ended const& ended) {
    auto const said = ended.too_long   ? "it says too much"
                      : ended.too_slow ? "it does not end"
                                       : std::string_view(ended.err).substr(0, ended.err.find('\n'));
    return {SystemError::Kind::failed, 0, fmt::format("{} failed: {}", program.words.front(), said)};
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
    auto ended = run_program(program);
    if (!ended)
        return std::unexpected(std::move(ended.error()));
    if (!ended->good())
        return std::unexpected(failure(program, *ended));
    return std::move(ended->out);
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
