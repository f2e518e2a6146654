#include "grammar/source.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lbc {
namespace {

constexpr std::uint32_t block = 4096; // bytes

/// A UTF-8 character is counted at its first byte; continuation bytes are 10xxxxxx.
std::uint32_t characters_in(std::string_view bytes) {
    return static_cast<std::uint32_t>(
        std::ranges::count_if(bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

} // namespace

SourceFile::SourceFile(std::string name, std::string text, FileId id, bool is_quoted)
    : name_(std::move(name)), text_(std::move(text)), id_(id), is_quoted_(is_quoted) {
    line_starts_.reserve(static_cast<std::size_t>(std::ranges::count(text_, '\n')) + 1);
    line_starts_.push_back(0);
    for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1))
        line_starts_.push_back(static_cast<std::uint32_t>(at + 1));
    std::uint32_t count = 0;
    for (std::size_t at = 0; at <= text_.size(); at += block) {
        characters_.push_back(count);
        count += characters_in(std::string_view(text_).substr(at, block));
    }
}

std::uint32_t SourceFile::characters_before(std::uint32_t offset) const {
    auto const begin = offset / block * block;
    return characters_[offset / block] + characters_in(std::string_view(text_).substr(begin, offset - begin));
}

Position SourceFile::position(std::uint32_t offset) const {
    offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
    auto const after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    auto const line = static_cast<std::uint32_t>(after - line_starts_.begin());
    auto const start = *std::prev(after);
    return {line, characters_before(offset) - characters_before(start) + 1};
}

std::string_view SourceFile::line(std::uint32_t line) const {
    assert(line >= 1 && line <= line_starts_.size());
    auto const start = line_starts_[line - 1];
    auto const end = line < line_starts_.size() ? line_starts_[line] - 1 : static_cast<std::uint32_t>(text_.size());
    auto text = std::string_view(text_).substr(start, end - start);
    if (text.ends_with('\r'))
        text.remove_suffix(1);
    return text;
}

FileId Sources::add(std::string name, std::string text, bool is_quoted) {
    assert(text.size() <= max_file_size);
    auto const id = static_cast<FileId>(files_.size());
    files_.emplace_back(std::move(name), std::move(text), id, is_quoted);
    return id;
}

std::string_view Sources::name_in_site(FileId file) const {
    std::string_view name = (*this)[file].name();
    if (name.starts_with(folder_))
        name.remove_prefix(folder_.size());
    return name;
}

std::string_view Sources::text(Span span) const {
    return (*this)[span.file].text().substr(span.begin, span.end - span.begin);
}

} // namespace lbc
