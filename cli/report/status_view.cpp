#include "cli/report/status_view.hpp"

#include "backends/apply/keepalived_step.hpp"
#include "cli/report/write_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace lbc {

std::size_t StatusView::reals() const {
    std::size_t count = 0;
    for (auto const& service : services)
        count += service.reals.size();
    return count;
}

std::size_t StatusView::rules_that_differ() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(marks, [](auto const& table) { return is_difference(table.presence); }));
}

std::size_t StatusView::services_that_differ() const {
    std::size_t count = 0;
    for (auto const& service : services) {
        count += is_difference(service.presence) ? 1 : 0;
        // The real servers of a missing or extra service are no further differences.
        if (service.presence == Presence::as_site || service.presence == Presence::differs)
            count += static_cast<std::size_t>(
                std::ranges::count_if(service.reals, [](auto const& real) { return is_difference(real.presence); }));
    }
    return count;
}

bool StatusView::mends_services() const {
    return !around.keepalived || (around.keepalived->runs && !around.keepalived->has_site_file);
}

std::size_t StatusView::differences() const {
    auto count = rules_that_differ() + (daemons_differ ? 1 : 0);
    count += static_cast<std::size_t>(std::ranges::count_if(settings, &ObservedSetting::differs));
    if (around.keepalived)
        count += around.keepalived->has_site_file ? 0 : 1;
    return count + (mends_services() ? services_that_differ() : 0);
}

std::size_t StatusView::problems() const {
    auto const down = std::ranges::count_if(services, &ComparedService::is_down);
    return around.problems(rules_that_differ() > 0) + (mends_services() ? 0 : services_that_differ()) +
           static_cast<std::size_t>(down);
}

std::vector<MarksView> compare_tables(std::vector<FamilyChange> const& tables, std::optional<NftChange> const& nft) {
    std::vector<MarksView> views;
    auto const add = [&](auto const& change, bool is_as_site) -> MarksView& {
        auto const& now = change.before;
        auto& view = views.emplace_back(MarksView{title_of(change), table_of(change), {}, 0, {}});
        if (!is_as_site)
            view.presence = now.empty()            ? Presence::missing
                            : change.after.empty() ? Presence::extra
                                                   : Presence::differs;
        return view;
    };
    for (auto const& table : tables) {
        if (table.before.empty() && table.after.empty())
            continue;
        auto& view = add(table, table.before == table.after);
        view.family = table.family;
        view.rules = table.before.rule_count();
    }
    if (nft && !(nft->before.empty() && nft->after.empty()))
        add(*nft, is_same(nft->before, nft->after)).rules = nft->before.rule_count();
    return views;
}

} // namespace lbc
