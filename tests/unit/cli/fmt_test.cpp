#include "cli/commands/run.hpp"

#include "tests/support/fake_kernel.hpp"
#include "tests/support/memory_files.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace lbc;

namespace {

class NoHost final : public Host {
public:
    [[nodiscard]] std::string name() const override { return "nowhere"; }
    [[nodiscard]] std::expected<std::vector<Interface>, SystemError> interfaces() const override { return {}; }
};

struct Result {
    int status = 0;
    std::string out;
    std::string err;
};

Result run_fmt(std::map<std::string, std::string> files, std::vector<std::string> arguments) {
    MemoryFiles reader(std::move(files));
    NoHost host;
    std::ostringstream out;
    std::ostringstream err;
    Environment const environment{
        .files = reader,
        .host = host,
        .kernel = []() -> std::unique_ptr<Kernel> { throw std::logic_error("fmt asks no kernel"); },
        .out = out,
        .err = err};
    arguments.insert(arguments.begin(), "fmt");
    auto const status = static_cast<int>(run(arguments, environment));
    return {status, out.str(), err.str()};
}

constexpr auto directors = "director lb1 {\n    mac     02:00:00:00:00:01\n    address 10.0.0.1\n}\n";

std::string service(std::string const& name, std::string const& body) {
    return "service " + name + " {\n" + body + "}\n";
}

} // namespace

TEST_CASE("fmt prints the canonical text") {
    auto const result = run_fmt({{"a.lb", "marks   1-2 #x"}}, {"a.lb"});
    CHECK(result.status == 0);
    CHECK(result.out == "marks 1-2    #x\n");
    CHECK(result.err.empty());
    CHECK(run_fmt({{"-", "a ;b"}}, {"-"}).out == "a\nb\n");
}

TEST_CASE("fmt asks for syntax alone, so that parts of a site can be formatted") {
    auto const result = run_fmt({{"a.lb", "service web { pool nowhere; vipx 70000 }\ninclude \"none.lb\""}}, {"a.lb"});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
}

TEST_CASE("fmt --check names what is not canonical") {
    std::map<std::string, std::string> const files{{"a.lb", "a\n"}, {"b.lb", " b\n"}, {"-", "c"}};
    auto const result = run_fmt(files, {"--check", "a.lb", "b.lb", "-"});
    CHECK(result.status == 1);
    CHECK(result.out == "b.lb\n-\n");
    CHECK(result.err.empty());
    auto const clean = run_fmt(files, {"--check", "a.lb"});
    CHECK(clean.status == 0);
    CHECK(clean.out.empty());
}

TEST_CASE("a mistake in one file is said as check says it, and nothing else is done") {
    std::map<std::string, std::string> const files{{"a.lb", " a"}, {"bad.lb", "b {\n"}, {"worse.lb", "}"}};
    auto const result = run_fmt(files, {"--check", "a.lb", "bad.lb", "worse.lb", "gone.lb"});
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK(result.err.find("bad.lb:1:3: error: this block is never closed") != std::string::npos);
    CHECK(result.err.find("worse.lb:1:1: error: `}` closes no block") != std::string::npos);
    CHECK(result.err.find("cannot read `gone.lb`: No such file or directory") != std::string::npos);
    CHECK(result.err.find("3 errors, 0 warnings") != std::string::npos);
    CHECK(run_fmt(files, {"--message-format", "json", "bad.lb"}).err.starts_with("{\"file\":\"bad.lb\""));
    CHECK(run_fmt({{"-", "}"}}, {"-"}).err.starts_with("<stdin>:1:1: error"));
}

TEST_CASE("fmt has no use for several files on standard output, nor for a standard input to write") {
    std::map<std::string, std::string> const files{{"a.lb", ""}, {"-", ""}};
    CHECK(run_fmt(files, {"a.lb", "a.lb"}).status == 2);
    CHECK(run_fmt(files, {"-i", "-"}).status == 2);
    CHECK(run_fmt(files, {"-i", "--check", "a.lb"}).status == 2);
    CHECK(run_fmt(files, {}).status == 2);
    CHECK(run_fmt(files, {""}).status == 2);
}

TEST_CASE("a file that cannot be written is status 3, one that is canonical is not written") {
    auto const path = "/no/such/folder/a.lb";
    auto const result = run_fmt({{path, " a"}}, {"-i", path});
    CHECK(result.status == 3);
    CHECK(result.err == "lbc: cannot write `/no/such/folder/a.lb`: No such file or directory\n");
    CHECK(run_fmt({{path, "a\n"}}, {"-i", path}).status == 0);
}

TEST_CASE("fmt --pin-marks writes allocated marks behind the ports") {
    auto const pinned = [](std::string const& text) {
        auto const result = run_fmt({{"a.lb", std::string(directors) + text}}, {"--pin-marks", "a.lb"});
        REQUIRE_MESSAGE(result.status == 0, result.err);
        CHECK(result.err.empty());
        REQUIRE(result.out.starts_with(directors));
        auto const again = run_fmt({{"a.lb", result.out}}, {"--check", "--pin-marks", "a.lb"});
        CHECK(again.status == 0);
        return result.out.substr(std::string_view(directors).size());
    };
    // 0x191 comes of the name `web` and the default range.
    CHECK(pinned(service("web", "port tcp 80 # why\nvip 1.1.1.1\nreal 1.2.3.4\n")) ==
          service("web", "    port tcp 80    # why\n    mark 0x191\n    vip  1.1.1.1\n    real 1.2.3.4\n"));
    CHECK(pinned("service web { port tcp 80; port udp 1; vip 1.1.1.1; real 1.2.3.4 }") ==
          "service web { port tcp 80; port udp 1; mark 0x191; vip 1.1.1.1; real 1.2.3.4 }\n");
    CHECK(pinned("service web { vip 1.1.1.1; real 1.2.3.4; port tcp 80 }") ==
          "service web { vip 1.1.1.1; real 1.2.3.4; port tcp 80; mark 0x191 }\n");
    CHECK(pinned("service web { real 1.2.3.4; vip 1.1.1.1\n}\ndefaults { port tcp 80 }") ==
          service("web", "    real 1.2.3.4\n    vip  1.1.1.1\n    mark 0x191\n") + "defaults { port tcp 80 }\n");
    auto const defaults = std::string("defaults { port tcp 80; vip 1.1.1.1 }\n");
    CHECK(pinned("service web { real 1.2.3.4 }\n" + defaults) ==
          "service web { mark 0x191; real 1.2.3.4 }\n" + defaults);
    CHECK(pinned("service web { # why\nreal 1.2.3.4 }\n" + defaults) ==
          "service web {    # why\n    mark 0x191\n    real 1.2.3.4\n}\n" + defaults);
    auto const own = service("web", "    vip  1.1.1.1\n    port tcp 80\n    mark 7\n    real 1.2.3.4\n");
    CHECK(pinned(own) == own);
    auto const common = std::string("defaults { mark $seven }\nlet seven = 7\n") +
                        service("web", "    vip  1.1.1.1\n    port tcp 80\n    real 1.2.3.4\n");
    CHECK(pinned(common) == common);
}

TEST_CASE("fmt --pin-marks says which other files have marks to pin") {
    auto const body = "    vip  1.1.1.1\n    port tcp 80\n    real 1.2.3.4\n";
    std::map<std::string, std::string> files{{"a.lb", std::string(directors) + "include \"*.part\"\n"},
                                             {"1.part", service("web", body)},
                                             {"2.part", " let x  =  1\n"}};
    auto const result = run_fmt(files, {"--pin-marks", "a.lb"});
    CHECK(result.status == 0);
    CHECK(result.out == files["a.lb"]);
    CHECK(result.err == "lbc: `1.part` has marks to pin too; -i writes them there\n");
    auto const check = run_fmt(files, {"--pin-marks", "--check", "a.lb"});
    CHECK(check.status == 1);
    CHECK(check.out == "1.part\n");
    CHECK(run_fmt(files, {"--pin-marks", "1.part"}).status == 0); // a site without directors has no marks
    files["1.part"] += "x";
    CHECK(run_fmt(files, {"--pin-marks", "a.lb"}).status == 2);
    CHECK(run_fmt(files, {"--pin-marks", "gone.lb"}).status == 2);
}

TEST_CASE("a service that has other marks in other sites is not pinned") {
    auto const body = "    vip  1.1.1.1\n    port tcp 80\n    real 1.2.3.4\n";
    auto const site = std::string(directors) + "include \"web.part\"\n";
    std::map<std::string, std::string> files{
        {"a.lb", site}, {"b.lb", site}, {"c.lb", site + "marks 9-9\nguard off\n"}, {"web.part", service("web", body)}};
    CHECK(run_fmt(files, {"--pin-marks", "--check", "a.lb", "b.lb"}).out == "web.part\n");
    auto const result = run_fmt(files, {"--pin-marks", "--check", "a.lb", "c.lb"});
    CHECK(result.status == 2);
    CHECK(result.err == "lbc: `web` in `web.part` has the mark 0x191 in one site and 0x9 in another; give it a `mark` "
                        "by hand\n");
    // Here the mark of `defaults` is no longer asked for.
    files["d.lb"] = site + "defaults { mark 7 }\n";
    auto const other = run_fmt(files, {"--pin-marks", "--check", "a.lb", "d.lb"});
    CHECK(other.status == 2);
    CHECK(other.out.empty());
    CHECK(other.err == "lbc: `d.lb` would get other marks by those pinned in a file that it shares with another site; "
                       "give them by hand\n");
}
