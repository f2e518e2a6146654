#include "backends/nft/libnftables.hpp"

#include "backends/run_program.hpp"

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace lbc {
namespace {

struct FreeContext {
    void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};
using Context = std::unique_ptr<nft_ctx, FreeContext>;

constexpr std::size_t longest_output = std::size_t{1} << 30;

SystemError::Kind kind_of(std::string_view said) {
    if (said.contains("Operation not permitted"))
        return SystemError::Kind::permission;
    if (said.contains("not supported"))
        return SystemError::Kind::unsupported;
    return SystemError::Kind::failed;
}

/// The first line of what libnftables says: "Error: Could not process rule: No such file or directory".
std::string_view first_line(std::string_view said) { return said.substr(0, said.find('\n')); }

/// In a process of its own.
int run(std::string const& text, NftRun how) {
    Context const context(nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context || nft_ctx_buffer_output(context.get()) != 0)
        return EXIT_FAILURE;
    unsigned flags = NFT_CTX_OUTPUT_NUMERIC_PROTO;
    if (how == NftRun::json || how == NftRun::terse)
        flags |= NFT_CTX_OUTPUT_JSON;
    if (how == NftRun::terse)
        flags |= NFT_CTX_OUTPUT_TERSE;
    nft_ctx_output_set_flags(context.get(), flags);
    nft_ctx_set_dry_run(context.get(), how == NftRun::test);
    if (nft_run_cmd_from_buffer(context.get(), text.c_str()) != 0)
        return EXIT_FAILURE; // libnftables has said why
    return write_all(STDOUT_FILENO, nft_ctx_get_output_buffer(context.get())) ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

std::expected<std::string, SystemError> run_libnftables(std::string const& text, NftRun how, std::string_view what) {
    // libnftables ends the process where it gets no socket (mnl.c, nft_mnl_socket_open), or is told what it does not
    // expect (netlink.c, netlink_abi_error); rules of others are among what it is told.
    auto ended = run_apart([&] { return run(text, how); }, longest_output);
    if (!ended)
        return std::unexpected(std::move(ended.error()));
    if (ended->good())
        return std::move(ended->out);
    auto const said = ended->too_long ? "it says too much" : first_line(ended->err);
    auto const kind = kind_of(said);
    return std::unexpected(
        SystemError{kind, 0,
                    fmt::format("{}: {}{}", what, said.empty() ? "libnftables ended without a word" : said,
                                kind == SystemError::Kind::permission
                                    ? "; lbc needs CAP_NET_ADMIN, as root has it in this network namespace"
                                    : "")});
}

} // namespace lbc
