#include "backends/emit/json/json_text.hpp"
#include "cli/report/clean_stream.hpp"
#include "grammar/utf8.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

using namespace lbc;

namespace {

std::string cleaned(std::string_view text, bool colour) {
    std::ostringstream to;
    {
        CleanBuffer buffer(to, colour);
        std::ostream stream(&buffer);
        for (char const c : text) // in parts, as a character may be
            stream << c;
        stream << std::string(text);
    }
    return to.str();
}

} // namespace

TEST_SUITE("utf8") {
    TEST_CASE("what is not seen is found, wherever it stands") {
        for (std::string_view const stray :
             {"\x01",         "\x1b",         "\x7f",         "\r",           "\x0b",         "\xc2\x80",
              "\xc2\x9b",     "\xc2\xad",     "\xd8\x9c",     "\xe2\x80\x8b", "\xe2\x80\x8f", "\xe2\x80\xa8",
              "\xe2\x80\xa9", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xef\xbb\xbf", "\xf3\xa0\x81\xa1",
              "\xff",         "\xc3",         "\xed\xa0\x80"}) {
            CAPTURE(stray);
            for (std::size_t before = 0; before < 20; ++before) {
                auto const text = std::string(before, 'a') + std::string(stray) + "a";
                CHECK(find_stray(text) == before);
                CHECK(printable(text).starts_with(std::string(before, 'a') + "?"));
            }
        }
        CHECK(find_stray(std::string("abcdefgh\0x", 10)) == 8);
    }

    TEST_CASE("what is seen stays") {
        std::string_view const text = "a\tb\r\nc\n \xc2\xa0 é ü ß ¡ ÿ € 日本 \xe2\x9a\xa0\xef\xb8\x8f 😀 ~";
        CHECK(find_stray(text) == text.size());
        CHECK(printable_lines(text) == text);
        CHECK(printable("a\nb\r\nc") == "a?b??c");
        CHECK(find_stray("") == 0);
    }

    TEST_CASE("joiners stand between letters that they join") {
        std::string const joiner = "\xe2\x80\x8d";
        std::string const non_joiner = "\xe2\x80\x8c";
        for (auto const& text : {"می" + non_joiner + "خواهم", "क्" + joiner + "ष", "क्" + non_joiner + "ष",
                                 "👩" + joiner + "💻", "❤\xef\xb8\x8f" + joiner + "🔥", "👩🏽" + joiner + "🚀"}) {
            CAPTURE(text);
            CHECK(find_stray(text) == text.size());
            CHECK(find_joiner(text) < text.size());
            CHECK(printable(text) == text);
        }
        for (auto const& text : {"a" + joiner + "b", "é" + joiner + "é", "а" + non_joiner + "а", joiner + "ش",
                                 "ش" + joiner, ("ش" + joiner).append(joiner).append("ش"), "ش" + joiner + " ش",
                                 "👩" + non_joiner + "💻", "ش" + joiner + "\xff"}) {
            CAPTURE(text);
            CHECK(find_stray(text) == std::min(text.find(joiner), text.find(non_joiner)));
        }
        CHECK(find_joiner("é ش") == std::string_view("é ش").size());
    }

    TEST_CASE("what looks like a space is found") {
        for (std::string_view const space : {"\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x8a", "\xe2\x80\xaf",
                                             "\xe2\x81\x9f", "\xe2\xa0\x80", "\xe3\x80\x80"})
            CHECK(find_false_space("é " + std::string(space)) == 3);
        CHECK(find_false_space("é b\xff") == 5);
    }

    TEST_CASE("a text is cut between characters") {
        CHECK(cut_text("aé", 2) == "a");
        CHECK(cut_text("aé", 3) == "aé");
        CHECK(cut_text("😀", 3).empty());
        CHECK(cut_text("\xbf\xbf\xbf\xbf\xbf", 4).size() == 4);
    }

    TEST_CASE("a printed text drives no terminal") {
        CHECK(cleaned("a\x1b[31mb\x1b[0m\n", false) == "a?[31mb?[0m\na?[31mb?[0m\n");
        CHECK(cleaned("a\x1b[31mb\x1b[0m\n", true) == "a\x1b[31mb\x1b[0m\na\x1b[31mb\x1b[0m\n");
        CHECK(cleaned("\x1b[8m\x1b]0;t\a\xc2\x9b"
                      "8m",
                      true) == "?[8m?]0;t??8m?[8m?]0;t??8m");
        CHECK(cleaned("é\xe2\x80\xae\xff", false) == "é??é??");
        auto const long_text = std::string(100'000, 'a') + "€\n" + std::string(100'000, 'b');
        CHECK(cleaned(long_text, false) == long_text + long_text);
    }

    TEST_CASE("JSON loses nothing and drives no terminal") {
        std::string const text = "é\x1b\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\xa1\n";
        auto const json = json_text({{"a", text}}, -1);
        CHECK(find_stray(json) == json.size());
        CHECK(json.find("é") != std::string::npos);
        CHECK(nlohmann::ordered_json::parse(json)["a"] == text);
    }
}
