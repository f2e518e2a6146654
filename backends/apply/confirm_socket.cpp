#include "backends/apply/confirm_socket.hpp"

#include "backends/os/state_files.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace lbc {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = SystemError::Kind;

constexpr int most_waiting = 16;                    // clients that are not yet accepted
constexpr std::chrono::seconds hearing{10};         // until a word is understood
constexpr std::chrono::minutes answering{15};       // a rollback waits for the lock, and for keepalived
constexpr std::chrono::milliseconds room_pause{50}; // before the next try to connect
constexpr std::size_t longest_text = 65536;

SystemError failure(std::string_view what, int code) {
    bool const denied = code == EACCES || code == EPERM;
    return {denied ? Kind::permission : Kind::failed, code,
            fmt::format("cannot {} {}: {}{}", what, run_path("confirm"), errno_text(code),
                        denied ? "; that is for root, or for the user who ran apply" : "")};
}

std::expected<sockaddr_un, SystemError> socket_address() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const path = run_path("confirm");
    if (path.size() >= sizeof address.sun_path)
        return std::unexpected(failure("use", ENAMETOOLONG));
    std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
    return address;
}

sockaddr const* generic(sockaddr_un const& address) {
    return reinterpret_cast<sockaddr const*>(&address); // as bind(2) and connect(2) take every address
}

Descriptor make_socket() { return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

std::optional<ucred> peer_of(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    bool const known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer;
    return known ? std::optional(peer) : std::nullopt;
}

bool is_trusted(std::optional<ucred> const& peer) { return peer && (peer->uid == 0 || peer->uid == ::geteuid()); }

/// The result of a connection to an apply that waits for an answer.
struct Way {
    bool waits = false;      // one does
    Descriptor connection{}; // none: it has too many clients and accepts no more
};

std::expected<Way, SystemError> connect_pending() {
    auto const address = socket_address();
    if (!address)
        return std::unexpected(address.error());
    auto socket = make_socket();
    if (!socket)
        return std::unexpected(failure("make a socket for", errno));
    int code = 0;
    while ((code = ::connect(socket.get(), generic(*address), sizeof *address) == 0 ? 0 : errno) == EINTR) {
    }
    if (code == ENOENT || code == ECONNREFUSED) // none waits; or it was killed, and its socket is left
        return Way{};
    if (code == EAGAIN)
        return Way{.waits = true};
    if (code != 0)
        return std::unexpected(failure("ask for an apply that waits for an answer at", code));
    if (!is_trusted(peer_of(socket.get())))
        return std::unexpected(failure("trust who listens at", EPERM));
    return Way{.waits = true, .connection = std::move(socket)};
}

/// Reads until the other side ends, bounded in size and, as a whole, in time.
std::string receive_answer(int connection) {
    auto const begin = Clock::now();
    std::string text;
    while (text.size() < longest_text) {
        auto const end = text.empty() ? begin + hearing : begin + answering;
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd waiting{.fd = connection, .events = POLLIN, .revents = 0};
        if (left <= 0)
            break;
        if (::poll(&waiting, 1, static_cast<int>(left)) <= 0)
            continue;
        std::array<char, 4096> part{};
        auto const count = ::recv(connection, part.data(), part.size(), MSG_DONTWAIT);
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count <= 0)
            break;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
}

std::string silence(std::optional<ucred> const& peer) {
    return fmt::format("the pending apply{} does not answer: it is stopped, or rolls the change back right now",
                       peer ? fmt::format(", process {},", peer->pid) : "");
}

} // namespace

std::expected<Descriptor, SystemError> listen_for_answer() {
    if (auto made = make_run_folder(); !made)
        return std::unexpected(std::move(made.error()));
    auto const address = socket_address();
    if (!address)
        return std::unexpected(address.error());
    auto listener = make_socket();
    if (!listener)
        return std::unexpected(failure("make a socket for", errno));
    ::unlink(static_cast<char const*>(address->sun_path)); // a socket that is left is from a process that was killed
    auto const mask = ::umask(0177);
    int const code = ::bind(listener.get(), generic(*address), sizeof *address) == 0 ? 0 : errno;
    ::umask(mask);
    if (code != 0 || ::listen(listener.get(), most_waiting) != 0)
        return std::unexpected(failure("listen on", code != 0 ? code : errno));
    return listener;
}

Descriptor accept_client(int listener) {
    Descriptor client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return client && is_trusted(peer_of(client.get())) ? std::move(client) : Descriptor();
}

bool send_now(int socket, std::string_view text) {
    while (!text.empty()) {
        auto const count = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EINTR)
            return false;
        text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return true;
}

std::expected<void, SystemError> refuse_if_pending() {
    auto const way = connect_pending();
    if (!way)
        return std::unexpected(way.error());
    if (!way->waits)
        return {};
    return std::unexpected(SystemError{Kind::failed, 0, "an apply waits for `lbc confirm` or `lbc rollback`"});
}

std::expected<Answer, std::string> answer_pending(std::string_view word) {
    auto way = connect_pending();
    for (auto const end = Clock::now() + hearing; way && way->waits && !way->connection && Clock::now() < end;) {
        std::this_thread::sleep_for(room_pause);
        way = connect_pending();
    }
    if (!way)
        return std::unexpected(way.error().message);
    if (!way->waits)
        return std::unexpected("no `apply --confirm-within` is pending");
    if (!way->connection)
        return std::unexpected(silence(std::nullopt));
    auto const socket = way->connection.get();
    auto text = std::string{};
    if (send_now(socket, word) && ::shutdown(socket, SHUT_WR) == 0)
        text = receive_answer(socket);
    if (text.empty())
        return std::unexpected(silence(peer_of(socket)));
    if (text.starts_with(heard))
        text.erase(0, heard.size());
    if (text.empty() || text.front() < '0' || text.front() > '5')
        return std::unexpected("the apply that waited has ended without an answer");
    auto const status = static_cast<Status>(text.front() - '0');
    return Answer{status, text.substr(1)};
}

} // namespace lbc
