#include "cli/report/drain_output.hpp"

#include "cli/report/site_names.hpp"

#include <fmt/format.h>

#include <ostream>

namespace lbc {
namespace {

std::string waits(bool for_nothing, std::chrono::milliseconds limit, bool json) {
    if (for_nothing)
        return "no connection to wait for";
    return fmt::format("waiting for connections to end, {}s at most{}; those that are left then are cut",
                       std::chrono::ceil<std::chrono::seconds>(limit).count(),
                       json ? "" : fmt::format(", until {}", clock_in(limit)));
}

} // namespace

void print_drain(DrainStage stage, std::vector<LeavingReal> const& left, std::chrono::milliseconds limit,
                 ApplyOutput const& output, Environment const& environment) {
    auto const say = [&](std::string_view text) { environment.err << fmt::format("{}: {}\n", output.who, text); };
    if (stage == DrainStage::waits)
        say(waits(left.empty(), limit, output.json));
    if (stage == DrainStage::stopped)
        say("told to end: the change is made, and what leaves is still there, at weight 0; `lbc apply` with --drain "
            "waits on, and without it removes them at once");
    static SiteNames const none;
    auto const& names = output.names == nullptr ? none : *output.names;
    for (auto const& one : left)
        say(fmt::format("{}: {} to {}{}", names.title(one.key), counted(one.connections, "connection"),
                        names.real(one.real), stage == DrainStage::cut ? " cut" : ""));
    environment.out.flush();
    environment.err.flush();
}

} // namespace lbc
