#include "backends/os/write_file.hpp"
#include "cli/commands/commands.hpp"
#include "cli/input/site_input.hpp"
#include "compiler/site/pin_marks.hpp"
#include "compiler/site/resolve.hpp"
#include "grammar/format.hpp"
#include "grammar/grammar.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <expected>
#include <map>
#include <ostream>
#include <span>
#include <utility>

namespace lbc {
namespace {

struct Options {
    std::vector<std::string> files;
    bool in_place = false;
    bool check = false;
    bool pin_marks = false;
    SiteOptions site; // for the form of messages
};

/// A file and its new text.
struct Document {
    std::string path;
    FileId source{};
    bool is_named = false;          // on the command line; else it is included, and has marks to pin
    std::vector<MarkPin> pins = {}; // by their offsets
    std::string text = {};          // canonical
};

/// Reads the files as they will be: with the canonical texts instead of the present ones.
class Rewritten final : public FileReader {
public:
    Rewritten(FileReader& files, std::map<std::string, Document*> const& documents)
        : files_(files), documents_(documents) {}

    [[nodiscard]] FileText read(std::string const& path, std::size_t limit) override {
        auto const* text = find(path);
        return text != nullptr ? *text : files_.read(path, limit);
    }
    [[nodiscard]] FileText read_site(std::string const& path, std::size_t limit,
                                     std::span<std::string const> include_from) override {
        auto read = files_.read_site(path, limit, include_from);
        auto const* text = find(path);
        return text != nullptr ? *text : std::move(read);
    }
    [[nodiscard]] std::expected<Included, FileProblem> read_include(std::string const& path,
                                                                    std::size_t limit) override {
        auto const* text = find(path);
        return text != nullptr ? Included{.text = *text} : files_.read_include(path, limit);
    }
    [[nodiscard]] FilePaths glob(std::string const& folder, std::string const& pattern) override {
        return files_.glob(folder, pattern);
    }
    [[nodiscard]] std::string identity(std::string const& path) override { return files_.identity(path); }
    [[nodiscard]] std::string folder(std::string const& path) const override { return files_.folder(path); }

private:
    [[nodiscard]] std::string const* find(std::string const& path) {
        auto const found = documents_.find(files_.identity(path));
        return found == documents_.end() ? nullptr : &found->second->text;
    }

    FileReader& files_;
    std::map<std::string, Document*> const& documents_;
};

/// Every mark of a site, in an order that its text alone decides.
std::vector<Fwmark> marks_of(Site const& site) {
    std::vector<Fwmark> marks{site.guard_mark};
    for (auto const& service : site.services)
        for (auto const& on : service.on)
            marks.push_back(on.mark);
    for (auto const& [way, mark] : site.check_marks)
        marks.push_back(mark);
    return marks;
}

/// The files of one run. All errors in any of them are found before the first is written.
class Documents {
public:
    Documents(Options const& options, Environment const& environment, SiteInput& input)
        : options_(options), files_(environment.files), input_(input) {}

    /// Reads the named files. Mistakes in them are in `input`; the error is any other.
    std::expected<void, std::string> read() {
        for (auto const& path : options_.files) {
            auto const read = options_.pin_marks ? read_site(path) : read_file(path);
            if (!read)
                return read;
        }
        return {};
    }

    /// Makes the canonical text of each.
    std::expected<void, std::string> format() {
        for (auto& document : all_) {
            auto text = lbc::format(with_mark_pins(source(document), document.pins));
            if (!text)
                return std::unexpected(fmt::format("cannot format `{}`: {}", document.path, text.error()));
            document.text = std::move(*text);
        }
        return {};
    }

    /// Checks that every site keeps its marks: sites may share a file.
    std::expected<void, std::string> check_marks() {
        Rewritten files(files_, by_identity_);
        for (auto const& [path, marks] : marks_) {
            Sources sources;
            Diagnostics diagnostics;
            auto const site = compile(path, files, sources, diagnostics, options_.site.include_from);
            if (diagnostics.has_errors() || marks_of(site) != marks)
                return std::unexpected(fmt::format("`{}` would get other marks by those pinned in a file that it "
                                                   "shares with another site; give them by hand",
                                                   path));
        }
        return {};
    }

    [[nodiscard]] std::deque<Document> const& all() const { return all_; }
    [[nodiscard]] bool changes(Document const& document) const { return document.text != source(document); }

private:
    [[nodiscard]] std::string_view source(Document const& document) const {
        return input_.sources[document.source].text();
    }

    std::expected<void, std::string> read_file(std::string const& path) {
        auto text = files_.read(path, Sources::max_file_size);
        auto const id = input_.sources.add(path == "-" ? "<stdin>" : path, text ? std::move(*text) : std::string{});
        if (!text)
            input_.diagnostics.report(DiagId::cannot_read, {id, 0, 0}, "cannot read `{}`: {}", path,
                                      text.error().words);
        else
            static_cast<void>(parse(input_.sources, id, input_.diagnostics)); // for its messages
        find_or_add(path, id).is_named = true;
        return {};
    }

    std::expected<void, std::string> read_site(std::string const& path) {
        auto const program = load(path, files_, input_.sources, input_.diagnostics, options_.site.include_from);
        auto const site = resolve(program, input_.diagnostics);
        lbc::check(site, input_.diagnostics);
        if (!input_.good())
            return {};
        marks_.emplace_back(path, marks_of(site));
        auto* document = &find_or_add(path, program.files.front().id);
        document->is_named = true;
        auto file = program.files.front().id; // of `document`
        for (auto& pin : find_mark_pins(site, program, input_.sources)) {
            if (std::exchange(file, pin.file) != pin.file)
                document = pin.file == program.files.front().id
                               ? &find_or_add(path, pin.file)
                               : &find_or_add(input_.sources[pin.file].name(), pin.file);
            if (auto const added = add_pin(*document, std::move(pin)); !added)
                return added;
        }
        return {};
    }

    /// Adds a pin to a file, which can be part of several sites.
    std::expected<void, std::string> add_pin(Document& document, MarkPin pin) {
        auto const place = std::ranges::lower_bound(document.pins, pin.offset, {}, &MarkPin::offset);
        if (place == document.pins.end() || place->offset != pin.offset)
            document.pins.insert(place, std::move(pin));
        else if (place->mark != pin.mark)
            return std::unexpected(fmt::format("`{}` in `{}` has the mark {} in one site and {} in another; give it a "
                                               "`mark` by hand",
                                               pin.service, document.path, place->mark.str(), pin.mark.str()));
        return {};
    }

    Document& find_or_add(std::string const& path, FileId source) {
        auto const [place, fresh] = by_identity_.try_emplace(files_.identity(path), nullptr);
        if (fresh)
            place->second = &all_.emplace_back(Document{.path = path, .source = source});
        return *place->second;
    }

    Options const& options_;
    FileReader& files_;
    SiteInput& input_;
    std::deque<Document> all_; // a deque: `by_identity_` points into it
    std::map<std::string, Document*> by_identity_;
    std::vector<std::pair<std::string, std::vector<Fwmark>>> marks_; // of each site, by its path
};

Status print_names(Documents const& documents, Environment const& environment) {
    auto status = Status::done;
    for (auto const& document : documents.all()) {
        if (!documents.changes(document))
            continue;
        environment.out << printable(document.path) << '\n';
        status = Status::differs;
    }
    return status;
}

Status write_files(Documents const& documents, Environment const& environment) {
    for (auto const& document : documents.all()) {
        if (!documents.changes(document))
            continue;
        if (auto const written = write_file(document.path, document.text); !written)
            return fail(Status::refused, written.error().message, environment);
    }
    return Status::done;
}

Status print_text(Documents const& documents, Environment const& environment) {
    for (auto const& document : documents.all())
        if (document.is_named)
            environment.out << document.text;
        else
            print_failure(environment, fmt::format("`{}` has marks to pin too; -i writes them there", document.path));
    return Status::done;
}

Status format_files(Options const& options, Environment const& environment) {
    SiteInput input;
    Documents documents(options, environment, input);
    auto const read = documents.read();
    if (!input.good()) {
        print_messages(input, options.site, environment);
        return Status::bad_input;
    }
    if (!read)
        return fail(Status::bad_input, read.error(), environment);
    if (auto const formatted = documents.format(); !formatted)
        return fail(Status::refused, formatted.error(), environment);
    if (auto const same = documents.check_marks(); !same)
        return fail(Status::bad_input, same.error(), environment);
    if (options.check)
        return print_names(documents, environment);
    return options.in_place ? write_files(documents, environment) : print_text(documents, environment);
}

} // namespace

Command add_fmt(CommandOptions command) {
    auto options = std::make_shared<Options>();
    command.operands("FILE", options->files, "site files, or parts of them; - is standard input").not_empty();
    auto const in_place = command.flag("-i,--in-place", options->in_place, "write the files, where they change");
    command.flag("--check", options->check, "only name the files that would change, with status 1").excludes(in_place);
    command.flag("--pin-marks", options->pin_marks,
                 "write the marks that were allocated into the site, and into the files that it includes");
    options->site.add_options_to(command, false);
    options->site.writes = true;
    command.finally([options]() -> std::optional<UsageError> {
        if (options->files.size() > 1 && !options->in_place && !options->check)
            return UsageError{"FILE", "several files need -i or --check"};
        if (options->in_place && std::ranges::find(options->files, "-") != options->files.end())
            return UsageError{"-i", "cannot write standard input"};
        return std::nullopt;
    });
    return [options](Environment const& environment) { return format_files(*options, environment); };
}

} // namespace lbc
