#include "cli/commands.hpp"
#include "cli/site_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace lbc {
namespace {

std::string counts(SiteInput const& input, std::string const& file) {
    std::size_t reals = 0;
    for (auto const& service : input.site.services)
        reals += service.reals.size();
    return fmt::format("{}: directors {}, services {}, real servers {}, vrrp {}, errors {}, warnings {}\n", file,
                       input.site.directors.size(), input.site.services.size(), reals, input.site.vrrps.size(),
                       input.diagnostics.errors(), input.diagnostics.warnings());
}

/// Each site without an error has the proof, but for what is remembered without a guard.
bool proves_no_loop(SiteInput const& input) {
    return input.good() && std::ranges::none_of(input.diagnostics.sorted(), [](Diagnostic const& diagnostic) {
               return diagnostic.id == DiagId::stale_loop;
           });
}

} // namespace

Command add_check(CLI::App& subcommand) {
    struct Options {
        SiteOptions site;
        bool verbose = false;
    };
    auto options = std::make_shared<Options>();
    options->site.add_to(subcommand, false);
    subcommand.add_flag("-v,--verbose", options->verbose, "print a line of counts, and what is proved");
    return [options](Environment const& environment) {
        auto const input = read_site(options->site, environment);
        print_messages(*input, options->site, environment);
        if (options->verbose) {
            environment.out << counts(*input, options->site.file);
            if (proves_no_loop(*input))
                environment.out << "proved: no packet is balanced twice\n";
        }
        return input->good() ? Status::done : Status::bad_input;
    };
}

} // namespace lbc
