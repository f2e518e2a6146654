#include "grammar/diagnostic.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace lbc;

namespace {

/// A file of one run, and what a message about the first `word` in it looks like.
struct Fixture {
    Sources sources;
    FileId file;

    explicit Fixture(std::string text, std::string name = "site.lb")
        : file(sources.add(std::move(name), std::move(text))) {}

    [[nodiscard]] Span span(std::string_view word) const {
        auto const at = sources[file].text().find(word);
        REQUIRE(at != std::string_view::npos);
        return {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + word.size())};
    }
    [[nodiscard]] std::string message(Span where) const {
        return render(sources, Diagnostic{DiagId::port_range, where, "wrong", {}}, {});
    }
    [[nodiscard]] std::string message(std::string_view word) const { return message(span(word)); }
};

} // namespace

TEST_CASE("a message shows its line and marks the place") {
    CHECK(Fixture("service web {\n    port tcp 70000\n}\n").message("70000") ==
          "site.lb:2:14: error: wrong [port-range]\n"
          "    2 |     port tcp 70000\n"
          "      |              ^~~~~\n");
}

TEST_CASE("the severity is the one of the id") {
    Fixture const fixture("port");
    auto const text = render(fixture.sources, Diagnostic{DiagId::unused, fixture.span("port"), "wrong", {}}, {});
    CHECK(text.starts_with("site.lb:1:1: warning: wrong ["));
    CHECK(Diagnostic{DiagId::unused, {}, {}, {}}.severity() == Severity::warning);
    CHECK(Diagnostic{DiagId::port_range, {}, {}, {}}.severity() == Severity::error);
}

TEST_CASE("tabs are shown as blanks and the caret stays below its word") {
    CHECK(Fixture("\tport\ttcp 70000\n").message("70000") == "site.lb:1:11: error: wrong [port-range]\n"
                                                             "    1 |     port    tcp 70000\n"
                                                             "      |                 ^~~~~\n");
}

TEST_CASE("a character of several bytes is one column wide") {
    CHECK(Fixture("# \xc3\xa9\xe2\x82\xac x").message("x") == "site.lb:1:6: error: wrong [port-range]\n"
                                                              "    1 | # \xc3\xa9\xe2\x82\xac x\n"
                                                              "      |      ^\n");
    CHECK(Fixture("\xc3\xa9\xc3\xa9").message("\xc3\xa9\xc3\xa9") == "site.lb:1:1: error: wrong [port-range]\n"
                                                                     "    1 | \xc3\xa9\xc3\xa9\n"
                                                                     "      | ^~\n");
}

TEST_CASE("control characters never reach the terminal") {
    auto const text = Fixture("a\x1b[31m\x7f\x08 b\r\n").message("b");
    CHECK(text == "site.lb:1:10: error: wrong [port-range]\n"
                  "    1 | a?[31m?? b\n"
                  "      |          ^\n");
}

TEST_CASE("neither do those of a message, a note or a file's name") {
    Fixture const fixture("port\n", "a\x1b[2J.lb");
    Diagnostic diagnostic{DiagId::port_range, fixture.span("port"), "no `\x1b[31m`", {}};
    diagnostic.note(fixture.span("port"), "\xc2\x9b"
                                          "31m");
    for (char const c : render(fixture.sources, diagnostic, {}))
        CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    CHECK(render(fixture.sources, diagnostic, {}).find("\xc2\x9b") == std::string::npos);
}

TEST_CASE("an empty place has a caret, also at the end of the file") {
    Fixture const fixture("port tcp");
    CHECK(fixture.message(Span{fixture.file, 8, 8}) == "site.lb:1:9: error: wrong [port-range]\n"
                                                       "    1 | port tcp\n"
                                                       "      |         ^\n");
    Fixture const ended("port\n");
    CHECK(ended.message(Span{ended.file, 5, 5}) == "site.lb:2:1: error: wrong [port-range]\n");
    Fixture const empty("");
    CHECK(empty.message(Span{empty.file, 0, 0}) == "site.lb:1:1: error: wrong [port-range]\n");
}

TEST_CASE("a place of several lines is marked to the end of its first") {
    CHECK(Fixture("a {\n b\n}\n").message("{\n b\n}") == "site.lb:1:3: error: wrong [port-range]\n"
                                                         "    1 | a {\n"
                                                         "      |   ^\n");
}

TEST_CASE("of a line too long to show, what stands around the place is shown") {
    auto const text = Fixture(std::string(10'000, 'x') + " y" + std::string(10'000, 'z')).message("y");
    CHECK(text == "site.lb:1:10002: error: wrong [port-range]\n    1 | " + std::string(79, 'x') + " y" +
                      std::string(79, 'z') + "\n      | " + std::string(80, ' ') + "^\n");
}

TEST_CASE("notes show their own place, also in another file") {
    Sources sources;
    auto const first = sources.add("a.lb", "vip 192.0.2.1\n");
    auto const second = sources.add("b.lb", "vip 192.0.2.1\n");
    Diagnostic diagnostic{DiagId::duplicate_vip, {second, 4, 13}, "taken", {}};
    diagnostic.note({first, 4, 13}, "first claimed here");
    CHECK(render(sources, diagnostic, {}) == "b.lb:1:5: error: taken [duplicate-vip]\n"
                                             "    1 | vip 192.0.2.1\n"
                                             "      |     ^~~~~~~~~\n"
                                             "a.lb:1:5: note: first claimed here\n"
                                             "    1 | vip 192.0.2.1\n"
                                             "      |     ^~~~~~~~~\n");
}

TEST_CASE("colour adds escapes and changes nothing else") {
    Fixture const fixture("port tcp 70000\n");
    Diagnostic const diagnostic{DiagId::port_range, fixture.span("70000"), "wrong", {}};
    auto coloured = render(fixture.sources, diagnostic, {.colour = true});
    CHECK(coloured.find("\x1b[1;31m") != std::string::npos);
    for (auto at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b'))
        coloured.erase(at, coloured.find('m', at) - at + 1);
    CHECK(coloured == render(fixture.sources, diagnostic, {}));
}

TEST_CASE("one message for each mistake, in the order of the places") {
    Diagnostics diagnostics;
    diagnostics.report(DiagId::port_range, {FileId{0}, 9, 10}, "port {} is wrong", 70000);
    diagnostics.add(DiagId::unused, {FileId{0}, 3, 4}, "unused");
    diagnostics.add(DiagId::port_range, {FileId{0}, 9, 10}, "an echo").note({}, "of an echo");
    diagnostics.add(DiagId::bad_mac, {FileId{0}, 9, 10}, "another kind").note({FileId{0}, 1, 2}, "here");
    diagnostics.add(DiagId::bad_mac, {FileId{1}, 0, 1}, "another file");
    CHECK(diagnostics.has_errors());
    CHECK(diagnostics.errors() == 3);
    CHECK(diagnostics.warnings() == 1);
    auto const all = diagnostics.sorted();
    REQUIRE(all.size() == 4);
    CHECK(all[0].message == "unused");
    CHECK(all[1].message == "port 70000 is wrong");
    CHECK(all[1].notes.empty());
    CHECK(all[2].message == "another kind");
    CHECK(all[2].notes.size() == 1);
    CHECK(all[3].message == "another file");
}

TEST_CASE("every id has a slug of its own and an explanation") {
    std::set<std::string_view> slugs;
    std::size_t sections = 0;
    for (auto at = all_explanations().find("\n## "); at != std::string_view::npos;
         at = all_explanations().find("\n## ", at + 1))
        ++sections;
    CHECK(sections == diag_count);
    for (auto const& entry : all_diagnostics()) {
        CHECK(&info(entry.id) == &entry);
        CHECK_MESSAGE(slugs.insert(entry.slug).second, std::string(entry.slug));
        CHECK_MESSAGE(entry.slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos,
                      std::string(entry.slug));
        CHECK_FALSE_MESSAGE(explanation(entry).empty(), std::string(entry.slug));
    }
}
