// The mangle tables of the real kernel, each test in a network namespace of its own. Needs root and iptables-legacy;
// says so and ends with status 77 where they are not to be had.
#define DOCTEST_CONFIG_IMPLEMENT
#include "backends/iptables/apply.hpp"
#include "backends/iptables/descriptor.hpp"
#include "backends/iptables/libiptc_kernel.hpp"
#include "backends/iptables/xt_rule.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace lbc {
namespace {

using Arguments = std::vector<std::string>;

struct Finished {
    int status = -1; // of waitpid(2); -1 when the program could not be started
    std::string output;
};

/// Runs a program with `input` as its standard input; its output and messages come back together.
Finished run(Arguments arguments, std::string const& input = {}) {
    Descriptor const in(::memfd_create("input", 0));
    Descriptor const out(::memfd_create("output", 0));
    if (::write(in.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
        return {};
    }
    ::lseek(in.get(), 0, SEEK_SET);
    std::vector<char*> pointers;
    std::ranges::transform(arguments, std::back_inserter(pointers), [](std::string& text) { return text.data(); });
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out.get(), STDERR_FILENO);
    pid_t child = -1;
    int const spawned = ::posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    Finished result;
    if (spawned != 0 || ::waitpid(child, &result.status, 0) != child) {
        return {};
    }
    result.output.resize(static_cast<std::size_t>(::lseek(out.get(), 0, SEEK_END)));
    if (::pread(out.get(), result.output.data(), result.output.size(), 0) < 0) {
        return {};
    }
    return result;
}

std::string tool(Family family, std::string_view name) {
    return fmt::format("{}-legacy{}", family == Family::ipv4 ? "iptables" : "ip6tables", name);
}

void load(Family family, std::string const& rules, Arguments options = {"--noflush", "--counters"}) {
    options.insert(options.begin(), tool(family, "-restore"));
    Finished const done = run(options, "*mangle\n" + rules + "COMMIT\n");
    INFO(rules);
    INFO(done.output);
    REQUIRE(done.status == 0);
}

void command(Family family, Arguments arguments) {
    arguments.insert(arguments.begin(), {tool(family, ""), "-t", "mangle"});
    Finished const done = run(arguments);
    INFO(done.output);
    REQUIRE(done.status == 0);
}

/// The mangle table with its counters, without iptables-save's comments, which have the time.
std::string saved(Family family) {
    Finished const done = run({tool(family, "-save"), "-t", "mangle", "-c"});
    REQUIRE(done.status == 0);
    std::string text;
    for (std::size_t begin = 0; begin < done.output.size();) {
        std::size_t const end = done.output.find('\n', begin);
        std::string const line = done.output.substr(begin, end - begin);
        text += line.starts_with('#') ? "" : line + '\n';
        begin = end + 1;
    }
    return text;
}

void new_namespace() { REQUIRE(::unshare(CLONE_NEWNET) == 0); }

std::unique_ptr<MangleTable> open_table(Family family) {
    auto table = make_libiptc_kernel()->open_mangle(family);
    if (!table) {
        FAIL(table.error().message);
    }
    return std::move(*table);
}

void replace(Ruleset const& wanted) {
    auto const table = open_table(wanted.family);
    auto const supported = table->supports(wanted);
    INFO((supported ? std::string{} : supported.error().message));
    REQUIRE(supported);
    auto const replaced = table->replace(wanted);
    INFO((replaced ? std::string{} : replaced.error().message));
    REQUIRE(replaced);
}

/// Texts line by line: the first that differs tells more than both whole.
void check_equal(std::string_view now, std::string_view before) {
    while (now != before) {
        std::string const line(now.substr(0, now.find('\n')));
        std::string const other(before.substr(0, before.find('\n')));
        if (line != other) {
            CHECK(line == other);
            return;
        }
        now.remove_prefix(std::min(now.size(), line.size() + 1));
        before.remove_prefix(std::min(before.size(), other.size() + 1));
    }
}

std::string error_of(std::expected<void, SystemError> const& result) {
    return result ? std::string{} : result.error().message;
}

Prefix prefix(Family family, int length4, int length6) {
    return family == Family::ipv4 ? Prefix::of(*IpAddress::parse("192.0.2.129"), length4)
                                  : Prefix::of(*IpAddress::parse("2001:db8::8000:1"), length6);
}

PortRange ports(std::uint16_t first, std::uint16_t last) { return {Port{first}, Port{last}}; }

/// One Matches for each form that a rule of lbc's can have.
std::vector<Matches> all_matches(Family family) {
    std::vector<Matches> all(1);
    auto const add = [&]() -> Matches& { return all.emplace_back(); };
    for (char const* name : {"lo", "eth+", "a", "abcdefghijklmno", "abcdefghijklmn+"}) {
        add().in_interface = InterfacePattern::parse(name);
    }
    add().destination = prefix(family, 32, 128);
    add().destination = prefix(family, 25, 113);
    add().destination = prefix(family, 1, 1);
    for (Protocol const transport : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
        auto const protocol = static_cast<std::uint8_t>(transport);
        add().protocol = protocol;
        for (PortRange const& range :
             {ports(80, 80), ports(0, 65535), ports(8000, 8099), ports(0, 0), ports(65535, 65535)}) {
            Matches& matches = add();
            matches.protocol = protocol;
            matches.destination_ports = {range};
        }
        Matches& several = add();
        several.protocol = protocol;
        several.destination_ports = {ports(21, 21), ports(80, 81), ports(443, 443), ports(1000, 65535)};
    }
    add().protocol = 47;
    Matches& most = add();
    most.protocol = 6;
    for (std::uint16_t port = 1; port <= 15; ++port) {
        most.destination_ports.push_back(
            ports(static_cast<std::uint16_t>(2 * port), static_cast<std::uint16_t>(2 * port)));
    }
    add().source_mac = MacAddress::parse("08:00:27:9e:ef:a0");
    Matches& not_mac = add();
    not_mac.source_mac = MacAddress::parse("08:00:27:9e:ef:a0");
    not_mac.not_source_mac = true;
    add().mark = Fwmark{0x3};
    add().mark = Fwmark{0xffffffff};
    Matches& everything = add();
    everything.in_interface = InterfacePattern::parse("eth0");
    everything.destination = prefix(family, 32, 128);
    everything.protocol = 6;
    everything.destination_ports = {ports(80, 80), ports(443, 443)};
    everything.source_mac = MacAddress::parse("02:00:00:00:00:01");
    everything.mark = Fwmark{7};
    return all;
}

/// Every form of match with every form of target.
Ruleset all_forms(Family family) {
    Chain main{"LBC", {}};
    std::vector<Target> const targets{
        SetMark{Fwmark{0}}, SetMark{Fwmark{0xfedcba98}}, Jump{"LBC-PEER"}, Goto{"LBC-PEER"}, Return{}, Drop{}};
    for (Matches const& when : all_matches(family)) {
        for (Target const& target : targets) {
            main.rules.push_back({when, target, {}});
        }
    }
    Rule to_main{{}, Goto{"LBC"}, {}};
    to_main.when.destination = prefix(family, 24, 64);
    return {family,
            {main, {"LBC-EMPTY", {}}, {"LBC-PEER", {{{}, Return{}, {}}}}},
            {{"PREROUTING", {{}, Jump{"LBC"}, {}}}, {"PREROUTING", to_main}, {"OUTPUT", {{}, Jump{"LBC-EMPTY"}, {}}}}};
}

/// A small set of rules, with `rules` rules in LBC.
Ruleset simple(Family family, std::uint32_t count = 1) {
    Chain chain{"LBC", {}};
    for (std::uint32_t i = 0; i < count; ++i) {
        chain.rules.push_back({{}, SetMark{Fwmark{i + 1}}, {}});
    }
    return {family, {chain}, {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
}

std::string restore_text(Ruleset const& rules) {
    std::string text;
    for (Chain const& chain : rules.chains) {
        text += fmt::format(":{} - [0:0]\n", chain.name);
    }
    for (Chain const& chain : rules.chains) {
        for (Rule const& rule : chain.rules) {
            text += fmt::format("-A {} {}\n", chain.name, to_string(rule));
        }
    }
    for (Hook const& hook : rules.hooks) {
        text += fmt::format("-A {} {}\n", hook.builtin, to_string(hook.rule));
    }
    return text;
}

/// Foreign rules with counters and policies around the place where hooks stand.
std::string const foreign =
    ":PREROUTING ACCEPT [11:22]\n:FORWARD DROP [5:6]\n:theirs - [0:0]\n:LBCX - [0:0]\n"
    "[1:100] -A PREROUTING -i other0 -j theirs\n[2:200] -A PREROUTING -j LBCX\n"
    "[3:300] -A theirs -p tcp -m tcp --sport 5 -m comment --comment \"x y\" -j MARK --set-xmark 0x1/0xff\n"
    "[4:400] -A LBCX -j RETURN\n";

} // namespace

TEST_CASE("libiptc: every form of rule reads back") {
    for (Family const family : families) {
        new_namespace();
        Ruleset const wanted = all_forms(family);
        replace(wanted);
        Ruleset const read = open_table(family)->owned();
        REQUIRE(read.chains.size() == wanted.chains.size());
        for (std::size_t i = 0; i < wanted.chains[0].rules.size(); ++i) {
            CHECK(to_string(read.chains[0].rules.at(i)) == to_string(wanted.chains[0].rules[i]));
        }
        CHECK(read == wanted);
    }
}

TEST_CASE("libiptc: iptables makes the same of a rule's text") {
    for (Family const family : families) {
        new_namespace();
        Ruleset const wanted = all_forms(family);
        load(family, restore_text(wanted));
        std::string const by_iptables = saved(family);
        CHECK(open_table(family)->owned() == wanted);

        new_namespace();
        replace(wanted);
        check_equal(saved(family), by_iptables);
    }
}

TEST_CASE("libiptc: what lbc has no field for is equal to no rule of lbc's") {
    std::vector<std::string> foreign_forms{"-s 10.0.0.1/32 -j DROP",
                                           "-o eth0 -j DROP",
                                           "! -d 10.0.0.1/32 -j DROP",
                                           "! -i eth0 -j DROP",
                                           "! -p tcp -j DROP",
                                           "-f -j DROP",
                                           "-d 10.0.0.1/255.0.255.0 -j DROP",
                                           "-p tcp -m tcp --sport 5 -j DROP",
                                           "-p tcp -m tcp ! --dport 5 -j DROP",
                                           "-p tcp -m tcp --syn -j DROP",
                                           "-p udp -m udp --sport 5 -j DROP",
                                           "-p sctp -m sctp --sport 5 -j DROP",
                                           "-p sctp -m sctp ! --dport 5 -j DROP",
                                           "-p tcp -m multiport --sports 5,6 -j DROP",
                                           "-p tcp -m multiport ! --dports 5,6 -j DROP",
                                           "-p tcp -m multiport --ports 5,6 -j DROP",
                                           "-p tcp -m tcp --dport 5 -m multiport --dports 5,6 -j DROP",
                                           "-p udplite -m multiport --dports 5,6 -j DROP",
                                           "-m mark --mark 1/1 -j DROP",
                                           "-m mark ! --mark 1 -j DROP",
                                           "-m mark --mark 1 -m mark --mark 1 -j DROP",
                                           "-m mac --mac-source 2:0:0:0:0:1 -m mac --mac-source 2:0:0:0:0:2 -j DROP",
                                           "-m comment --comment x -j DROP",
                                           "-j MARK --set-xmark 1/1",
                                           "-j MARK --or-mark 1",
                                           "-j ACCEPT",
                                           "",
                                           "-j CONNMARK --save-mark"};
    std::string text = ":LBC - [0:0]\n";
    for (std::string const& form : foreign_forms) {
        text += fmt::format("-A LBC {}\n", form);
    }
    new_namespace();
    load(Family::ipv4, text);
    Ruleset const read = open_table(Family::ipv4)->owned();
    REQUIRE(read.chains.size() == 1);
    REQUIRE(read.chains[0].rules.size() == foreign_forms.size());
    for (std::size_t i = 0; i < foreign_forms.size(); ++i) {
        Rule const& rule = read.chains[0].rules[i];
        CAPTURE(foreign_forms[i]);
        CHECK((!rule.when.unknown.empty() || std::holds_alternative<UnknownTarget>(rule.then)));
        CHECK_FALSE(xt::refuse_rule(rule, Family::ipv4).empty());
    }
    CHECK(open_table(Family::ipv4)->owned() == read);
}

TEST_CASE("libiptc: foreign rules, chains, policies and counters stay") {
    for (Family const family : families) {
        new_namespace();
        load(family, foreign);
        std::string const before = saved(family);
        auto const kernel = make_libiptc_kernel();
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
        auto const removed = remove_marks(*kernel);
        REQUIRE(removed);
        CHECK(removed->size() == 1);
        check_equal(saved(family), before);
    }
}

TEST_CASE("libiptc: a second apply writes nothing, and equal chains keep their counters") {
    new_namespace();
    load(Family::ipv4, ":LBC - [0:0]\n:LBC-OLD - [0:0]\n[7:70] -A PREROUTING -j LBC\n"
                       "[8:80] -A LBC -j MARK --set-xmark 0x1/0xffffffff\n");
    MarkRules const wanted{simple(Family::ipv4), simple(Family::ipv6)};
    auto const kernel = make_libiptc_kernel();
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
    Ruleset wanted = simple(Family::ipv4);
    wanted.hooks.push_back({"OUTPUT", {{}, Jump{"LBC"}, {}}});
    replace(wanted);
    std::string const now = saved(Family::ipv4);
    CHECK(now.find("-A PREROUTING -i a -j ACCEPT\n[1:2] -A PREROUTING -j LBC\n[0:0] -A PREROUTING -i b -j ACCEPT\n"
                   "[0:0] -A OUTPUT -o c -j ACCEPT\n[0:0] -A OUTPUT -j LBC\n[0:0] -A LBC") != std::string::npos);
    CHECK(open_table(Family::ipv4)->owned() == wanted);
}

TEST_CASE("libiptc: hooks in the wrong order are put right") {
    new_namespace();
    Ruleset wanted = simple(Family::ipv4);
    Rule second{{}, Goto{"LBC"}, {}};
    second.when.in_interface = InterfacePattern::parse("eth1");
    wanted.hooks.push_back({"PREROUTING", second});
    Ruleset reversed = wanted;
    std::ranges::reverse(reversed.hooks);
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
    CHECK(error_of(table->replace(simple(Family::ipv4))) ==
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
        Ruleset const wanted = simple(family);
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

TEST_CASE("libiptc: what cannot be written is refused, and nothing changes") {
    new_namespace();
    std::string const before = saved(Family::ipv4);
    auto const refused = [&](Rule const& rule, std::string_view why) {
        Ruleset wanted = simple(Family::ipv4);
        wanted.chains[0].rules = {rule};
        auto const table = open_table(Family::ipv4);
        std::string const prefix = "a rule for chain `LBC` of the IPv4 mangle table cannot be written: ";
        CHECK(error_of(table->supports(wanted)) == prefix + std::string(why));
        CHECK(error_of(table->replace(wanted)) == prefix + std::string(why));
    };
    Rule rule{{}, Return{}, {}};
    rule.when.destination_ports = {ports(80, 80)};
    refused(rule, "protocol 0 has no ports");
    rule.when.protocol = 6;
    rule.when.destination_ports.assign(8, ports(80, 81));
    refused(rule, "one rule takes at most 15 ports, and a range counts as two");
    rule.when = {};
    rule.when.destination = Prefix::host(*IpAddress::parse("2001:db8::1"));
    refused(rule, "2001:db8::1 is an address of the other family");
    rule.when = {};
    rule.when.unknown = "-m x";
    refused(rule, "lbc cannot write the match `-m x`");
    refused({{}, UnknownTarget{"ACCEPT"}, {}}, "lbc cannot write the target `ACCEPT`");
    refused({{}, Jump{"theirs"}, {}}, "`theirs` cannot be the name of a chain of lbc's");
    refused({{}, Goto{"LBC-NONE"}, {}}, "there is no chain `LBC-NONE`");
    check_equal(saved(Family::ipv4), before);
}

TEST_CASE("libiptc: rules that loop are refused by the kernel, and nothing changes") {
    new_namespace();
    Ruleset wanted = simple(Family::ipv4);
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
    Ruleset wanted = simple(Family::ipv4, 2000);
    for (std::uint32_t i = 0; i < 300; ++i) {
        Chain chain{fmt::format("LBC-{:03}", i), {}};
        chain.rules.push_back({{}, SetMark{Fwmark{i + 1}}, {}});
        wanted.chains.push_back(chain);
        wanted.chains[0].rules.push_back({{}, Jump{chain.name}, {}});
    }
    replace(wanted);
    CHECK(open_table(Family::ipv4)->owned() == wanted);
    replace(simple(Family::ipv4));
    CHECK(open_table(Family::ipv4)->owned() == simple(Family::ipv4));
}

TEST_CASE("libiptc: a lock that another program holds is waited for no longer than asked") {
    char const* const path = std::getenv("XTABLES_LOCKFILE");
    REQUIRE(path != nullptr);
    auto const kernel = make_libiptc_kernel();
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
        if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) {
            ::_exit(1);
        }
        auto const kernel = make_libiptc_kernel();
        auto const lock = kernel->lock(std::chrono::milliseconds(0));
        if (lock || lock.error().kind != SystemError::Kind::permission) {
            ::_exit(2);
        }
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

TEST_CASE("libiptc: any bytes read as some rule") {
    std::mt19937 random(1);
    for (Family const family : families) {
        Ruleset const forms = all_forms(family);
        for (Rule const& rule : forms.chains[0].rules) {
            xt::Bytes entry;
            xt::append_rule(rule, family, entry);
            for (int i = 0; i < 20; ++i) {
                xt::Bytes hostile = entry;
                for (int changes = 0; changes < 3; ++changes) {
                    hostile[random() % hostile.size()] = static_cast<std::byte>(random());
                }
                hostile.resize(random() % 2 == 0 ? hostile.size() : random() % hostile.size());
                hostile.shrink_to_fit();
                (void)xt::read_rule(hostile, family, "LBC-PEER");
                (void)xt::portable_entry(hostile, family, "LBC-PEER");
            }
            CHECK(xt::read_rule(xt::ByteView(entry).first(entry.size() - 1), family, {})
                      .when.unknown.starts_with("malformed:"));
        }
    }
}

} // namespace lbc

int main(int argc, char** argv) {
    auto const skip = [](char const* why) {
        std::fprintf(stderr, "skipped: %s\n", why);
        return 77;
    };
    if (::unshare(CLONE_NEWNET) != 0) {
        return skip("a network namespace of its own is not permitted");
    }
    for (lbc::Family const family : lbc::families) {
        if (lbc::run({lbc::tool(family, "-save"), "-t", "mangle"}).status != 0) {
            return skip("iptables-legacy cannot read the mangle tables");
        }
    }
    // Of its own, so that nothing else on this machine waits for a test.
    char lock_path[] = "/tmp/lbc-test-lock-XXXXXX";
    lbc::Descriptor const lock_file(::mkstemp(lock_path));
    ::setenv("XTABLES_LOCKFILE", lock_path, 1);
    int const result = doctest::Context(argc, argv).run();
    ::unlink(lock_path);
    return result;
}
