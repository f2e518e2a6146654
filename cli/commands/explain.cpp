#include "cli/commands/commands.hpp"
#include "cli/input/site_input.hpp"
#include "grammar/diagnostic.hpp"
#include "grammar/spell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace lbc {
namespace {

std::string_view word(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

} // namespace

Command add_explain(CommandOptions command) {
    struct Options {
        std::string id;
        bool markdown = false;
    };
    auto options = std::make_shared<Options>();
    command.text("ID", options->id, "the id in brackets behind a message; none lists them all");
    command.flag("--markdown", options->markdown, "print the page of all messages");
    return [options](Environment const& environment) {
        if (options->markdown) {
            environment.out << all_explanations();
            return Status::done;
        }
        std::vector<std::string_view> slugs;
        for (auto const& entry : all_diagnostics()) {
            slugs.push_back(entry.slug);
            if (options->id.empty())
                environment.out << fmt::format("{:<24}{}\n", entry.slug, word(entry.severity));
            if (entry.slug == options->id)
                environment.out << fmt::format("{} ({})\n\n{}\n", entry.slug, word(entry.severity), explanation(entry));
        }
        if (options->id.empty() || std::ranges::find(slugs, options->id) != slugs.end())
            return Status::done;
        print_failure(environment, fmt::format("no message has the id `{}`{}; `lbc explain` lists them", options->id,
                                               did_you_mean(options->id, slugs)));
        return Status::bad_input;
    };
}

} // namespace lbc
