#include "grammar/format.hpp"
#include "grammar/grammar.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

/// The canonical text, which is its own canonical text.
std::string canonical(std::string_view text) {
    auto const once = format(text);
    REQUIRE_MESSAGE(once, once.error());
    auto const twice = format(*once);
    REQUIRE_MESSAGE(twice, twice.error());
    CHECK(*twice == *once);
    return *once;
}

} // namespace

TEST_CASE("the first file of the language reference is canonical") {
    auto const* text = "# Two boxes.\n"
                       "director lb1 {\n"
                       "    mac       08:00:27:9e:ef:a0\n"
                       "    address   192.168.23.11\n"
                       "    interface eth0\n"
                       "}\n"
                       "\n"
                       "service web {\n"
                       "    vip       192.168.23.253\n"
                       "    scheduler rr\n"
                       "    mark      lb1 0x3, lb2 0x4\n"
                       "    one-packet\n"
                       "    real      lb1\n"
                       "}\n";
    CHECK(canonical(text) == text);
}

TEST_CASE("statements get a line, an indentation and a column for their values") {
    CHECK(canonical("service web{vip 1;port tcp 80\n\tscheduler\trr;  real a\n}director b { mac c\n}") ==
          "service web {\n"
          "    vip       1\n"
          "    port      tcp 80\n"
          "    scheduler rr\n"
          "    real      a\n"
          "}\n"
          "director b {\n"
          "    mac c\n"
          "}\n");
}

TEST_CASE("a blank line and a block on further lines part runs of columns, a comment does not") {
    CHECK(canonical("a {\nvip 1\n# why\nport 2\n\nreal x\ninterface y {\nz\n}\non b\nlocal-addresses\n}") ==
          "a {\n"
          "    vip  1\n"
          "    # why\n"
          "    port 2\n"
          "\n"
          "    real x\n"
          "    interface y {\n"
          "        z\n"
          "    }\n"
          "    on b\n"
          "    local-addresses\n"
          "}\n");
}

TEST_CASE("lets stand in columns of their own") {
    CHECK(canonical("marks 1-2\nguard off\nlet a=1,2\nlet long = $a ,\n3\nipvs lbc") == "marks 1-2\n"
                                                                                        "guard off\n"
                                                                                        "let a    = 1, 2\n"
                                                                                        "let long = $a,\n"
                                                                                        "           3\n"
                                                                                        "ipvs lbc\n");
    CHECK(canonical("let a,\nb = c") == "let a,\n    b = c\n");
    CHECK(canonical("let a; = b\nlet; = = c\nlong d") == "let  a\n=    b\nlet\n=    = c\nlong d\n");
    CHECK(canonical("let\nlet a") == "let\nlet a\n");
}

TEST_CASE("a block of one line stays on it if it fits") {
    CHECK(canonical("service web {vip 1;;port tcp 80 ; real a { check tcp;}; }") ==
          "service web { vip 1; port tcp 80; real a { check tcp } }\n");
    CHECK(canonical("pool p {\nreal 1; real 2\ncheck tcp {every 1s} # fast\n}") ==
          "pool p {\n"
          "    real  1\n"
          "    real  2\n"
          "    check tcp { every 1s }    # fast\n"
          "}\n");
    auto const value = std::string(max_one_line_width - 7, 'v'); // `a { v }` and six more
    CHECK(canonical("a { " + value + " }") == "a { " + value + " }\n");
    CHECK(canonical("a { v" + value + " }") == "a { v" + value + " }\n");
    CHECK(canonical("a { vv" + value + " }") == "a {\n    vv" + value + "\n}\n");
    CHECK(canonical("a { b { c }; vv" + value + " }") == "a {\n    b { c }\n    vv" + value + "\n}\n");
    CHECK(canonical("a { b 1,\n2 }") == "a {\n    b 1,\n      2\n}\n");
    CHECK(canonical("a 1,\n2 { b; c }") == "a 1,\n  2 {\n    b\n    c\n}\n");
}

TEST_CASE("an empty block without a comment has no line of its own") {
    CHECK(canonical("a {\n\n;\n}") == "a { }\n");
    CHECK(canonical("a {}") == "a { }\n");
    CHECK(canonical("a {\n#\n}") == "a {\n    #\n}\n");
    CHECK(canonical("a { # x\n}") == "a {    # x\n}\n");
}

TEST_CASE("blocks in blocks") {
    CHECK(canonical("service a{real b {\ncheck c {\nd e}}}") == "service a {\n"
                                                                "    real b {\n"
                                                                "        check c {\n"
                                                                "            d e\n"
                                                                "        }\n"
                                                                "    }\n"
                                                                "}\n");
}

TEST_CASE("a list keeps its lines and stands under its first element") {
    CHECK(canonical("s {\nport tcp 1 ,2,\n\n\n3,\n 4\nmark lb1 1,\nlb2 2\nmac a,\nb\nname,\nx\n}") ==
          "s {\n"
          "    port tcp 1, 2,\n"
          "             3,\n"
          "             4\n"
          "    mark lb1 1,\n"
          "         lb2 2\n"
          "    mac  a,\n"
          "         b\n"
          "    name,\n"
          "          x\n"
          "}\n");
    auto const word = std::string(90, 'w');
    CHECK(canonical("a " + word + " b,\n c\n" + word + " a,\n b") ==
          "a " + word + " b,\n    c\n" + word + " a,\n    b\n");
}

TEST_CASE("comments stay above and behind what they stand above and behind") {
    CHECK(canonical("#file\n\n\n\n# top\n a b#1\nccc{#2\n\n# in\nd e;f g;#3\n\n# last  \n\n} # 4\n\n#end") ==
          "#file\n"
          "\n"
          "# top\n"
          "a b      #1\n"
          "ccc {    #2\n"
          "    # in\n"
          "    d e\n"
          "    f g    #3\n"
          "\n"
          "    # last\n"
          "}    # 4\n"
          "\n"
          "#end\n");
    CHECK(canonical("a b, # b\n # c\n\n # too\n c, #\n d # d\ne f # f\n") == "a b,    # b\n"
                                                                             "  # c\n"
                                                                             "  # too\n"
                                                                             "  c,    #\n"
                                                                             "  d     # d\n"
                                                                             "e f     # f\n");
    CHECK(canonical("a\n ; # alone\nb") == "a\n# alone\nb\n");
    CHECK(canonical("#;{}\"\na") == "#;{}\"\na\n");
}

TEST_CASE("comments behind neighbouring lines stand in one column, but for very long lines") {
    auto const longest = std::string(max_one_line_width, 'w');
    auto const longer = longest + 'w';
    CHECK(canonical("a # 1\nbbb # 2\nc\nd # 3\n\neee # 4\n") == "a      # 1\nbbb    # 2\nc\nd    # 3\n\neee    # 4\n");
    CHECK(canonical("a # 1\n" + longer + " # 2\n") == "a    # 1\n" + longer + "    # 2\n");
    CHECK(canonical("a # 1\n" + longest + " # 2\n") ==
          "a" + std::string(max_one_line_width - 1, ' ') + "    # 1\n" + longest + "    # 2\n");
}

TEST_CASE("strings are kept byte for byte, and so is what only looks like syntax in them") {
    CHECK(canonical("d   \"a  # { } ; , = \\\" \\\\ 02-00-00-00-00-0A\t\"   # c\n") ==
          "d \"a  # { } ; , = \\\" \\\\ 02-00-00-00-00-0A\t\"    # c\n");
    CHECK(canonical("a \"b\"c\"d\" \"e\",\"f\"") == "a \"b\" c \"d\" \"e\", \"f\"\n");
    CHECK(canonical("ab \"ü\" x # 1\nabc \"uu\" x # 2") == "ab  \"ü\" x     # 1\nabc \"uu\" x    # 2\n");
}

TEST_CASE("MACs are written in lower case with colons, where they can be nothing else") {
    CHECK(canonical("mac 02-00-00-00-00-0A, 02:00:00:00:00:0B\nbypass AA-BB-CC-DD-EE-FF") ==
          "mac    02:00:00:00:00:0a, 02:00:00:00:00:0b\nbypass aa:bb:cc:dd:ee:ff\n");
    // A director may be called that.
    CHECK(canonical("let a = AA-BB-CC-DD-EE-FF, AA:BB:CC:DD:EE:FF") ==
          "let a = AA-BB-CC-DD-EE-FF, aa:bb:cc:dd:ee:ff\n");
    CHECK(canonical("mac 02-00-00-00-00-0A-0B, 02-00:00-00-00-0A, 02-00-00-00-00-0G, 2001:DB8:AA:BB:C") ==
          "mac 02-00-00-00-00-0A-0B, 02-00:00-00-00-0A, 02-00-00-00-00-0G, 2001:DB8:AA:BB:C\n");
    CHECK(canonical("mark 0xAB, 007") == "mark 0xAB, 007\n");
}

TEST_CASE("line breaks of DOS, tabs and a byte order mark become canonical") {
    CHECK(canonical("\xEF\xBB\xBF# a\t\r\n\r\n\r\nb\tc,\r\n\td # e\r\nf\r\n") == "# a\n\nb c,\n  d    # e\nf\n");
}

TEST_CASE("a file may be empty") {
    CHECK(canonical("").empty());
    CHECK(canonical("\n \n;;\r\n").empty());
    CHECK(canonical("\xEF\xBB\xBF").empty());
    CHECK(canonical("\n\n# only\n\n\n# comments\n\n") == "# only\n\n# comments\n");
}

TEST_CASE("what has syntax errors has no canonical form") {
    for (auto const* text : {"a {", "}", "a\n{ b }", "a \"b", "a \"\\x\"", "a,", "\xFF", "# \xFF", "a \x01",
                             "a\nb,\n\n", "a { b { c { d { e } } } }", "a \"b\nc\""}) {
        CAPTURE(text);
        auto const none = format(text);
        REQUIRE_FALSE(none);
        CHECK(none.error() == "it has syntax errors");
    }
}

TEST_CASE("a text whose canonical form is too large is refused") {
    auto text = std::string(58, 'w') + " a,\n";
    for (std::size_t i = 0; i < (std::size_t{32} << 20U) / 60; ++i)
        text += "#\n"; // under the `a`
    CHECK(format(text + "b").error() == "it is larger than 32 MiB");
}

TEST_CASE("time and size are linear in what stands in a file, whatever is long in it") {
    constexpr std::size_t many = 20'000;
    std::string lines = std::string(longest_word, 'w') + " x, # c\n";
    for (std::size_t i = 0; i < many; ++i)
        lines += "y,\n";
    auto const list = canonical(lines + "z");
    CHECK(list.size() < many * 12);
    std::string keywords = std::string(longest_word, 'w') + " x # c\n";
    for (std::size_t i = 0; i < many; ++i)
        keywords += "y z # c\n";
    CHECK(canonical(keywords).size() < many * 16);
    std::string comments = "a b,\n";
    for (std::size_t i = 0; i < many; ++i)
        comments += "#\n";
    CHECK(canonical(comments + "c").size() < many * 8);
}
