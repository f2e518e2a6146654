#include "backends/nft/libnftables.hpp"

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace lbc {
namespace {

struct FreeContext {
    void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};
using Context = std::unique_ptr<nft_ctx, FreeContext>;

constexpr std::size_t longest_text = std::size_t{1} << 30;
constexpr std::size_t longest_words = 4096;

/// Precedes each text on the socket, in both directions.
struct Head {
    std::uint64_t size = 0; // of the text
    NftRun how{};           // of a command
    bool is_good = false;   // of an answer
};

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        auto const count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return true;
}

bool receive_all(int socket, char* data, std::size_t size) {
    while (size > 0) {
        auto const count = ::recv(socket, data, size, 0);
        if (count == 0 || (count < 0 && errno != EINTR))
            return false;
        auto const received = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
        data += received;
        size -= received;
    }
    return true;
}

bool send_text(int socket, Head head, std::string_view text) {
    head.size = text.size();
    std::string message(reinterpret_cast<char const*>(&head), sizeof head);
    message += text;
    return send_all(socket, message);
}

/// Nothing at the end of the stream, or if the text is too long.
std::optional<std::string> receive_text(int socket, Head& head) {
    if (!receive_all(socket, reinterpret_cast<char*>(&head), sizeof head) || head.size > longest_text)
        return std::nullopt;
    std::string text(head.size, '\0');
    return receive_all(socket, text.data(), text.size()) ? std::optional(std::move(text)) : std::nullopt;
}

void answer(int socket, nft_ctx* context, NftRun how, std::string const& text) {
    unsigned flags = NFT_CTX_OUTPUT_NUMERIC_PROTO;
    if (how == NftRun::json || how == NftRun::terse)
        flags |= NFT_CTX_OUTPUT_JSON;
    if (how == NftRun::terse)
        flags |= NFT_CTX_OUTPUT_TERSE;
    nft_ctx_output_set_flags(context, flags);
    nft_ctx_set_dry_run(context, how == NftRun::test);
    bool const is_good = nft_run_cmd_from_buffer(context, text.c_str()) == 0;
    auto const* said = is_good ? nft_ctx_get_output_buffer(context) : nft_ctx_get_error_buffer(context);
    if (!send_text(socket, {.is_good = is_good}, said))
        ::_exit(EXIT_FAILURE);
}

/// The child's whole life. It ends when the other side closes the socket.
[[noreturn]] void serve(int socket) {
    Context const context(nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0)
        ::_exit(EXIT_FAILURE);
    Head head;
    while (auto const text = receive_text(socket, head))
        answer(socket, context.get(), head.how, *text);
    ::_exit(EXIT_SUCCESS);
}

SystemError::Kind kind_of(std::string_view said) {
    if (said.contains("Operation not permitted"))
        return SystemError::Kind::permission;
    if (said.contains("not supported"))
        return SystemError::Kind::unsupported;
    return SystemError::Kind::failed;
}

/// The first line of a message of libnftables: "Error: Could not process rule: No such file or directory".
std::string_view first_line(std::string_view said) { return said.substr(0, said.find('\n')); }

} // namespace

bool Libnftables::start() {
    if (pid_ > 0)
        return true;
    std::array<int, 2> ends{-1, -1};
    std::array<int, 2> words{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return false;
    socket_ = Descriptor(ends[0]);
    Descriptor const other(ends[1]);
    if (::pipe2(words.data(), O_CLOEXEC) != 0)
        return false;
    errors_ = Descriptor(words[0]);
    Descriptor const to(words[1]);
    pid_ = ::fork();
    if (pid_ != 0)
        return pid_ > 0;
    // A signal that interrupts this program must not interrupt a change.
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    // The child must not hold the parent's end of the socket, or it would never see the stream end.
    socket_ = Descriptor();
    ::dup2(to.get(), STDOUT_FILENO);
    ::dup2(to.get(), STDERR_FILENO);
    serve(other.get());
}

std::string Libnftables::last_words() {
    std::string said(longest_words, '\0');
    socket_ = Descriptor();
    auto const count = ::read(errors_.get(), said.data(), said.size());
    said.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    rest();
    return said.empty() ? "libnftables ended without a word" : said;
}

std::expected<std::string, SystemError> Libnftables::run(std::string const& text, NftRun how, std::string_view what) {
    if (!start()) {
        int const code = errno;
        return std::unexpected(SystemError{SystemError::Kind::failed, code,
                                           fmt::format("{}: no process for it: {}", what, std::strerror(code))});
    }
    Head head{.how = how};
    auto said = send_text(socket_.get(), head, text) ? receive_text(socket_.get(), head) : std::nullopt;
    if (said && head.is_good)
        return std::move(*said);
    auto const words = said ? std::move(*said) : last_words();
    auto const kind = kind_of(words);
    return std::unexpected(
        SystemError{kind, 0,
                    fmt::format("{}: {}{}", what, first_line(words),
                                kind == SystemError::Kind::permission
                                    ? "; lbc needs CAP_NET_ADMIN, as root has it in this network namespace"
                                    : "")});
}

void Libnftables::rest() {
    socket_ = Descriptor();
    while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

} // namespace lbc
