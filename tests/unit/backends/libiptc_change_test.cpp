// Changes of the real kernel's mangle tables: what they leave alone, what they undo, and what they refuse.
#include "backends/apply/system_kernel.hpp"
#include "backends/os/descriptor.hpp"
#include "tests/support/applied.hpp"
#include "tests/support/mangle_tools.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace lbc::test {
namespace {

/// Foreign rules with counters and policies around the place where hooks stand.
std::string const foreign =
    ":PREROUTING ACCEPT [11:22]\n:FORWARD DROP [5:6]\n:theirs - [0:0]\n:LBCX - [0:0]\n"
    "[1:100] -A PREROUTING -i other0 -j theirs\n[2:200] -A PREROUTING -j LBCX\n"
    "[3:300] -A theirs -p tcp -m tcp --sport 5 -m comment --comment \"x y\" -j MARK --set-xmark 0x1/0xff\n"
    "[4:400] -A LBCX -j RETURN\n";

} // namespace

TEST_CASE("libiptc: foreign rules, chains, policies and counters stay") {
    for (Family const family : families) {
        new_namespace();
        load(family, foreign);
        std::string const before = saved(family);
        auto const kernel = make_system_kernel();
        MarkRules wanted{Ruleset{Family::ipv4, {}, {}}, Ruleset{Family::ipv6, {}, {}}};
        wanted[static_cast<std::size_t>(family)] = all_forms(family);
        auto const applied = apply_marks(*kernel, wanted);
        REQUIRE(applied);
        CHECK(applied->size() == 1);
        std::string foreign_now;
        std::string const with_ours = saved(family);
        for (std::size_t begin = 0; begin < with_ours.size();) {
            std::size_t const end = with_ours.find('\n', begin) + 1;
            std::string const line = with_ours.substr(begin, end - begin);
            bool const ours = line.find("LBC ") != std::string::npos || line.find("LBC\n") != std::string::npos ||
                              line.find("LBC-") != std::string::npos;
            foreign_now += ours ? "" : line;
            begin = end;
        }
        check_equal(foreign_now, before);
        auto const removed = apply_marks(*kernel, no_marks());
        REQUIRE(removed);
        CHECK(removed->size() == 1);
        check_equal(saved(family), before);
    }
}

TEST_CASE("libiptc: a second apply writes nothing, and equal chains keep their counters") {
    new_namespace();
    load(Family::ipv4, ":LBC - [0:0]\n:LBC-OLD - [0:0]\n[7:70] -A PREROUTING -j LBC\n"
                       "[8:80] -A LBC -j MARK --set-xmark 0x1/0xffffffff\n");
    MarkRules const wanted{simple_rules(Family::ipv4), simple_rules(Family::ipv6)};
    auto const kernel = make_system_kernel();
    REQUIRE(apply_marks(*kernel, wanted));
    std::string const after = saved(Family::ipv4);
    CHECK(after.find("[7:70] -A PREROUTING -j LBC\n") != std::string::npos);
    CHECK(after.find("[8:80] -A LBC -j MARK") != std::string::npos);
    CHECK(after.find("LBC-OLD") == std::string::npos);
    auto const again = apply_marks(*kernel, wanted);
    REQUIRE(again);
    CHECK(again->empty());
    check_equal(saved(Family::ipv4), after);
}

TEST_CASE("libiptc: hooks keep their place, duplicates and strays go") {
    new_namespace();
    load(Family::ipv4, ":LBC - [0:0]\n:LBC-OUT - [0:0]\n-A PREROUTING -i a -j ACCEPT\n[1:2] -A PREROUTING -j LBC\n"
                       "-A PREROUTING -i b -j ACCEPT\n[3:4] -A PREROUTING -j LBC\n-A PREROUTING -s 10.0.0.1/32 -j LBC\n"
                       "-A FORWARD -j LBC\n-A OUTPUT -j LBC-OUT\n-A OUTPUT -o c -j ACCEPT\n");
    Ruleset wanted = simple_rules(Family::ipv4);
    wanted.entry_jumps.push_back({"OUTPUT", {{}, Jump{"LBC"}, {}}});
    replace(wanted);
    std::string const now = saved(Family::ipv4);
    CHECK(now.find("-A PREROUTING -i a -j ACCEPT\n[1:2] -A PREROUTING -j LBC\n[0:0] -A PREROUTING -i b -j ACCEPT\n"
                   "[0:0] -A OUTPUT -o c -j ACCEPT\n[0:0] -A OUTPUT -j LBC\n[0:0] -A LBC") != std::string::npos);
    CHECK(open_table(Family::ipv4)->owned() == wanted);
}

TEST_CASE("libiptc: hooks in the wrong order are put right") {
    new_namespace();
    Ruleset wanted = simple_rules(Family::ipv4);
    Rule second{{}, Goto{"LBC"}, {}};
    second.when.in_interface = InterfacePattern::parse("eth1");
    wanted.entry_jumps.push_back({"PREROUTING", second});
    Ruleset reversed = wanted;
    std::ranges::reverse(reversed.entry_jumps);
    replace(reversed);
    replace(wanted);
    CHECK(open_table(Family::ipv4)->owned() == wanted);
}

TEST_CASE("libiptc: restore gives back every byte that was lbc's") {
    for (Family const family : families) {
        new_namespace();
        load(family, foreign);
        load(family, ":LBC - [0:0]\n:LBC-OLD - [0:0]\n:LBC-PEER - [0:0]\n"
                     "[5:6] -A LBC -m comment --comment \"by hand\" -m limit --limit 3/sec -j CONNMARK --restore-mark\n"
                     "[7:8] -A LBC -j LBC-OLD\n[9:10] -A LBC -g LBC-PEER\n[1:1] -A LBC -j theirs\n[2:2] -A LBC\n"
                     "[11:12] -A LBC-OLD -p tcp -j DROP\n[13:14] -A LBC-OLD -j ACCEPT\n[15:16] -A LBC-OLD -j RETURN\n"
                     "[17:18] -A PREROUTING -m comment --comment z -j LBC\n[19:20] -A PREROUTING -i q -j ACCEPT\n"
                     "[21:22] -A PREROUTING -j LBC-OLD\n[23:24] -A OUTPUT -j LBC\n[25:26] -A OUTPUT -j LBC\n");
        std::string const before = saved(family);
        auto const table = open_table(family);
        CHECK(error_of(table->restore()) == "");
        check_equal(saved(family), before);
        REQUIRE(table->replace(all_forms(family)));
        CHECK(saved(family) != before);
        CHECK(error_of(table->restore()) == "");
        check_equal(saved(family), before);
    }
}

TEST_CASE("libiptc: a chain that a foreign rule leads to is not taken away") {
    new_namespace();
    load(Family::ipv4, ":LBC - [0:0]\n:LBC-OLD - [0:0]\n:theirs - [0:0]\n-A theirs -j LBC-OLD\n");
    std::string const before = saved(Family::ipv4);
    auto const table = open_table(Family::ipv4);
    CHECK(error_of(table->replace(simple_rules(Family::ipv4))) ==
          "cannot change the IPv4 mangle table: chain `LBC-OLD` has to go, but a rule of chain `theirs`, which is not "
          "lbc's, leads to it");
    check_equal(saved(Family::ipv4), before);
}

TEST_CASE("libiptc: a table that others changed since is read again") {
    for (Family const family : families) {
        new_namespace();
        auto const table = open_table(family);
        command(family, {"-A", "PREROUTING", "-i", "later", "-j", "DROP"});
        command(family, {"-N", "LBC"});
        Ruleset const wanted = simple_rules(family);
        CHECK(error_of(table->replace(wanted)) == "");
        CHECK(open_table(family)->owned() == wanted);
        CHECK(saved(family).find("-A PREROUTING -i later -j DROP\n") != std::string::npos);
        command(family, {"-I", "PREROUTING", "-i", "still", "-j", "DROP"});
        CHECK(error_of(table->restore()) == "");
        CHECK(open_table(family)->owned().empty());
        CHECK(saved(family).find("-A PREROUTING -i still -j DROP\n[0:0] -A PREROUTING -i later -j DROP\n") !=
              std::string::npos);
    }
}

TEST_CASE("libiptc: rules that loop are refused by the kernel, and nothing changes") {
    new_namespace();
    Ruleset wanted = simple_rules(Family::ipv4);
    wanted.chains[0].rules = {{{}, Jump{"LBC"}, {}}};
    std::string const before = saved(Family::ipv4);
    auto const table = open_table(Family::ipv4);
    auto const result = table->replace(wanted);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ELOOP);
    CHECK(result.error().message.starts_with("cannot change the IPv4 mangle table: "));
    check_equal(saved(Family::ipv4), before);
}

TEST_CASE("libiptc: many rules in many chains") {
    new_namespace();
    Ruleset wanted = simple_rules(Family::ipv4, 2000);
    for (std::uint32_t i = 0; i < 300; ++i) {
        Chain chain{fmt::format("LBC-{:03}", i), {}};
        chain.rules.push_back({{}, SetMark{Fwmark{i + 1}}, {}});
        wanted.chains.push_back(chain);
        wanted.chains[0].rules.push_back({{}, Jump{chain.name}, {}});
    }
    replace(wanted);
    CHECK(open_table(Family::ipv4)->owned() == wanted);
    replace(simple_rules(Family::ipv4));
    CHECK(open_table(Family::ipv4)->owned() == simple_rules(Family::ipv4));
}

TEST_CASE("libiptc: a lock that another program holds is waited for no longer than asked") {
    char const* const path = std::getenv("XTABLES_LOCKFILE");
    REQUIRE(path != nullptr);
    auto const kernel = make_system_kernel();
    Descriptor const other(::open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::flock(other.get(), LOCK_EX) == 0);
    for (int const wait : {0, 50}) {
        auto const lock = kernel->lock(std::chrono::milliseconds(wait));
        REQUIRE_FALSE(lock);
        CHECK(lock.error().kind == SystemError::Kind::locked);
        CHECK(lock.error().message == fmt::format("another program holds the xtables lock `{}`", path));
    }
    ::flock(other.get(), LOCK_UN);
    {
        auto const lock = kernel->lock(std::chrono::milliseconds(0));
        CHECK(lock);
        CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) != 0);
    }
    CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
}

TEST_CASE("libiptc: without rights the kernel says which are missing") {
    new_namespace();
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        // The status says which of the three was not as it has to be.
        if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0)
            ::_exit(1);
        auto const kernel = make_system_kernel();
        auto const lock = kernel->lock(std::chrono::milliseconds(0));
        if (lock || lock.error().kind != SystemError::Kind::permission)
            ::_exit(2);
        auto const table = kernel->open_mangle(Family::ipv4);
        bool const named = !table && table.error().kind == SystemError::Kind::permission &&
                           table.error().message.find("CAP_NET_ADMIN") != std::string::npos;
        ::_exit(named ? 0 : 3);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

} // namespace lbc::test
