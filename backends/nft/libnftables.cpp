#include "backends/nft/libnftables.hpp"

#include "backends/descriptor.hpp"

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace lbc {
namespace {

struct FreeContext {
    void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};
using Context = std::unique_ptr<nft_ctx, FreeContext>;

/// libnftables ends the program where it gets no socket.
std::expected<void, SystemError> can_open_socket() {
    Descriptor const socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (socket.get() >= 0)
        return {};
    int const code = errno;
    return std::unexpected(SystemError{SystemError::Kind::unsupported, code,
                                       fmt::format("the kernel has no nftables: {}", std::strerror(code))});
}

SystemError::Kind kind_of(std::string_view said) {
    if (said.contains("Operation not permitted"))
        return SystemError::Kind::permission;
    if (said.contains("not supported"))
        return SystemError::Kind::unsupported;
    return SystemError::Kind::failed;
}

/// The first line of what libnftables says: "Error: Could not process rule: No such file or directory".
std::string_view first_line(std::string_view said) { return said.substr(0, said.find('\n')); }

} // namespace

std::expected<std::string, SystemError> run_libnftables(std::string const& text, NftRun how, std::string_view what) {
    if (auto can = can_open_socket(); !can)
        return std::unexpected(std::move(can.error()));
    Context const context(nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0)
        return std::unexpected(SystemError{SystemError::Kind::failed, ENOMEM, fmt::format("{}: no memory", what)});
    unsigned flags = NFT_CTX_OUTPUT_NUMERIC_PROTO;
    if (how == NftRun::json || how == NftRun::terse)
        flags |= NFT_CTX_OUTPUT_JSON;
    if (how == NftRun::terse)
        flags |= NFT_CTX_OUTPUT_TERSE;
    nft_ctx_output_set_flags(context.get(), flags);
    nft_ctx_set_dry_run(context.get(), how == NftRun::test);
    errno = 0;
    if (nft_run_cmd_from_buffer(context.get(), text.c_str()) == 0)
        return nft_ctx_get_output_buffer(context.get());
    int const code = errno;
    std::string_view const said = first_line(nft_ctx_get_error_buffer(context.get()));
    auto const kind = kind_of(said);
    return std::unexpected(
        SystemError{kind, code,
                    fmt::format("{}: {}{}", what, said,
                                kind == SystemError::Kind::permission
                                    ? "; lbc needs CAP_NET_ADMIN, as root has it in this network namespace"
                                    : "")});
}

} // namespace lbc
