#include "backends/iptables/apply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <ranges>

namespace lbc {
namespace {

/// A family that differs, with its table as it was read.
struct Step {
    FamilyChange change;
    std::unique_ptr<MangleTable> table;
};

std::string table_name(Family family) {
    return fmt::format("{} mangle table", family == Family::ipv4 ? "IPv4" : "IPv6");
}

void drop_empty_matches(Matches& when) {
    if (when.destination && when.destination->length == 0) {
        when.destination.reset();
    }
    if (when.in_interface && when.in_interface->str() == "+") {
        when.in_interface.reset();
    }
}

/// The rules as they read back: `-d 0.0.0.0/0` and `-i +` ask nothing of a packet, and a table does not keep them.
Ruleset as_read_back(Ruleset rules) {
    for (Chain& chain : rules.chains) {
        for (Rule& rule : chain.rules) {
            drop_empty_matches(rule.when);
        }
    }
    for (Hook& hook : rules.hooks) {
        drop_empty_matches(hook.rule.when);
    }
    return rules;
}

/// What has to be done for a family: no step where its table is as wanted.
std::expected<std::vector<Step>, SystemError> plan_family(Kernel& kernel, Ruleset wanted) {
    std::vector<Step> steps;
    auto table = kernel.open_mangle(wanted.family);
    if (!table) {
        if (table.error().kind == SystemError::Kind::unsupported && wanted.empty()) {
            return steps;
        }
        return std::unexpected(std::move(table.error()));
    }
    if ((*table)->owned() == wanted) {
        return steps;
    }
    if (auto supported = (*table)->supports(wanted); !supported) {
        return std::unexpected(std::move(supported.error()));
    }
    Ruleset before = (*table)->owned();
    steps.push_back({{wanted.family, std::move(before), std::move(wanted)}, std::move(*table)});
    return steps;
}

std::expected<std::vector<Step>, SystemError> plan(Kernel& kernel, MarkRules const& wanted) {
    std::vector<Step> steps;
    for (std::size_t i = 0; i < families.size(); ++i) {
        assert(wanted[i].family == families[i]);
        auto family_steps = plan_family(kernel, as_read_back(wanted[i]));
        if (!family_steps) {
            return family_steps;
        }
        std::ranges::move(*family_steps, std::back_inserter(steps));
    }
    return steps;
}

void list_rules(Ruleset const& rules, std::vector<std::string>& out) {
    for (Chain const& chain : rules.chains) {
        out.push_back(fmt::format("{}: chain {}, {} rule{}", table_name(rules.family), chain.name, chain.rules.size(),
                                  chain.rules.size() == 1 ? "" : "s"));
    }
    for (Hook const& hook : rules.hooks) {
        out.push_back(fmt::format("{}: -A {} {}", table_name(rules.family), hook.builtin, to_string(hook.rule)));
    }
}

/// What a family's table has now that it could not be brought back.
void list_left(Kernel& kernel, FamilyChange const& change, std::vector<std::string>& out) {
    if (auto const table = kernel.open_mangle(change.family); table) {
        Ruleset const& now = (*table)->owned();
        list_rules(now, out);
        if (now.empty()) {
            out.push_back(fmt::format("{}: nothing of lbc's, where its rules were before", table_name(change.family)));
        }
        return;
    }
    out.push_back(
        fmt::format("{}: what is in it cannot be read; it may hold the new rules", table_name(change.family)));
}

/// Undoes steps, the last first, and says how that went.
ApplyFailure take_back(Kernel& kernel, std::span<Step> done, SystemError error) {
    ApplyFailure failure{ApplyFailure::Outcome::taken_back, std::move(error), {}};
    for (Step& step : done | std::views::reverse) {
        if (auto restored = step.table->restore(); !restored) {
            failure.outcome = ApplyFailure::Outcome::left_behind;
            failure.error.message += fmt::format("; taking the change back failed too: {}", restored.error().message);
            list_left(kernel, step.change, failure.left);
        }
    }
    return failure;
}

std::expected<void, SystemError> read_back(Kernel& kernel, FamilyChange const& change) {
    auto const table = kernel.open_mangle(change.family);
    if (!table) {
        return std::unexpected(table.error());
    }
    if ((*table)->owned() != change.after) {
        return std::unexpected(
            SystemError{SystemError::Kind::failed, 0,
                        fmt::format("the {} does not read back as it was written", table_name(change.family))});
    }
    return {};
}

std::expected<void, ApplyFailure> write(Kernel& kernel, std::span<Step> steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (auto replaced = steps[i].table->replace(steps[i].change.after); !replaced) {
            ApplyFailure failure = take_back(kernel, steps.first(i), std::move(replaced.error()));
            if (i == 0) {
                failure.outcome = ApplyFailure::Outcome::refused;
            }
            return std::unexpected(std::move(failure));
        }
    }
    for (Step const& step : steps) {
        if (auto same = read_back(kernel, step.change); !same) {
            return std::unexpected(take_back(kernel, steps, std::move(same.error())));
        }
    }
    return {};
}

std::unexpected<ApplyFailure> refused(SystemError error) {
    return std::unexpected(ApplyFailure{ApplyFailure::Outcome::refused, std::move(error), {}});
}

} // namespace

std::expected<std::vector<FamilyChange>, ApplyFailure> apply_marks(Kernel& kernel, MarkRules const& wanted,
                                                                   ApplyOptions const& options) {
    auto const lock = kernel.lock(options.wait);
    if (!lock) {
        return refused(lock.error());
    }
    auto steps = plan(kernel, wanted);
    if (!steps) {
        return refused(std::move(steps.error()));
    }
    if (!options.dry_run) {
        if (auto written = write(kernel, *steps); !written) {
            return std::unexpected(std::move(written.error()));
        }
    }
    std::vector<FamilyChange> changes;
    for (Step& step : *steps) {
        changes.push_back(std::move(step.change));
    }
    return changes;
}

std::expected<std::vector<FamilyChange>, ApplyFailure> remove_marks(Kernel& kernel, ApplyOptions const& options) {
    return apply_marks(kernel, {Ruleset{Family::ipv4, {}, {}}, Ruleset{Family::ipv6, {}, {}}}, options);
}

} // namespace lbc
