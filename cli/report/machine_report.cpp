#include "cli/report/machine_report.hpp"

#include "backends/observe/compare_machine.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <ostream>

namespace lbc {
namespace {

std::string_view severity_name(Diagnostic const& one) {
    return one.severity() == Severity::error ? "error" : "warning";
}

} // namespace

bool MachineFindings::is_fit_for_marks() const {
    return unknown.empty() && std::ranges::none_of(found, [](Diagnostic const& one) { return decides_marks(one.id); });
}

MachineFindings check_machine(SiteInput const& input, DirectorId director, Host const& host) {
    MachineFindings findings{&input.sources, {}, {}};
    auto const interfaces = host.interfaces();
    if (!interfaces) {
        findings.unknown = interfaces.error().message;
        return findings;
    }
    Diagnostics diagnostics;
    report_machine(input.site, director, host.name(), *interfaces, diagnostics);
    findings.found = diagnostics.sorted();
    return findings;
}

MachineFindings machine_findings(SiteInput const& input) {
    MachineFindings findings{&input.sources, {}, {}};
    std::ranges::copy_if(input.diagnostics.sorted(), std::back_inserter(findings.found),
                         [](Diagnostic const& one) { return is_about_machine(one.id); });
    return findings;
}

void report_this_machine(SiteInput& input, std::string const& name, Environment const& environment) {
    auto const director = choose_director(input.site, name, environment.host);
    if (!director)
        return; // the caller prints why
    auto const interfaces = environment.host.interfaces();
    if (interfaces)
        report_machine(input.site, *director, environment.host.name(), *interfaces, input.diagnostics);
    else
        environment.err << fmt::format("{}: note: {}, so it is not compared with the file\n",
                                       input.site[*director].name.value, printable(interfaces.error().message));
}

std::string machine_lines(MachineFindings const& findings) {
    std::string text;
    for (auto const& one : findings.found) {
        auto const position = findings.sources->position(one.span);
        text += fmt::format("  {}:{}:{}: {}: {} [{}]\n", (*findings.sources)[one.span.file].name(), position.line,
                            position.column, severity_name(one), one.message, info(one.id).slug);
    }
    if (!findings.unknown.empty())
        text += fmt::format("  unknown: {}\n", findings.unknown);
    return printable_lines(text);
}

nlohmann::ordered_json machine_json(MachineFindings const& findings) {
    if (!findings.unknown.empty())
        return nullptr;
    auto list = nlohmann::ordered_json::array();
    for (auto const& one : findings.found) {
        auto const position = findings.sources->position(one.span);
        list.push_back({{"file", (*findings.sources)[one.span.file].name()},
                        {"line", position.line},
                        {"column", position.column},
                        {"severity", severity_name(one)},
                        {"id", info(one.id).slug},
                        {"message", one.message}});
    }
    return list;
}

} // namespace lbc
