#include "compiler/site/load.hpp"

#include "grammar/grammar.hpp"
#include "grammar/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace lbc {
namespace {

class Loader {
public:
    Loader(FileReader& reader, Sources& sources, Diagnostics& diagnostics)
        : reader_(reader), sources_(sources), diagnostics_(diagnostics) {}

    /// Reads the site file, which the user names.
    void read_site(std::string const& path, std::vector<std::string> const& include_from) {
        auto text = reader_.read_site(path, Sources::max_file_size, include_from);
        if (!text) {
            diagnostics_.report(DiagId::cannot_read, Span{sources_.add(path, {}), 0, 0}, "cannot read `{}`: {}", path,
                                text.error().words);
            return;
        }
        size_ = text->size();
        add(path, {.text = std::move(*text)});
    }

    [[nodiscard]] Program take() { return std::move(program_); }

private:
    void add(std::string const& path, Included included) {
        auto const id = sources_.add(path == "-" ? "<stdin>" : path, std::move(included.text), included.is_of_site);
        auto const& file = program_.files.emplace_back(parse(sources_, id, diagnostics_));
        open_.push_back(reader_.identity(path));
        for (auto const& node : ast::Node::top_level(file))
            if (node.keyword() == "include" && !node.broken())
                include_files(node, path);
            else
                program_.statements.push_back(node);
        open_.pop_back();
    }

    /// `where` is the span of the path in the include statement.
    void include(std::string const& path, Span where) {
        if (size_ > max_site_size)
            return;
        if (std::ranges::find(open_, reader_.identity(path)) != open_.end()) {
            diagnostics_.report(DiagId::include_cycle, where, "`{}` includes itself", path);
            return;
        }
        if (open_.size() > max_include_depth || program_.files.size() == max_files) {
            diagnostics_.report(DiagId::include_cycle, where, "more than {} files include each other",
                                open_.size() > max_include_depth ? max_include_depth : max_files);
            return;
        }
        auto included = reader_.read_include(path, Sources::max_file_size);
        if (!included)
            report("read", path, where, included.error());
        else if (size_ += included->text.size(); size_ > max_site_size)
            diagnostics_.report(DiagId::too_large, where,
                                "with `{}` the site is larger than {} MiB; split it, or include each file once", path,
                                max_site_size >> 20U);
        else
            add(path, std::move(*included));
    }

    void report(std::string_view verb, std::string const& path, Span where, FileProblem const& problem) {
        auto const id = problem.kind == FileProblem::Kind::outside    ? DiagId::include_outside
                        : problem.kind == FileProblem::Kind::too_many ? DiagId::too_large
                                                                      : DiagId::include_no_match;
        diagnostics_.report(id, where, "cannot {} `{}`: {}", verb, path, problem.words);
    }

    void include_files(ast::Node const& node, std::string const& from) {
        auto const words = node.words();
        if (words.size() != 2 || words[1].kind() != ast::Word::Kind::string || node.has_block()) {
            diagnostics_.report(DiagId::bad_string, node.span(), "expected `include \"PATTERN\"`");
            return;
        }
        auto const pattern = unescape(words[1].text());
        auto const folder = pattern.starts_with('/') ? std::string{} : reader_.folder(from);
        auto const where = words[1].span();
        if (auto const at = find_joiner(pattern); at < pattern.size()) {
            diagnostics_.report(DiagId::stray_character, where,
                                "the character U+{:04X}, which is not seen, cannot stand in a path",
                                static_cast<std::uint32_t>(code_point(pattern.substr(at, utf8_length(pattern, at)))));
            return;
        }
        if (pattern.find_first_of("*?[") == std::string::npos) {
            include(folder + pattern, where);
            return;
        }
        auto const matches = reader_.glob(folder, pattern);
        if (!matches) {
            report("look for", folder + pattern, where, matches.error());
            return;
        }
        if (matches->empty())
            diagnostics_.report(DiagId::include_empty, where, "no file matches `{}{}`", folder, pattern);
        for (auto const& match : *matches)
            include(match, where);
    }

    FileReader& reader_;
    Sources& sources_;
    Diagnostics& diagnostics_;
    Program program_;
    std::vector<std::string> open_; // identities of the files being read, outermost first
    std::size_t size_ = 0;          // bytes read so far
};

} // namespace

Program load(std::string const& path, FileReader& reader, Sources& sources, Diagnostics& diagnostics,
             std::vector<std::string> const& include_from) {
    sources.set_folder(reader.folder(path));
    Loader loader(reader, sources, diagnostics);
    loader.read_site(path, include_from);
    return loader.take();
}

} // namespace lbc
