#include "cli/supervisor.hpp"

#include "backends/descriptor.hpp"
#include "backends/run_files.hpp"
#include "cli/site_input.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <ostream>
#include <system_error>

namespace lbc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds lock_wait{60'000}; // for taking back, which nobody may be there to repeat
constexpr timeval client_patience{.tv_sec = 2, .tv_usec = 0};
constexpr std::size_t longest_text = 65536;

std::optional<sockaddr_un> socket_address() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const path = run_path("confirm");
    if (path.size() >= sizeof address.sun_path)
        return std::nullopt;
    std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
    return address;
}

sockaddr const* generic(sockaddr_un const& address) {
    return reinterpret_cast<sockaddr const*>(&address); // as bind(2) and connect(2) take every address
}

Descriptor connect_pending() {
    auto const address = socket_address();
    Descriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!address || !connection || ::connect(connection.get(), generic(*address), sizeof *address) != 0)
        return {};
    return connection;
}

std::string system_words(int code) { return std::generic_category().message(code); }

std::expected<Descriptor, std::string> listen_for_answer() {
    if (auto made = make_run_folder(); !made)
        return std::unexpected(made.error().message);
    auto const address = socket_address();
    Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!address || !listener)
        return std::unexpected("cannot make a socket: " + system_words(errno));
    // Nobody listens there: that was asked before. What is left is of a process that was killed.
    ::unlink(static_cast<char const*>(address->sun_path));
    auto const mask = ::umask(0177);
    bool const bound = ::bind(listener.get(), generic(*address), sizeof *address) == 0;
    auto const code = errno;
    ::umask(mask);
    if (!bound || ::listen(listener.get(), 1) != 0)
        return std::unexpected(
            fmt::format("cannot listen on {}: {}", run_path("confirm"), system_words(bound ? errno : code)));
    return listener;
}

/// All that comes until the other side ends, bounded in size and, by the socket's own limit, in time.
std::string receive_all(int connection) {
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() < longest_text) {
        auto const count = ::recv(connection, part.data(), part.size(), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
}

void send_all(int connection, std::string_view text) {
    while (!text.empty()) {
        auto const count = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            return;
        text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
}

Answer take_back(Transaction& transaction) {
    auto const undone = transaction.take_back(lock_wait);
    if (undone)
        return {Status::done, "the change is taken back\n"};
    auto text = fmt::format("lbc: {}\n", undone.error().error.message);
    for (auto const& line : undone.error().left)
        text += fmt::format("  {}\n", line);
    return {Status::left_behind, std::move(text)};
}

/// The answer to one client; nothing for one that said neither word.
std::optional<Answer> serve(int listener, Transaction& transaction) {
    Descriptor const client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!client)
        return std::nullopt;
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &client_patience, sizeof client_patience);
    auto const word = receive_all(client.get());
    std::optional<Answer> answer;
    if (word == "confirm")
        answer = Answer{Status::done, "the change is kept\n"};
    else if (word == "rollback")
        answer = take_back(transaction);
    if (answer)
        send_all(client.get(), fmt::format("{}{}", static_cast<int>(answer->status), answer->text));
    return answer;
}

void wait_for_answer(int listener, Transaction& transaction, std::chrono::milliseconds limit) {
    auto const end = Clock::now() + limit;
    for (;;) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd waiting{.fd = listener, .events = POLLIN, .revents = 0};
        auto const ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
        if (ready > 0 && serve(listener, transaction))
            return;
        if (ready == 0 && Clock::now() >= end)
            break;
    }
    auto const answer = take_back(transaction);
    // Nobody reads this process's output any more.
    ::openlog("lbc", LOG_PID, LOG_DAEMON);
    ::syslog(LOG_WARNING, "not confirmed in time: %s", answer.text.c_str());
    ::closelog();
}

/// Leaves the terminal, so that its end is not this process's.
void leave_terminal() {
    ::setsid();
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
}

void leave_output() {
    Descriptor const nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (auto const descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(nowhere.get(), descriptor);
}

void report(int pipe, Status status) {
    auto const byte = static_cast<char>(status);
    while (::write(pipe, &byte, 1) < 0 && errno == EINTR) {
    }
}

[[noreturn]] void run_supervisor(std::function<std::expected<Transaction, Status>()> const& make_change,
                                 std::chrono::milliseconds limit, int pipe, Environment const& environment) {
    leave_terminal();
    auto const listener = listen_for_answer();
    if (!listener) {
        print_failure(environment, listener.error() + "; nothing was touched");
        environment.err.flush();
        report(pipe, Status::refused);
        ::_exit(0);
    }
    auto transaction = make_change();
    environment.out.flush();
    environment.err.flush();
    report(pipe, transaction ? Status::done : transaction.error());
    ::close(pipe);
    if (transaction) {
        leave_output();
        wait_for_answer(listener->get(), *transaction, limit);
    }
    ::unlink(run_path("confirm").c_str());
    ::_exit(0);
}

} // namespace

bool is_apply_pending() { return static_cast<bool>(connect_pending()); }

std::expected<Answer, std::string> answer_pending(std::string_view word) {
    auto const connection = connect_pending();
    if (!connection)
        return std::unexpected("no apply waits for an answer on this box");
    send_all(connection.get(), word);
    ::shutdown(connection.get(), SHUT_WR);
    auto text = receive_all(connection.get());
    if (text.empty() || text.front() < '0' || text.front() > '5')
        return std::unexpected("the apply that waits gave no answer");
    auto const status = static_cast<Status>(text.front() - '0');
    return Answer{status, text.substr(1)};
}

Status supervise(std::function<std::expected<Transaction, Status>()> const& make_change,
                 std::chrono::milliseconds limit, Environment const& environment) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        print_failure(environment, fmt::format("cannot make a pipe: {}", system_words(errno)));
        return Status::refused;
    }
    Descriptor const from_child(ends[0]);
    Descriptor to_parent(ends[1]);
    environment.out.flush();
    environment.err.flush();
    auto const child = ::fork();
    if (child < 0) {
        print_failure(environment, fmt::format("cannot start a process: {}", system_words(errno)));
        return Status::refused;
    }
    if (child == 0)
        run_supervisor(make_change, limit, to_parent.get(), environment);
    to_parent = Descriptor();
    char status = 0;
    ssize_t count = 0;
    while ((count = ::read(from_child.get(), &status, 1)) < 0 && errno == EINTR) {
    }
    if (count == 1)
        return static_cast<Status>(status);
    print_failure(environment, "the process that made the change has ended before it said how; run apply again");
    return Status::left_behind;
}

} // namespace lbc
