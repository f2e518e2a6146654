// Any bytes as a site file: the run ends in a site or in messages, never in a crash; every place lies in the text; and
// what is free of errors can be planned, arranged and printed. What is free of syntax errors has a canonical form,
// which says the same.
#include "backends/keepalived/keepalived.hpp"
#include "backends/restore/restore.hpp"
#include "backends/sh/sh.hpp"
#include "compiler/layout/layout.hpp"
#include "compiler/resolve.hpp"
#include "grammar/format.hpp"
#include "grammar/grammar.hpp"
#include "grammar/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// One file, which cannot include another.
class OneFile final : public lbc::FileReader {
public:
    explicit OneFile(std::string text) : text_(std::move(text)) {}

    lbc::FileText read(std::string const& path, std::size_t) override {
        if (path == "fuzz.lb")
            return text_;
        return std::unexpected("No such file or directory");
    }
    lbc::FilePaths glob(std::string const&, std::string const&) override { return std::vector<std::string>{}; }
    std::string identity(std::string const& path) override { return path; }

private:
    std::string text_;
};

void require(bool holds) {
    if (!holds)
        std::abort();
}

/// Each line has room in its reader's buffer, and nothing in it drives a terminal.
void check_lines(std::string_view text, std::size_t longest) {
    require(lbc::find_stray(text) == text.size());
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find('\n', at), text.size());
        require(end - at <= longest);
        at = end + 1;
    }
}

void check_span(lbc::Sources const& sources, lbc::Span span) {
    require(span.begin <= span.end && span.end <= sources[span.file].text().size());
}

struct Compiled {
    lbc::Sources sources;
    lbc::Diagnostics diagnostics;
    lbc::Site site;

    explicit Compiled(std::string text) {
        OneFile reader(std::move(text));
        site = lbc::compile("fuzz.lb", reader, sources, diagnostics);
    }

    /// The script of a site without errors.
    [[nodiscard]] std::string script() const {
        std::vector<lbc::Plan> plans;
        for (std::size_t i = 0; i < site.directors.size(); ++i) {
            plans.push_back(lbc::make_plan(site, {i}));
            for (auto const family : lbc::families)
                check_lines(lbc::restore_text(lbc::layout_linear(site, plans.back().marks, family), {.director = "d"}),
                            1000);
        }
        check_lines(lbc::keepalived_text(site, plans), 1022);
        return lbc::sh_script(site, plans, lbc::layout_linear);
    }
};

void check_messages(Compiled const& compiled) {
    for (auto const& diagnostic : compiled.diagnostics.sorted()) {
        check_span(compiled.sources, diagnostic.span);
        for (auto const& note : diagnostic.notes)
            check_span(compiled.sources, note.span);
        require(!lbc::render(compiled.sources, diagnostic, {}).empty());
    }
}

bool has_syntax_errors(std::string const& text) {
    lbc::Sources sources;
    lbc::Diagnostics diagnostics;
    static_cast<void>(lbc::parse(sources, sources.add("fuzz.lb", text), diagnostics));
    return diagnostics.has_errors();
}

/// What has no syntax error has a canonical form, which is its own, and says the same.
void check_format(std::string const& text, Compiled const& compiled) {
    auto const once = lbc::format(text);
    require(once.has_value() != has_syntax_errors(text));
    if (!once)
        return;
    require(lbc::format(*once) == once);
    Compiled const formatted(*once);
    require(formatted.diagnostics.errors() == compiled.diagnostics.errors());
    require(formatted.diagnostics.warnings() == compiled.diagnostics.warnings());
    if (!compiled.diagnostics.has_errors())
        require(formatted.script() == compiled.script());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(data, data + size);
    Compiled const compiled(text);
    check_messages(compiled);
    if (!compiled.diagnostics.has_errors())
        require(!compiled.script().empty());
    check_format(text, compiled);
    return 0;
}
