#include "grammar/source.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lbc {

SourceFile::SourceFile(std::string name, std::string text, FileId id, bool is_quoted)
    : name_(std::move(name)), text_(std::move(text)), id_(id), is_quoted_(is_quoted) {
    line_starts_.reserve(static_cast<std::size_t>(std::ranges::count(text_, '\n')) + 1);
    line_starts_.push_back(0);
    for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1))
        line_starts_.push_back(static_cast<std::uint32_t>(at + 1));
}

Position SourceFile::position(std::uint32_t offset) const {
    offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
    auto const after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    auto const line = static_cast<std::uint32_t>(after - line_starts_.begin());
    auto const start = *std::prev(after);
    auto const before = std::string_view(text_).substr(start, offset - start);
    // A UTF-8 character is counted at its first byte; continuation bytes are 10xxxxxx.
    auto const characters =
        std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    return {line, static_cast<std::uint32_t>(characters) + 1};
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
