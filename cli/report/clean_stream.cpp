#include "cli/report/clean_stream.hpp"

#include "grammar/utf8.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace lbc {
namespace {

constexpr std::size_t most_waiting = std::size_t{64} << 10U;

/// The length of lbc's colour code at the start of a text; 0 if there is none.
std::size_t colour_size(std::string_view text) {
    static constexpr std::array<std::string_view, 9> colours{"\x1b[0m",    "\x1b[1m",    "\x1b[31m",
                                                             "\x1b[32m",   "\x1b[33m",   "\x1b[1;31m",
                                                             "\x1b[1;32m", "\x1b[1;35m", "\x1b[1;36m"};
    auto const* const found =
        std::ranges::find_if(colours, [&](std::string_view colour) { return text.starts_with(colour); });
    return found == colours.end() ? 0 : found->size();
}

/// The size of the part of a text that ends neither within a character nor within a colour.
std::size_t whole_size(std::string_view text) {
    constexpr std::size_t longest_colour = 7;
    auto const whole = cut_text(text, text.size() - longest_colour);
    auto const escape = whole.rfind('\x1b');
    return escape != std::string_view::npos && whole.size() - escape < longest_colour ? escape : whole.size();
}

} // namespace

CleanBuffer::~CleanBuffer() { pass(waiting_.size()); }

CleanBuffer::int_type CleanBuffer::overflow(int_type byte) {
    if (traits_type::eq_int_type(byte, traits_type::eof()))
        return traits_type::not_eof(byte);
    auto const c = traits_type::to_char_type(byte);
    return xsputn(&c, 1) == 1 ? byte : traits_type::eof();
}

std::streamsize CleanBuffer::xsputn(char const* text, std::streamsize count) {
    waiting_.append(text, static_cast<std::size_t>(count));
    if (waiting_.size() >= most_waiting)
        pass(whole_size(waiting_));
    return count;
}

int CleanBuffer::sync() {
    pass(waiting_.size());
    return to_.flush() ? 0 : -1;
}

void CleanBuffer::pass(std::size_t size) {
    std::string_view const text(waiting_.data(), size);
    for (std::size_t at = 0; at < text.size();) {
        auto const stray = find_stray(text, at);
        to_ << text.substr(at, stray - at);
        at = stray;
        if (at == text.size())
            break;
        auto const colour = colour_ ? colour_size(text.substr(at)) : 0;
        to_ << (colour > 0 ? text.substr(at, colour) : "?");
        at += colour > 0 ? colour : std::max<std::size_t>(1, utf8_length(text, at));
    }
    waiting_.erase(0, size);
}

} // namespace lbc
