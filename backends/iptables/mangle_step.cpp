#include "backends/iptables/mangle_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace lbc {
namespace {

std::string table_name(Family family) { return fmt::format("{} mangle table", title(family)); }

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
void list_left(Kernel& kernel, Family family, std::vector<std::string>& out) {
    if (auto const table = kernel.open_mangle(family); table) {
        Ruleset const& now = (*table)->owned();
        list_rules(now, out);
        if (now.empty()) {
            out.push_back(fmt::format("{}: nothing of lbc's, where its rules were before", table_name(family)));
        }
        return;
    }
    out.push_back(fmt::format("{}: what is in it cannot be read; it may hold the new rules", table_name(family)));
}

class MangleStep final : public Step {
public:
    MangleStep(Kernel& kernel, std::unique_ptr<MangleTable> table, Ruleset wanted)
        : kernel_(kernel), table_(std::move(table)), wanted_(std::move(wanted)) {}

    std::expected<void, SystemError> act() override {
        auto replaced = table_->replace(wanted_);
        touched_ = replaced.has_value();
        return replaced;
    }

    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        auto const table = kernel_.open_mangle(wanted_.family);
        if (!table) {
            return std::unexpected(table.error());
        }
        if ((*table)->owned() != wanted_) {
            return std::unexpected(
                SystemError{SystemError::Kind::failed, 0,
                            fmt::format("the {} does not read back as it was written", table_name(wanted_.family))});
        }
        return {};
    }

    std::expected<void, SystemError> take_back() override { return table_->restore(); }

    void list_left(std::vector<std::string>& out) override { lbc::list_left(kernel_, wanted_.family, out); }

private:
    Kernel& kernel_;
    std::unique_ptr<MangleTable> table_;
    Ruleset wanted_;
    bool touched_ = false;
};

std::expected<void, SystemError> plan_family(Kernel& kernel, Ruleset wanted, MarkPlan& plan) {
    auto table = kernel.open_mangle(wanted.family);
    if (!table) {
        if (table.error().kind == SystemError::Kind::unsupported && wanted.empty()) {
            return {};
        }
        return std::unexpected(std::move(table.error()));
    }
    Ruleset const& now = (*table)->owned();
    std::ranges::copy(marks_of(now), std::back_inserter(plan.marks));
    if (now == wanted) {
        return {};
    }
    if (auto supported = (*table)->supports(wanted); !supported) {
        return supported;
    }
    plan.changes.push_back({wanted.family, now, wanted});
    plan.steps.push_back(std::make_unique<MangleStep>(kernel, std::move(*table), std::move(wanted)));
    return {};
}

} // namespace

std::vector<Fwmark> marks_of(Ruleset const& rules) {
    std::vector<Fwmark> marks;
    for (Chain const& chain : rules.chains) {
        for (Rule const& rule : chain.rules) {
            if (auto const* set = std::get_if<SetMark>(&rule.then); set != nullptr && set->mark != Fwmark{}) {
                marks.push_back(set->mark);
            }
        }
    }
    return marks;
}

std::expected<std::vector<FamilyChange>, SystemError> compare_marks(Kernel& kernel, MarkRules const& wanted) {
    std::vector<FamilyChange> compared;
    for (Ruleset const& rules : wanted) {
        auto const table = kernel.open_mangle(rules.family);
        if (!table && table.error().kind != SystemError::Kind::unsupported) {
            return std::unexpected(table.error());
        }
        compared.push_back(
            {rules.family, table ? (*table)->owned() : Ruleset{rules.family, {}, {}}, as_read_back(rules)});
    }
    return compared;
}

std::expected<MarkPlan, SystemError> plan_marks(Kernel& kernel, MarkRules const& wanted) {
    MarkPlan plan;
    for (std::size_t i = 0; i < families.size(); ++i) {
        assert(wanted[i].family == families[i]);
        if (auto planned = plan_family(kernel, as_read_back(wanted[i]), plan); !planned) {
            return std::unexpected(std::move(planned.error()));
        }
    }
    return plan;
}

} // namespace lbc
