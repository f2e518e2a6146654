#include "grammar/grammar.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

struct Parsed {
    Sources sources;
    Diagnostics diagnostics;
    ast::File file;

    explicit Parsed(std::string text) : file(parse(sources, sources.add("t.lb", std::move(text)), diagnostics)) {}

    [[nodiscard]] std::vector<ast::Node> top() const {
        auto const nodes = ast::Node::top_level(file);
        return {nodes.begin(), nodes.end()};
    }
    [[nodiscard]] std::vector<std::string> messages() const {
        std::vector<std::string> list;
        for (auto const& diagnostic : diagnostics.sorted()) {
            auto const at = sources.position(diagnostic.span);
            list.push_back(fmt::format("{}:{} {}", at.line, at.column, info(diagnostic.id).slug));
        }
        return list;
    }
};

/// The tree on one line: words with `,` before those behind a comma, blocks in braces.
template <typename Nodes>
std::string shape(Nodes const& nodes) {
    std::string text;
    for (auto const& node : nodes) {
        if (node.words().empty() && !node.has_block())
            continue; // what stands for a stray character
        for (auto const& word : node.words())
            text += (word.after_comma()                   ? ", "
                     : text.empty() || text.back() == ' ' ? ""
                                                          : " ") +
                    std::string(word.text());
        if (node.has_block())
            text += " { " + shape(node.block()) + "}";
        text += "; ";
    }
    return text;
}

using Messages = std::vector<std::string>;

} // namespace

TEST_CASE("a statement ends at the line, a semicolon or the closing brace") {
    Parsed const p("a 1\nb 2; c 3\nd { e 4; f 5 } g { h }\n\n;;\ni");
    CHECK(p.messages().empty());
    CHECK(shape(p.top()) == "a 1; b 2; c 3; d { e 4; f 5; }; g { h; }; i; ");
}

TEST_CASE("a list goes on behind a comma on the next line") {
    Parsed const p("mac a, # first\n    b,\n\n    c\naddress d");
    CHECK(p.messages().empty());
    CHECK(shape(p.top()) == "mac a, b, c; address d; ");
}

TEST_CASE("strings keep what would end a word, and know their escapes") {
    Parsed const p(R"(d "a # { } ; , = \" \\ \n" x)");
    REQUIRE(p.messages().empty());
    auto const words = p.top()[0].words();
    REQUIRE(words.size() == 3);
    CHECK(words[1].kind() == ast::Word::Kind::string);
    CHECK(unescape(words[1].text()) == "a # { } ; , = \" \\ \n");
    CHECK(words[2].text() == "x");
}

TEST_CASE("variables and equals signs are words of their own kind") {
    Parsed const p("let peers=a\nbypass $peers");
    REQUIRE(p.messages().empty());
    CHECK(p.top()[0].words()[2].kind() == ast::Word::Kind::equals);
    CHECK(p.top()[1].words()[1].kind() == ast::Word::Kind::variable);
    CHECK(p.top()[1].words()[1].text() == "peers");
}

TEST_CASE("spans are bytes of the source") {
    Parsed const p("# é\nvip \"x\" $y");
    auto const words = p.top()[0].words();
    CHECK(p.sources.text(words[0].span()) == "vip");
    CHECK(p.sources.text(words[1].span()) == "\"x\"");
    CHECK(p.sources.text(words[2].span()) == "$y");
    CHECK(p.sources.position(words[2].span()) == Position{2, 9});
}

TEST_CASE("a syntax error is reported once and the next statement is read") {
    Parsed const p("a , , b\nc 1\nd \"open\ne 2\n} f 3");
    CHECK(p.messages() == Messages{"1:5 syntax", "3:3 unclosed-string", "5:1 misplaced-block"});
    CHECK(shape(p.top()) == "a; c 1; d open; e 2; f 3; ");
    CHECK(p.top()[0].broken());
    CHECK_FALSE(p.top()[1].broken());
}

TEST_CASE("a brace on the next line is taken for the statement above") {
    Parsed const p("service web\n{\n    vip x\n}\nnext");
    CHECK(p.messages() == Messages{"2:1 misplaced-block"});
    CHECK(shape(p.top()) == "service web { vip x; }; next; ");
}

TEST_CASE("a block that is never closed ends before the next declaration") {
    Parsed const p("service a {\n    vip x\nservice b {\n    vip y\n}\n");
    CHECK(p.messages() == Messages{"1:11 unclosed-block"});
    CHECK(shape(p.top()) == "service a { vip x; }; service b { vip y; }; ");
}

TEST_CASE("blocks nest three deep and no deeper") {
    Parsed const good("a { b { c { d } } }");
    CHECK(good.messages().empty());
    Parsed const deep("a { b { c { d { e } } } }\nf");
    CHECK(deep.messages() == Messages{"1:15 misplaced-block"});
    CHECK(shape(deep.top()) == "a { b { c { d; }; }; }; f; ");
}

TEST_CASE("input without end of errors is read in bounded steps") {
    CHECK(Parsed(std::string(200'000, '{')).diagnostics.has_errors());
    CHECK(Parsed(std::string(200'000, '}')).diagnostics.errors() <= 202);
    CHECK(Parsed(std::string(200'001, '"')).diagnostics.has_errors());
    CHECK(Parsed(std::string(200'000, ',')).diagnostics.has_errors());
    CHECK(Parsed(std::string(1000, '\0')).diagnostics.has_errors());
    CHECK_FALSE(Parsed("").diagnostics.has_errors());
}
