#include "backends/keepalived/keepalived_process.hpp"
#include "backends/keepalived/running_keepalived.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace lbc {
namespace {

namespace fs = std::filesystem;

/// A folder with a shell that is called keepalived, and what its runs have written.
class Box {
public:
    Box() {
        std::string name = (fs::temp_directory_path() / "lbc-keepalived-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder = name;
        fs::permissions(folder, fs::perms::all);
        fs::copy_file(fs::canonical("/bin/sh"), folder / "keepalived");
        std::ofstream(folder / "its.conf") << "#\n";
    }
    Box(Box const&) = delete;
    Box& operator=(Box const&) = delete;
    ~Box() { fs::remove_all(folder); }

    [[nodiscard]] std::string file(char const* name) const { return (folder / name).string(); }

    fs::path folder;
};

/// A shell that notes in LOG that it runs, and each SIGHUP.
class Daemon {
public:
    Daemon(Box const& box, char const* log, std::string const& config, char const* name = "keepalived", uid_t user = 0)
        : log_(box.file(log)) {
        auto const program = box.file(name);
        auto const script = fmt::format("trap 'echo hup >>{0}' HUP; echo up >>{0}; while :; do sleep 0.1; done", log_);
        pid_ = ::fork();
        if (pid_ == 0) {
            if (user != 0 && (::setgid(user) != 0 || ::setuid(user) != 0))
                ::_exit(1);
            ::execl(program.c_str(), name, "-c", script.c_str(), "-f", config.c_str(), nullptr);
            ::_exit(1);
        }
        REQUIRE(has("up\n"));
    }
    Daemon(Daemon const&) = delete;
    Daemon& operator=(Daemon const&) = delete;
    ~Daemon() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    /// Whether it has noted that in the end.
    [[nodiscard]] bool has(std::string const& text) const {
        for (int i = 0; i < 600 && read() != text; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return read() == text;
    }

    [[nodiscard]] std::string read() const {
        std::ifstream file(log_);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    std::string log_;
    pid_t pid_ = -1;
};

/// Whether one runs with the file, whatever else runs on this machine.
bool runs_with(std::string const& file) {
    auto const running = open_keepalived_process(file)->is_running();
    return running && *running;
}

} // namespace

TEST_CASE("keepalived process: every one with the file is told, by its own name of it too") {
    Box const box;
    fs::create_symlink(box.file("its.conf"), box.file("link.conf"));
    Daemon const one(box, "one.log", box.file("its.conf"));
    Daemon const two(box, "two.log", box.file("link.conf"));
    Daemon const other(box, "other.log", box.file("other.conf"));
    CHECK(runs_with(box.file("its.conf")));
    CHECK(open_keepalived_process(box.file("its.conf"))->reload());
    CHECK(one.has("up\nhup\n"));
    CHECK(two.has("up\nhup\n"));
    CHECK(other.read() == "up\n");
}

TEST_CASE("keepalived process: one whose program was replaced counts, and a file that is not there yet") {
    Box const box;
    Daemon const one(box, "one.log", box.file("new.conf"));
    fs::remove(box.file("keepalived"));
    CHECK(runs_with(box.file("new.conf")));
}

TEST_CASE("keepalived process: another program of that name does not count") {
    Box const box;
    fs::rename(box.file("keepalived"), box.file("sh"));
    fs::create_symlink(box.file("sh"), box.file("keepalived"));
    Daemon const one(box, "one.log", box.file("its.conf"));
    CHECK_FALSE(runs_with(box.file("its.conf")));
    CHECK_FALSE(open_keepalived_process(box.file("its.conf"))->reload());
    CHECK(one.read() == "up\n");
}

TEST_CASE("keepalived process: that of another user neither counts nor is told, nor keeps ours from it") {
    constexpr uid_t nobody = 65534;
    if (::geteuid() != 0)
        return;
    Box const box;
    Daemon const theirs(box, "theirs.log", box.file("its.conf"), "keepalived", nobody);
    CHECK_FALSE(runs_with(box.file("its.conf")));
    Daemon const strange(box, "strange.log", "/x\x1b]0;pwned\a", "keepalived", nobody);
    auto const running = open_keepalived_process(box.file("its.conf"))->is_running();
    CHECK((running || !running.error().message.contains("pwned")));
    Daemon const ours(box, "ours.log", box.file("its.conf"));
    CHECK(runs_with(box.file("its.conf")));
    CHECK(open_keepalived_process(box.file("its.conf"))->reload());
    CHECK(ours.has("up\nhup\n"));
    CHECK(theirs.read() == "up\n");
    CHECK(strange.read() == "up\n");
}

TEST_CASE("keepalived process: a number that is given to another process gets no signal") {
    Box const box;
    std::vector<RunningKeepalived> found;
    {
        Daemon const one(box, "one.log", box.file("its.conf"));
        auto all = running_keepaliveds();
        REQUIRE(all);
        for (auto& process : *all)
            if (process.reads(box.file("its.conf")))
                found.push_back(std::move(process));
        REQUIRE(found.size() == 1);
    }
    // As if the kernel had given it to this process, which a signal would end.
    found.front().pid = ::getpid();
    auto const sent = found.front().send(SIGKILL);
    REQUIRE(sent);
    CHECK_FALSE(*sent);
}

TEST_CASE("keepalived process: the file in its words") {
    using namespace std::string_literals;
    CHECK(file_in_words("keepalived\0"s) == "/etc/keepalived/keepalived.conf");
    CHECK(file_in_words("keepalived\0-nlf\0/a\0"s) == "/a");
    CHECK(file_in_words("keepalived\0-f/a\0-f\0b\0"s) == "b");
    CHECK(file_in_words("keepalived\0--use-file=/a\0-i\0f\0"s) == "/a");
    CHECK(file_in_words("keepalived\0--use\0/a"s) == "/a");
    CHECK(file_in_words(""s) == "/etc/keepalived/keepalived.conf");
}

} // namespace lbc
