#include "cli/report/mark_check.hpp"

#include "backends/apply/observe.hpp"
#include "cli/report/verify_report.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace lbc {
namespace {

enum class Cause : std::uint8_t { others, own, dropped, unknown };

Cause cause_of(MarkFault const& fault) {
    if (fault.kind == MarkFault::Kind::unknown)
        return Cause::unknown;
    if (fault.kind == MarkFault::Kind::dropped)
        return Cause::dropped;
    return fault.decision && !fault.decision->is_own ? Cause::others : Cause::own;
}

} // namespace

std::string MarkCheck::title() const {
    if (!unreadable.empty())
        return fmt::format("unknown: {}", unreadable);
    if (by_others > 0)
        return "overridden by a foreign rule";
    if (by_own > 0)
        return "not as the site says";
    if (dropped > 0)
        return "of no use to some: foreign rules drop the packets";
    return "unknown: foreign rules may override them";
}

MarkCheck check_marks(Site const& site, Plan const& plan, Kernel& kernel) try {
    MarkCheck check;
    auto const dump = read_all_rules(kernel);
    if (!dump) {
        check.unreadable = printable(dump.error().message);
        return check;
    }
    auto const verified = verify_rules(site, plan, *dump);
    for (auto const& [cause, count] :
         {std::pair(Cause::others, &check.by_others), std::pair(Cause::own, &check.by_own),
          std::pair(Cause::dropped, &check.dropped), std::pair(Cause::unknown, &check.unknown)})
        for (auto const& family : verified.families)
            for (auto const& fault : family.proof.faults) {
                if (cause_of(fault) != cause)
                    continue;
                ++*count;
                if (check.lines.size() < MarkCheck::most_lines)
                    check.lines.push_back(fault_line(fault, site, verified.director));
            }
    check.unknown += static_cast<std::size_t>(std::ranges::count_if(
        verified.families, [](VerifiedFamily const& family) { return family.proof.is_given_up; }));
    return check;
} catch (std::exception const& error) {
    // A finished change stays successful, even if memory runs out after it.
    MarkCheck check;
    check.unreadable = error.what();
    return check;
}

nlohmann::ordered_json json_of(MarkCheck const& check) {
    return {
        {"holds", check.holds()},
        {"by_others", check.by_others},
        {"by_own", check.by_own},
        {"dropped", check.dropped},
        {"unknown", check.unknown},
        {"first", check.lines},
        {"unreadable", check.unreadable.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(check.unreadable)}};
}

} // namespace lbc
