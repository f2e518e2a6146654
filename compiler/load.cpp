#include "compiler/load.hpp"

#include "grammar/grammar.hpp"

#include <algorithm>

namespace lbc {
namespace {

class Loader {
public:
    Loader(FileReader& reader, Sources& sources, Diagnostics& diagnostics)
        : reader_(reader), sources_(sources), diagnostics_(diagnostics) {}

    /// `include` is the statement's span; none for the file that the command names.
    void read(std::string const& path, Span const* include) {
        auto identity = reader_.identity(path);
        if (std::ranges::find(open_, identity) != open_.end()) {
            diagnostics_.report(DiagId::include_cycle, *include, "`{}` includes itself", path);
            return;
        }
        if (open_.size() > max_include_depth || program_.files.size() == max_files) {
            diagnostics_.report(DiagId::include_cycle, *include, "more than {} files include each other",
                                open_.size() > max_include_depth ? max_include_depth : max_files);
            return;
        }
        auto text = reader_.read(path, Sources::max_file_size);
        if (!text) {
            auto const where = include != nullptr ? *include : Span{sources_.add(path, {}), 0, 0};
            diagnostics_.report(include != nullptr ? DiagId::include_no_match : DiagId::cannot_read, where,
                                "cannot read `{}`: {}", path, text.error());
            return;
        }
        auto const id = sources_.add(path == "-" ? "<stdin>" : path, std::move(*text));
        auto const& file = program_.files.emplace_back(parse(sources_, id, diagnostics_));
        open_.push_back(std::move(identity));
        for (auto const& node : ast::Node::top_level(file)) {
            if (node.keyword() == "include" && !node.broken())
                include_files(node, path);
            else
                program_.statements.push_back(node);
        }
        open_.pop_back();
    }

    [[nodiscard]] Program take() { return std::move(program_); }

private:
    void include_files(ast::Node const& node, std::string const& from) {
        auto const words = node.words();
        if (words.size() != 2 || words[1].kind() != ast::Word::Kind::string || node.has_block()) {
            diagnostics_.report(DiagId::bad_string, node.span(), "expected `include \"PATTERN\"`");
            return;
        }
        auto const pattern = unescape(words[1].text());
        auto const folder = pattern.starts_with('/') ? std::string{} : reader_.folder(from);
        auto const where = words[1].span();
        if (pattern.find_first_of("*?[") == std::string::npos) {
            read(folder + pattern, &where);
            return;
        }
        auto const matches = reader_.glob(escape_pattern(folder) + pattern);
        if (!matches) {
            diagnostics_.report(DiagId::include_no_match, where, "cannot look for `{}{}`: {}", folder, pattern,
                                matches.error());
            return;
        }
        if (matches->empty())
            diagnostics_.report(DiagId::include_empty, where, "no file matches `{}{}`", folder, pattern);
        for (auto const& match : *matches)
            read(match, &where);
    }

    FileReader& reader_;
    Sources& sources_;
    Diagnostics& diagnostics_;
    Program program_;
    std::vector<std::string> open_; // identities of the files being read, outermost first
};

} // namespace

Program load(std::string const& path, FileReader& reader, Sources& sources, Diagnostics& diagnostics) {
    sources.set_folder(reader.folder(path));
    Loader loader(reader, sources, diagnostics);
    loader.read(path, nullptr);
    return loader.take();
}

} // namespace lbc
