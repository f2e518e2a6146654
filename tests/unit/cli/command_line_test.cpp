// The command line itself: help, wrong words, the version.
#include "tests/support/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace lbc;

namespace {

bool has(std::ostringstream const& stream, std::string_view text) { return stream.str().contains(text); }

} // namespace

TEST_CASE("help tells each command's exit statuses, and what is near a wrong word") {
    for (auto const* command : {"check", "fmt", "compile", "diff", "apply", "status", "trace", "verify", "remove",
                                "confirm", "rollback", "explain"}) {
        test::Machine m({});
        CHECK(m.run({"help", command}) == 0);
        auto const text = m.out.str();
        auto const statuses = text.find("\nExit status:\n  0  done\n");
        REQUIRE_MESSAGE(statuses != std::string::npos, text);
        for (auto line = text.substr(statuses + 14); !line.empty();) {
            CHECK_MESSAGE(std::string_view("  012345").contains(line[2]), line);
            line.erase(0, std::min(line.size(), line.find('\n') + 1));
        }
    }
    test::Machine m({});
    for (auto const& [words, said] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"chek"}, "lbc: no command `chek`; did you mean `check`?\n"},
             {{"help", "chek"}, "lbc: no command `chek`; did you mean `check`?\n"},
             {{"help", "check", "apply"}, "lbc: help takes one command\n"},
             {{"check", "--verbos", "site.lb"}, "lbc: check has no option `--verbos`; did you mean `--verbose`?\n"},
             {{"trace", "site.lb", "--tto", "x"}, "lbc: trace has no option `--tto`; did you mean `--to`?\n"},
             {{"--nosuch", "check", "site.lb"}, "lbc: no option `--nosuch`\n"},
             {{"check", "site.lb", "--", "--verbose"}, "lbc: check takes no further `--verbose`\n"},
             {{"diff", "--include-from=", "old.lb", "new.lb"}, "lbc: `--include-from=` has no value\n"},
             {{"check"}, "lbc: FILE is required\n"},
             {{}, "lbc: name a command\n"}}) {
        m.err.str("");
        CHECK(m.run(words) == 2);
        CHECK_MESSAGE(m.err.str().starts_with(said), m.err.str());
    }
}

TEST_CASE("the version tells libraries, kernel and programs if it is asked for more") {
    test::Machine m({});
    for (auto const& words : std::vector<std::vector<std::string>>{{"--version", "-v"}, {"--verbose", "--version"}}) {
        CHECK(m.run(words) == 0);
        CHECK(m.out.str().starts_with("lbc "));
        for (auto const* part : {"\nlibraries: ", "libstdc++.so", "\nkernel:    ", "\nprograms:  iptables "})
            CHECK_MESSAGE(has(m.out, part), m.out.str());
    }
    CHECK(m.run({"--version"}) == 0);
    CHECK_FALSE(has(m.out, "libraries"));
}

TEST_CASE("status knows the layout that apply was told, and diff shows what apply would change") {
    test::Machine m(std::map<std::string, std::string>{
        {"site.lb", "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1 }\n"
                    "service web { vip 192.0.2.1; port tcp 80; mark 3; real 10.0.0.7 }\n"}});
    REQUIRE(m.run({"apply", "site.lb", "--only", "marks", "--backend", "iptables", "--layout", "tree"}) == 0);
    CHECK(m.run({"status", "site.lb", "--only", "marks"}) == 0);
    CHECK_MESSAGE(has(m.out, ", ok, layout tree\n"), m.out.str());
    CHECK_FALSE(has(m.out, "differ"));
    CHECK(m.run({"status", "site.lb", "--only", "marks", "--json"}) == 0);
    CHECK(has(m.out, "\"layout\": \"tree\""));
    CHECK(m.run({"diff", "site.lb", "--only", "marks", "--rules"}) == 0);
    CHECK_MESSAGE(has(m.out, "the same stands in another order"), m.out.str());
    // What a script has put into the tables of iptables-nft is a difference in any layout.
    m.kernel.variants[0] = "*mangle\n:PREROUTING ACCEPT [0:0]\n:LBC - [0:0]\n-A LBC -d 192.0.2.1/32 -j MARK "
                           "--set-xmark 0x3/0xffffffff\n-A PREROUTING -j LBC\nCOMMIT\n";
    CHECK(m.run({"status", "site.lb", "--only", "marks"}) == 0);
    CHECK_MESSAGE(has(m.out, ", ok, layout tree\n"), m.out.str());
    CHECK_MESSAGE(has(m.out, "iptables-nft: rules 2, extra\n"), m.out.str());
    m.kernel.variants[0].clear();
    REQUIRE(m.run({"apply", "site.lb", "--only", "marks"}) == 0);
    CHECK(m.run({"status", "site.lb", "--only", "marks"}) == 0);
    CHECK_FALSE(has(m.out, "layout"));
}

TEST_CASE("a service with the guard's mark is one that apply removes, and status shows it") {
    test::Machine m(std::map<std::string, std::string>{
        {"site.lb", "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1 }\n"
                    "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2 }\n"
                    "service web { vip 192.0.2.1; port tcp 80; mark 3; real lb1; real lb2 }\n"}});
    REQUIRE(m.run({"apply", "site.lb"}) == 0);
    m.kernel.services.push_back(IpvsService{.key = {Fwmark{0xfff}, Family::ipv4}});
    CHECK(m.run({"status", "site.lb"}) == 0);
    CHECK_MESSAGE(has(m.out, "0xfff"), m.out.str());
    CHECK(has(m.out, "1 difference from the site; `lbc apply` fixes it"));
    CHECK(m.run({"apply", "site.lb"}) == 0);
    CHECK(has(m.out, "0xfff"));
    CHECK(m.run({"status", "site.lb"}) == 0);
    CHECK_FALSE(has(m.out, "0xfff"));
}
