// Any bytes as a site file: the run ends in a site or in messages, never in a crash; every place lies in the text; and
// what is free of errors can be planned, arranged and printed.
#include "backends/restore/restore.hpp"
#include "backends/sh/sh.hpp"
#include "compiler/layout.hpp"
#include "compiler/resolve.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

/// One file, which cannot include another.
class OneFile final : public lbc::FileReader {
public:
    explicit OneFile(std::string text) : text_(std::move(text)) {}

    std::expected<std::string, std::string> read(std::string const& path, std::size_t) override {
        if (path == "fuzz.lb")
            return text_;
        return std::unexpected("No such file or directory");
    }
    std::expected<std::vector<std::string>, std::string> glob(std::string const&) override {
        return std::vector<std::string>{};
    }
    std::string identity(std::string const& path) override { return path; }

private:
    std::string text_;
};

void require(bool holds) {
    if (!holds)
        std::abort();
}

void check_span(lbc::Sources const& sources, lbc::Span span) {
    require(span.begin <= span.end && span.end <= sources[span.file].text().size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    OneFile reader(std::string(data, data + size));
    lbc::Sources sources;
    lbc::Diagnostics diagnostics;
    auto const site = lbc::compile("fuzz.lb", reader, sources, diagnostics);
    for (auto const& diagnostic : diagnostics.sorted()) {
        check_span(sources, diagnostic.span);
        for (auto const& note : diagnostic.notes)
            check_span(sources, note.span);
        require(!lbc::render(sources, diagnostic, {}).empty());
    }
    if (diagnostics.has_errors())
        return 0;
    std::vector<lbc::Plan> plans;
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        plans.push_back(lbc::make_plan(site, {i}));
        for (auto const family : lbc::families)
            require(
                !lbc::restore_text(lbc::layout_linear(site, plans.back().marks, family), {.director = "d"}).empty());
    }
    require(!lbc::sh_script(site, plans, lbc::layout_linear).empty());
    return 0;
}
