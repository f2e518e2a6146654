// A mutator for texts of lines and words, so that a fuzzer gets past a parser: half of its steps move lines, blocks and
// words of the text itself, or make a number one of those where something ends; the others are libFuzzer's own, which
// knows the dictionary.
#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Random = std::minstd_rand;
using Lines = std::vector<std::string>;

std::size_t below(Random& random, std::size_t size) {
    return std::uniform_int_distribution(std::size_t{0}, size - 1)(random);
}

Lines split(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        auto const size = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, size));
        text.remove_prefix(std::min(size + 1, text.size()));
    }
    return lines;
}

bool is_word(char c) {
    constexpr std::string_view parting = " \t{};,=\"[]()";
    return static_cast<unsigned char>(c) > 0x20 && !parting.contains(c);
}

/// A word's place in a line.
using Place = std::pair<std::size_t, std::size_t>;

std::vector<Place> words_of(std::string_view line) {
    std::vector<Place> words;
    for (std::size_t at = 0; at < line.size();) {
        auto end = at;
        while (end < line.size() && is_word(line[end]))
            ++end;
        if (end > at)
            words.emplace_back(at, end - at);
        at = end + 1;
    }
    return words;
}

/// A word of a line that is drawn; empty where there is none.
std::string draw_word(Lines const& lines, Random& random) {
    auto const& line = lines[below(random, lines.size())];
    auto const words = words_of(line);
    if (words.empty())
        return {};
    auto const [at, size] = words[below(random, words.size())];
    return line.substr(at, size);
}

std::string draw_number(Random& random) {
    static constexpr std::array<std::string_view, 22> numbers{
        "0",     "1",   "2",   "7",   "15",  "16",   "31",         "32",    "33", "64",      "65",
        "65535", "128", "129", "255", "256", "1024", "2147483647", "65536", "80", "80-8080", "4294967296",
    };
    return std::string(numbers[below(random, numbers.size())]);
}

void replace_word(Lines& lines, Random& random) {
    auto& line = lines[below(random, lines.size())];
    auto const words = words_of(line);
    if (words.empty())
        return;
    auto const [at, size] = words[below(random, words.size())];
    auto const other = below(random, 4) == 0 ? draw_number(random) : draw_word(lines, random);
    switch (below(random, 4)) {
    case 0: line.insert(at, other + ' '); break;
    case 1: line.erase(at, size); break;
    default: line.replace(at, size, other);
    }
}

void replace_number(Lines& lines, Random& random) {
    auto& line = lines[below(random, lines.size())];
    auto const from = below(random, line.size() + 1);
    auto const at = line.find_first_of("0123456789", from);
    if (at == std::string::npos)
        return;
    auto const end = std::min(line.find_first_not_of("0123456789", at), line.size());
    line.replace(at, end - at, draw_number(random));
}

/// From a line that opens a block to the one that closes it.
void double_block(Lines& lines, Random& random) {
    auto const first = below(random, lines.size());
    auto const opens = std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end(),
                                    [](std::string const& line) { return line.ends_with('{'); });
    auto const closes = std::find_if(opens, lines.end(), [](std::string const& line) { return line.ends_with('}'); });
    if (closes == lines.end())
        return;
    Lines const block(opens, closes + 1);
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(below(random, lines.size() + 1)), block.begin(),
                 block.end());
}

void move_lines(Lines& lines, Random& random) {
    auto const from = lines.begin() + static_cast<std::ptrdiff_t>(below(random, lines.size()));
    auto const to = lines.begin() + static_cast<std::ptrdiff_t>(below(random, lines.size()));
    switch (below(random, 4)) {
    case 0: std::iter_swap(from, to); break;
    case 1: lines.erase(from); break;
    default: {
        auto const copy = *from;
        lines.insert(to, copy);
    }
    }
}

void change(Lines& lines, Random& random) {
    switch (below(random, 6)) {
    case 0: return double_block(lines, random);
    case 1: return replace_number(lines, random);
    case 2:
    case 3: return move_lines(lines, random);
    default: return replace_word(lines, random);
    }
}

} // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
    Random random(seed);
    if (size == 0 || below(random, 2) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    auto lines = split({reinterpret_cast<char const*>(data), size});
    for (auto steps = 1 + below(random, 4); steps > 0 && !lines.empty(); --steps)
        change(lines, random);
    std::string text;
    for (auto const& line : lines)
        (text += line) += '\n';
    text.resize(std::min(text.size(), max_size));
    std::ranges::copy(text, data);
    return text.size();
}
