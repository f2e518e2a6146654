// Source text and places in it. `Sources` owns the text of every file of a run until the run ends, so a
// `std::string_view` into it stays valid. A `Span` names a run of bytes in one file; `position` turns an offset into a
// line and column for people.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbc {

enum class FileId : std::uint32_t {};

/// Bytes `begin` to `end` (half open) of one file.
struct Span {
    FileId file{};
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    friend auto operator<=>(Span const&, Span const&) = default;
};

/// From the start of `first` to the end of `last`, both of one file.
[[nodiscard]] constexpr Span join(Span first, Span last) { return {first.file, first.begin, last.end}; }

/// Line and column, both from 1. A column is one UTF-8 character; a tab counts as one.
struct Position {
    std::uint32_t line = 1;
    std::uint32_t column = 1;

    friend auto operator<=>(Position const&, Position const&) = default;
};

/// The text of one file and its line table.
class SourceFile {
public:
    SourceFile(std::string name, std::string text, FileId id = {}, bool is_quoted = true);

    [[nodiscard]] FileId id() const { return id_; }

    /// The name as the user or an include gave it; never made absolute.
    [[nodiscard]] std::string const& name() const { return name_; }
    [[nodiscard]] std::string_view text() const { return text_; }
    /// Whether messages quote its lines. They do not quote a file that the author of the site may not be able to read.
    [[nodiscard]] bool is_quoted() const { return is_quoted_; }

    /// The position of a byte; an offset past the end gives that of the end.
    [[nodiscard]] Position position(std::uint32_t offset) const;

    /// The text of a line without its line break. `line` counts from 1 and must exist.
    [[nodiscard]] std::string_view line(std::uint32_t line) const;

private:
    /// Characters before an offset of at most the text's size.
    [[nodiscard]] std::uint32_t characters_before(std::uint32_t offset) const;

    std::string name_;
    std::string text_;
    std::vector<std::uint32_t> line_starts_;
    std::vector<std::uint32_t>
        characters_; // before each block of the text, so that a position costs no more than a block
    FileId id_;
    bool is_quoted_;
};

/// The files of one run, in the order in which they were read.
class Sources {
public:
    /// The largest file that is read, in bytes: spans have 32-bit offsets, and a site file is far smaller.
    static constexpr std::size_t max_file_size = std::size_t{32} << 20U;

    /// Takes the text of a file, which must have at most `max_file_size` bytes.
    FileId add(std::string name, std::string text, bool is_quoted = true);

    /// Sets the folder of the site file, with the `/`, as the name of that file gives it.
    void set_folder(std::string folder) { folder_ = std::move(folder); }
    /// The name of a file relative to the site's folder: it does not depend on where the site is read from.
    [[nodiscard]] std::string_view name_in_site(FileId file) const;

    [[nodiscard]] SourceFile const& operator[](FileId file) const { return files_[static_cast<std::size_t>(file)]; }
    [[nodiscard]] std::string_view text(Span span) const;
    [[nodiscard]] Position position(Span span) const { return (*this)[span.file].position(span.begin); }

private:
    std::string folder_;
    std::deque<SourceFile> files_; // a deque: a file never moves, so views into it stay valid
};

} // namespace lbc
