#include "tests/support/mangle_tools.hpp"

#include "backends/apply/system_kernel.hpp"
#include "backends/os/descriptor.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace lbc::test {

Finished run(Arguments arguments, std::string const& input) {
    Descriptor const in(::memfd_create("input", 0));
    Descriptor const out(::memfd_create("output", 0));
    if (::write(in.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()))
        return {};
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
    if (spawned != 0 || ::waitpid(child, &result.status, 0) != child)
        return {};
    result.output.resize(static_cast<std::size_t>(::lseek(out.get(), 0, SEEK_END)));
    if (::pread(out.get(), result.output.data(), result.output.size(), 0) < 0)
        return {};
    return result;
}

std::string tool(Family family, std::string_view name) {
    return fmt::format("{}-legacy{}", family == Family::ipv4 ? "iptables" : "ip6tables", name);
}

void load(Family family, std::string const& rules) {
    Finished const done = run({tool(family, "-restore"), "--noflush", "--counters"}, "*mangle\n" + rules + "COMMIT\n");
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
    auto table = make_system_kernel()->open_mangle(family);
    if (!table)
        FAIL(table.error().message);
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

PortRange ports(std::uint16_t first, std::uint16_t last) { return {Port{first}, Port{last}}; }

namespace {

Prefix prefix(Family family, int length4, int length6) {
    return family == Family::ipv4 ? Prefix::of(*IpAddress::parse("192.0.2.129"), length4)
                                  : Prefix::of(*IpAddress::parse("2001:db8::8000:1"), length6);
}

/// One Matches for each form that an own rule can have.
std::vector<Matches> all_matches(Family family) {
    std::vector<Matches> all(1);
    auto const add = [&]() -> Matches& { return all.emplace_back(); };
    for (char const* name : {"lo", "eth+", "a", "abcdefghijklmno", "abcdefghijklmn+"})
        add().in_interface = InterfacePattern::parse(name);
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

} // namespace

Ruleset all_forms(Family family) {
    Chain main{"LBC", {}};
    std::vector<Target> const targets{
        SetMark{Fwmark{0}}, SetMark{Fwmark{0xfedcba98}}, Jump{"LBC-PEER"}, Goto{"LBC-PEER"}, Return{}, Drop{}};
    for (Matches const& when : all_matches(family))
        for (Target const& target : targets)
            main.rules.push_back({when, target, {}});
    Rule to_main{{}, Goto{"LBC"}, {}};
    to_main.when.destination = prefix(family, 24, 64);
    return {family,
            {main, {"LBC-EMPTY", {}}, {"LBC-PEER", {{{}, Return{}, {}}}}},
            {{"PREROUTING", {{}, Jump{"LBC"}, {}}}, {"PREROUTING", to_main}, {"OUTPUT", {{}, Jump{"LBC-EMPTY"}, {}}}}};
}

Ruleset simple_rules(Family family, std::uint32_t count) {
    Chain chain{"LBC", {}};
    for (std::uint32_t i = 0; i < count; ++i)
        chain.rules.push_back({{}, SetMark{Fwmark{i + 1}}, {}});
    return {family, {chain}, {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
}

} // namespace lbc::test
