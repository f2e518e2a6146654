#include "backends/apply/pending_change.hpp"

#include "backends/apply/confirm_socket.hpp"
#include "backends/os/descriptor.hpp"
#include "backends/os/state_files.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace lbc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds lock_wait{20'000}; // for a rollback
constexpr std::chrono::seconds retry_pause{10};        // after a lock that was not free
constexpr std::chrono::seconds client_patience{2};     // for a client's word, as a whole
constexpr std::size_t most_clients = 16;               // at a time; others wait
constexpr std::size_t longest_word = 16;
constexpr char begun = 'b'; // on the pipe, before the status: the first write is next

/// `refused`: the rollback was not tried, and can be tried again.
Answer roll_back(Transaction& transaction) {
    auto const undone = transaction.roll_back(lock_wait);
    if (undone)
        return {Status::done, "the change is rolled back\n"};
    auto const& failure = undone.error();
    bool const tried = failure.outcome != ApplyFailure::Outcome::refused;
    auto text = fmt::format("lbc: {}{}\n", failure.error.message,
                            tried ? "" : "; the change is still in place, and the rollback will be tried again");
    for (auto const& line : failure.left)
        text += fmt::format("  {}\n", line);
    return {tried ? Status::partly_applied : Status::refused, std::move(text)};
}

/// The socket that answers come to. While it is there, nothing else changes this director.
class Listener {
public:
    explicit Listener(Descriptor socket) : socket_(std::move(socket)) {}
    Listener(Listener&&) = default;
    Listener& operator=(Listener&&) = default;

    [[nodiscard]] int get() const { return socket_.get(); }

    /// Closes it once, since another apply may listen there right after that.
    void close() {
        if (!socket_)
            return;
        ::unlink(run_path("confirm").c_str());
        socket_ = Descriptor();
    }

private:
    Descriptor socket_;
};

struct Client {
    Descriptor socket;
    Clock::time_point end; // of the wait for it
    std::string word{};    // the part that has arrived
};

/// Reads more of the word. True if the word is complete. An invalid word drops the client.
bool read_word(Client& client) {
    std::array<char, longest_word + 1> part{};
    auto const count = ::recv(client.socket.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (count > 0)
        client.word.append(part.data(), static_cast<std::size_t>(count));
    bool const goes_on =
        count > 0 ? client.word.size() <= longest_word : count < 0 && (errno == EINTR || errno == EAGAIN);
    bool const is_whole = count == 0 && (client.word == "confirm" || client.word == "rollback");
    if (!goes_on && !is_whole)
        client.socket = Descriptor();
    return is_whole;
}

/// Obeys a client if it is still connected. True if the wait is over.
bool obey(Client const& client, Listener& listener, Transaction& transaction) {
    auto const socket = client.socket.get();
    if (!send_now(socket, heard))
        return false;
    auto const answer =
        client.word == "confirm" ? Answer{Status::done, "the change is kept\n"} : roll_back(transaction);
    bool const is_end = answer.status != Status::refused;
    if (is_end)
        listener.close(); // first: a client may begin another change as soon as it has the answer
    // A client that does not read its answer causes no wait.
    static_cast<void>(send_now(socket, fmt::format("{}{}", static_cast<int>(answer.status), answer.text)));
    return is_end;
}

/// Writes to the system log, since nobody reads this process's output any more.
void log(std::string_view why, Answer const& answer) {
    ::openlog("lbc", LOG_PID, LOG_DAEMON);
    ::syslog(LOG_WARNING, "%.*s: %s", static_cast<int>(why.size()), why.data(), printable(answer.text).c_str());
    ::closelog();
}

/// Waits for signals, clients and the clock together, so that none of them delays the rollback.
class Wait {
public:
    /// `signals`: readable when this process is to end; it rolls the change back before that.
    Wait(Listener& listener, int signals, Transaction& transaction, std::chrono::milliseconds limit)
        : listener_(listener), signals_(signals), transaction_(transaction), end_(Clock::now() + limit) {}

    void run() {
        for (;;) {
            poll();
            if (Clock::now() < end_) {
                if (serve())
                    return;
                continue;
            }
            auto const answer = roll_back(transaction_);
            log(why_, answer);
            if (answer.status != Status::refused)
                break;
            end_ = Clock::now() + retry_pause;
        }
        listener_.close();
    }

private:
    void poll() {
        auto until = end_;
        std::vector<pollfd> waiting{
            {.fd = signals_, .events = POLLIN, .revents = 0},
            {.fd = clients_.size() < most_clients ? listener_.get() : -1, .events = POLLIN, .revents = 0}};
        for (auto const& client : clients_) {
            waiting.push_back({.fd = client.socket.get(), .events = POLLIN, .revents = 0});
            until = std::min(until, client.end);
        }
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left > 0)
            ::poll(waiting.data(), waiting.size(), static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
        signalfd_siginfo signal{};
        if (::read(signals_, &signal, sizeof signal) != sizeof signal)
            return;
        why_ = "told to end before it was confirmed";
        end_ = Clock::now();
    }

    /// Serves the clients. True if the word of one ends the wait.
    bool serve() {
        for (auto& client : clients_)
            if (read_word(client) && (std::exchange(client.end, {}), obey(client, listener_, transaction_)))
                return true;
        std::erase_if(clients_,
                      [now = Clock::now()](Client const& client) { return !client.socket || now >= client.end; });
        if (clients_.size() < most_clients)
            if (auto client = accept_client(listener_.get()))
                clients_.push_back({std::move(client), Clock::now() + client_patience});
        return false;
    }

    Listener& listener_;
    int signals_;
    Transaction& transaction_;
    Clock::time_point end_;
    std::string_view why_ = "not confirmed in time";
    std::vector<Client> clients_;
};

/// Reduces the environment to what the programs that this process runs need. A path relative to the working folder is
/// made absolute.
void leave_environment() {
    std::vector<std::pair<char const*, std::string>> kept;
    for (auto const* name : {"PATH", "XTABLES_LIBDIR", "XTABLES_LOCKFILE"})
        if (auto const* value = ::secure_getenv(name))
            kept.emplace_back(name, value);
    std::error_code error;
    for (auto& [name, value] : kept)
        if (std::string_view(name) == "XTABLES_LOCKFILE" && !value.empty())
            value = std::filesystem::absolute(value, error).string();
    for (auto** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
        ::explicit_bzero(*entry, std::strlen(*entry)); // else /proc/PID/environ would still show it
    ::clearenv();
    for (auto const& [name, value] : kept)
        ::setenv(name, value.c_str(), 1);
}

/// Leaves the terminal, so that this process outlives it. Closes all files of the caller except `pipe` and the standard
/// ones, so that nobody waits on them for this process. Leaves the working folder, which may be on a disk that will be
/// unmounted.
void leave_caller(int pipe) {
    ::setsid();
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    constexpr unsigned first = STDERR_FILENO + 1;
    auto const kept = static_cast<unsigned>(pipe);
    if (kept > first)
        ::close_range(first, kept - 1, 0);
    ::close_range(kept + 1, ~0U, 0);
    leave_environment();
    if (::chdir("/") != 0)
        return; // the working folder stays
}

/// From here on, no signal that asks this process to end does so. Returns a descriptor from which these signals are
/// read.
Descriptor hold_signals() {
    sigset_t ends;
    ::sigemptyset(&ends);
    for (auto const signal : {SIGTERM, SIGINT, SIGQUIT})
        ::sigaddset(&ends, signal);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    ::prctl(PR_SET_PDEATHSIG, 0);
    return Descriptor(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
}

void leave_output() {
    Descriptor const nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (auto const descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(nowhere.get(), descriptor);
}

void report(int pipe, char byte) {
    while (::write(pipe, &byte, 1) < 0 && errno == EINTR) {
    }
}

[[noreturn]] void run_supervisor(MakeChange const& make_change, std::chrono::milliseconds limit, int pipe, pid_t caller,
                                 std::function<void()> const& flush) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != caller)
        ::_exit(0);
    leave_caller(pipe);
    Listener listener{Descriptor()};
    Descriptor signals;
    auto transaction = make_change([&]() -> std::expected<void, SystemError> {
        if (auto free = refuse_if_pending(); !free)
            return free;
        auto socket = listen_for_answer();
        if (!socket)
            return std::unexpected(std::move(socket.error()));
        listener = Listener(std::move(*socket));
        signals = hold_signals();
        report(pipe, begun);
        return {};
    });
    flush();
    report(pipe, static_cast<char>(transaction ? Status::done : transaction.error()));
    ::close(pipe);
    if (transaction) {
        leave_output();
        Wait(listener, signals.get(), *transaction, limit).run();
    }
    listener.close();
    ::_exit(0);
}

} // namespace

Answer supervise(MakeChange const& make_change, std::chrono::milliseconds limit, std::function<void()> const& flush) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return {Status::refused, fmt::format("cannot make a pipe: {}", errno_text(errno))};
    Descriptor const from_child(ends[0]);
    Descriptor to_parent(ends[1]);
    flush();
    auto const caller = ::getpid();
    auto const child = ::fork();
    if (child < 0)
        return {Status::refused, fmt::format("cannot start a process: {}", errno_text(errno))};
    if (child == 0)
        run_supervisor(make_change, limit, to_parent.get(), caller, flush);
    to_parent = Descriptor();
    bool has_begun = false;
    for (;;) {
        char byte = 0;
        auto const count = ::read(from_child.get(), &byte, 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 1 && byte != begun)
            return {static_cast<Status>(byte), {}};
        if (count != 1)
            break;
        has_begun = true;
    }
    if (!has_begun)
        return {Status::refused, "the process that was to make the change has ended before it wrote anything"};
    return {Status::partly_applied, "the process that made the change has ended before it said how; run apply again"};
}

} // namespace lbc
