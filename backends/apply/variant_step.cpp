#include "backends/apply/variant_step.hpp"

#include "backends/iptables/variant_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lbc {
namespace {

class VariantStep final : public Step {
public:
    VariantStep(VariantTables& tables, VariantRules rules) : tables_(tables), rules_(std::move(rules)) {}

    std::expected<void, SystemError> apply() override {
        auto done = tables_.restore_variant(rules_.family, rules_.removal(), false);
        touched_ = done.has_value();
        return done;
    }

    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        auto const saved = tables_.save_variant(rules_.family);
        if (!saved)
            return std::unexpected(saved.error());
        if (!read_variant_rules(*saved, rules_.family).empty())
            return std::unexpected(SystemError{
                SystemError::Kind::failed, 0,
                fmt::format("lbc's chains are still in the {} mangle table of iptables-nft", title(rules_.family))});
        return {};
    }

    std::expected<void, SystemError> roll_back() override {
        return tables_.restore_variant(rules_.family, rules_.return_text(), false);
    }

    void list_residue(std::vector<std::string>& out) override {
        out.push_back(fmt::format("{} mangle table of iptables-nft: no own chains, which were there before",
                                  title(rules_.family)));
    }

private:
    VariantTables& tables_;
    VariantRules rules_;
    bool touched_ = false;
};

std::expected<std::vector<VariantRules>, SystemError> read_all(VariantTables& tables) {
    std::vector<VariantRules> found;
    for (auto const family : families) {
        auto const saved = tables.save_variant(family);
        if (!saved)
            return std::unexpected(saved.error());
        if (auto rules = read_variant_rules(*saved, family); !rules.empty())
            found.push_back(std::move(rules));
    }
    return found;
}

FamilyChange leaving(VariantRules const& rules) {
    return {rules.family, rules.ruleset(), Ruleset{rules.family, {}, {}}, true};
}

} // namespace

std::expected<std::vector<FamilyChange>, SystemError> read_variants(VariantTables& tables) {
    auto const found = read_all(tables);
    if (!found)
        return std::unexpected(found.error());
    std::vector<FamilyChange> changes;
    std::ranges::transform(*found, std::back_inserter(changes), leaving);
    return changes;
}

std::expected<MarkPlan, SystemError> plan_variants_leave(VariantTables& tables) {
    auto found = read_all(tables);
    if (!found)
        return std::unexpected(std::move(found.error()));
    MarkPlan plan;
    for (auto& rules : *found) {
        if (auto tested = tables.restore_variant(rules.family, rules.removal(), true); !tested)
            return std::unexpected(std::move(tested.error()));
        if (auto tested = tables.restore_variant(rules.family, rules.return_text(), true); !tested)
            return std::unexpected(std::move(tested.error()));
        plan.changes.push_back(leaving(rules));
        std::ranges::copy(marks_of(plan.changes.back().before), std::back_inserter(plan.marks));
        plan.steps.push_back(std::make_unique<VariantStep>(tables, std::move(rules)));
    }
    return plan;
}

} // namespace lbc
