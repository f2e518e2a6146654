// Any bytes as a site file: the run ends in a site or in messages, never in a crash; every place lies in the text; and
// what is free of errors can be planned, arranged and printed. What is free of syntax errors has a canonical form,
// which says the same.
#include "backends/emit/sh/sh.hpp"
#include "backends/restore/restore.hpp"
#include "compiler/layout/layout.hpp"
#include "grammar/format.hpp"
#include "grammar/grammar.hpp"
#include "tests/fuzz/support.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace {

using lbc::fuzz::require;

void check_span(lbc::Sources const& sources, lbc::Span span) {
    require(span.begin <= span.end && span.end <= sources[span.file].text().size(), "a place lies in the text");
}

/// The script of a site without errors.
std::string script(lbc::Site const& site) {
    std::vector<lbc::Plan> plans;
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        plans.push_back(lbc::make_plan(site, {i}));
        for (auto const family : lbc::families)
            require(!lbc::restore_text(lbc::layout_linear(site, plans.back().marks, family), {.director = "d"}).empty(),
                    "every director has rules");
    }
    return lbc::sh_script(site, plans, lbc::layout_linear);
}

void check_messages(lbc::SiteInput const& compiled) {
    for (auto const& diagnostic : compiled.diagnostics.sorted()) {
        check_span(compiled.sources, diagnostic.span);
        for (auto const& note : diagnostic.notes)
            check_span(compiled.sources, note.span);
        require(!lbc::render(compiled.sources, diagnostic, {}).empty(), "a message has words");
    }
}

bool has_syntax_errors(std::string const& text) {
    lbc::Sources sources;
    lbc::Diagnostics diagnostics;
    static_cast<void>(lbc::parse(sources, sources.add("site.lb", text), diagnostics));
    return diagnostics.has_errors();
}

/// What has no syntax error has a canonical form, which is its own, and says the same.
void check_format(std::string const& text, lbc::SiteInput const& compiled) {
    auto const once = lbc::format(text);
    require(once.has_value() != has_syntax_errors(text), "what can be parsed can be formatted", text);
    if (!once)
        return;
    require(lbc::format(*once) == once, "the canonical form is its own", *once);
    auto const formatted = lbc::fuzz::read_site(*once);
    require(formatted->diagnostics.errors() == compiled.diagnostics.errors(), "the canonical form has the errors",
            *once);
    require(formatted->diagnostics.warnings() == compiled.diagnostics.warnings(), "and the warnings", *once);
    if (compiled.good())
        require(script(formatted->site) == script(compiled.site), "the canonical form says the same", *once);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(data, data + size);
    auto const compiled = lbc::fuzz::read_site(text);
    check_messages(*compiled);
    if (compiled->good())
        require(!script(compiled->site).empty(), "a site has a script");
    check_format(text, *compiled);
    return 0;
}
