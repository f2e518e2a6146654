#include "cli/commands.hpp"
#include "cli/site_input.hpp"
#include "grammar/diagnostic.hpp"
#include "grammar/spell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace lbc {
namespace {

std::string_view word(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

std::string everything() {
    std::string text =
        "# Messages\n\nEvery message of lbc ends with an id in brackets. This page has them all; it is what "
        "`lbc explain --markdown`\nprints, and `lbc explain ID` prints one.\n";
    for (auto const& entry : all_diagnostics())
        text += fmt::format("\n## {}\n\n*{}.* {}\n", entry.slug,
                            entry.severity == Severity::error ? "Error" : "Warning", entry.explanation);
    return text;
}

} // namespace

Command add_explain(CLI::App& subcommand) {
    struct Options {
        std::string id;
        bool markdown = false;
    };
    auto options = std::make_shared<Options>();
    subcommand.add_option("ID", options->id, "the id in brackets behind a message; none lists them all");
    subcommand.add_flag("--markdown", options->markdown, "print the page of all messages");
    return [options](Environment const& environment) {
        if (options->markdown) {
            environment.out << everything();
            return Status::done;
        }
        std::vector<std::string_view> slugs;
        for (auto const& entry : all_diagnostics()) {
            slugs.push_back(entry.slug);
            if (options->id.empty())
                environment.out << fmt::format("{:<24}{}\n", entry.slug, word(entry.severity));
            if (entry.slug == options->id)
                environment.out << fmt::format("{} ({})\n\n{}\n", entry.slug, word(entry.severity), entry.explanation);
        }
        if (options->id.empty() || std::ranges::find(slugs, options->id) != slugs.end())
            return Status::done;
        print_failure(environment, fmt::format("no message has the id `{}`{}; `lbc explain` lists them", options->id,
                                               did_you_mean(options->id, slugs)));
        return Status::bad_input;
    };
}

} // namespace lbc
