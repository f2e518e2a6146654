#include "cli/supervisor.hpp"

#include "backends/descriptor.hpp"
#include "backends/run_files.hpp"
#include "cli/site_input.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
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
#include <utility>

namespace lbc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds lock_wait{20'000}; // for taking back
constexpr std::chrono::seconds retry_pause{10};        // behind a lock that was not had
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
    // Nobody listens there: that was asked, under the same lock. What is left is of a process that was killed.
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

/// `refused`: it was not tried, and can be tried again.
Answer take_back(Transaction& transaction) {
    auto const undone = transaction.take_back(lock_wait);
    if (undone)
        return {Status::done, "the change is taken back\n"};
    auto const& failure = undone.error();
    bool const tried = failure.outcome != ApplyFailure::Outcome::refused;
    auto text = fmt::format("lbc: {}{}\n", failure.error.message,
                            tried ? "" : "; the change stays for now, and is tried to be taken back again");
    for (auto const& line : failure.left)
        text += fmt::format("  {}\n", line);
    return {tried ? Status::left_behind : Status::refused, std::move(text)};
}

/// The socket that answers come to. While it is there, nothing else changes this director.
class Listener {
public:
    explicit Listener(Descriptor socket) : socket_(std::move(socket)) {}
    Listener(Listener&&) = default;
    Listener& operator=(Listener&&) = default;

    [[nodiscard]] int get() const { return socket_.get(); }

    /// Once, since another apply may listen there as soon as this is done.
    void close() {
        if (!socket_)
            return;
        ::unlink(run_path("confirm").c_str());
        socket_ = Descriptor();
    }

private:
    Descriptor socket_;
};

/// Answers one client. Whether that is the end.
bool serve(Listener& listener, Transaction& transaction) {
    Descriptor const client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client)
        return false;
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &client_patience, sizeof client_patience);
    auto const word = receive_all(client.get());
    if (word != "confirm" && word != "rollback")
        return false;
    auto const answer = word == "confirm" ? Answer{Status::done, "the change is kept\n"} : take_back(transaction);
    bool const is_end = answer.status != Status::refused;
    if (is_end)
        listener.close(); // first: who has the answer may begin another change at once
    send_all(client.get(), fmt::format("{}{}", static_cast<int>(answer.status), answer.text));
    return is_end;
}

/// Nobody reads this process's output any more.
void log(std::string_view why, Answer const& answer) {
    ::openlog("lbc", LOG_PID, LOG_DAEMON);
    ::syslog(LOG_WARNING, "%.*s: %s", static_cast<int>(why.size()), why.data(), printable(answer.text).c_str());
    ::closelog();
}

/// `signals`: readable when this process is to end, which it does not without taking the change back.
void wait_for_answer(Listener& listener, int signals, Transaction& transaction, std::chrono::milliseconds limit) {
    auto end = Clock::now() + limit;
    std::string_view why = "not confirmed in time";
    for (;;) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        std::array waiting{pollfd{.fd = listener.get(), .events = POLLIN, .revents = 0},
                           pollfd{.fd = signals, .events = POLLIN, .revents = 0}};
        if (left > 0)
            ::poll(waiting.data(), waiting.size(), static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
        signalfd_siginfo signal{};
        if ((waiting[1].revents & POLLIN) != 0 && ::read(signals, &signal, sizeof signal) == sizeof signal) {
            why = "told to end before it was confirmed";
            end = Clock::now();
        } else if ((waiting[0].revents & POLLIN) != 0 && serve(listener, transaction))
            return;
        if (Clock::now() < end)
            continue;
        auto const answer = take_back(transaction);
        log(why, answer);
        if (answer.status != Status::refused)
            break;
        end = Clock::now() + retry_pause;
    }
    listener.close();
}

/// Leaves the terminal, so that its end is not this process's, and all files of who called but `pipe` and the standard
/// ones, so that nobody waits for this process by them. Gives a descriptor of the signals that ask it to end.
Descriptor leave_caller(int pipe) {
    ::setsid();
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    constexpr unsigned first = STDERR_FILENO + 1;
    auto const kept = static_cast<unsigned>(pipe);
    if (kept > first)
        ::close_range(first, kept - 1, 0);
    ::close_range(kept + 1, ~0U, 0);
    sigset_t ends;
    ::sigemptyset(&ends);
    for (auto const signal : {SIGTERM, SIGINT, SIGQUIT})
        ::sigaddset(&ends, signal);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    return Descriptor(::signalfd(-1, &ends, SFD_CLOEXEC));
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

[[noreturn]] void run_supervisor(MakeChange const& make_change, std::chrono::milliseconds limit, int pipe,
                                 Environment const& environment) {
    auto const signals = leave_caller(pipe);
    Listener listener{Descriptor()};
    auto transaction = make_change([&]() -> std::expected<void, SystemError> {
        if (auto free = refuse_if_pending(); !free)
            return free;
        auto socket = listen_for_answer();
        if (!socket)
            return std::unexpected(SystemError{SystemError::Kind::failed, 0, std::move(socket.error())});
        listener = Listener(std::move(*socket));
        return {};
    });
    environment.out.flush();
    environment.err.flush();
    report(pipe, transaction ? Status::done : transaction.error());
    ::close(pipe);
    if (transaction) {
        leave_output();
        wait_for_answer(listener, signals.get(), *transaction, limit);
    }
    listener.close();
    ::_exit(0);
}

} // namespace

std::expected<void, SystemError> refuse_if_pending() {
    if (!connect_pending())
        return {};
    return std::unexpected(
        SystemError{SystemError::Kind::failed, 0, "an apply waits for `lbc confirm` or `lbc rollback`"});
}

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

Status supervise(MakeChange const& make_change, std::chrono::milliseconds limit, Environment const& environment) {
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
