#include "backends/apply/mangle_step.hpp"

#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace lbc {
namespace {

std::string table_name(Family family) { return fmt::format("{} mangle table", title(family)); }

void drop_empty_matches(Matches& when) {
    if (when.destination && when.destination->length == 0)
        when.destination.reset();
    if (when.in_interface && when.in_interface->str() == "+")
        when.in_interface.reset();
}

/// The rules as they read back: a table does not keep `-d 0.0.0.0/0` and `-i +`, which match every packet.
Ruleset as_read_back(Ruleset rules) {
    for (Chain& chain : rules.chains)
        for (Rule& rule : chain.rules)
            drop_empty_matches(rule.when);
    for (EntryJump& hook : rules.entry_jumps)
        drop_empty_matches(hook.rule.when);
    return rules;
}

void list_rules(Ruleset const& rules, std::vector<std::string>& out) {
    for (Chain const& chain : rules.chains) {
        out.push_back(fmt::format("{}: chain {}, {} rule{}", table_name(rules.family), chain.name, chain.rules.size(),
                                  chain.rules.size() == 1 ? "" : "s"));
    }
    for (EntryJump const& hook : rules.entry_jumps)
        out.push_back(fmt::format("{}: -A {} {}", table_name(rules.family), hook.builtin, to_string(hook.rule)));
}

/// Lists what a family's table has after a failed rollback.
void list_residue(Kernel& kernel, Family family, std::vector<std::string>& out) {
    if (auto const table = kernel.open_mangle(family); table) {
        Ruleset const& now = (*table)->owned();
        list_rules(now, out);
        if (now.empty())
            out.push_back(fmt::format("{}: no own rules, which were there before", table_name(family)));
        return;
    }
    out.push_back(fmt::format("{}: what is in it cannot be read; it may hold the new rules", table_name(family)));
}

/// The number of rules that use a set and that lbc can restore.
std::size_t count_rules_that_ask(Ruleset const& rules, std::string const& set) {
    std::ptrdiff_t count = 0;
    for (Chain const& chain : rules.chains) {
        count += std::ranges::count_if(chain.rules, [&](Rule const& rule) {
            return rule.when.unknown.empty() && rule.then == Target(MapMark{set});
        });
    }
    return static_cast<std::size_t>(count);
}

class MangleStep final : public Step {
public:
    /// `wanted` has rules and no sets.
    MangleStep(Kernel& kernel, std::unique_ptr<MangleTable> table, Ruleset wanted)
        : kernel_(kernel), table_(std::move(table)), wanted_(std::move(wanted)) {}

    std::expected<void, SystemError> apply() override {
        auto replaced = table_->replace(wanted_);
        touched_ = replaced.has_value();
        return replaced;
    }

    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        auto const table = kernel_.open_mangle(wanted_.family);
        if (!table)
            return std::unexpected(table.error());
        if (!(*table)->holds(wanted_)) {
            return std::unexpected(
                SystemError{SystemError::Kind::failed, 0,
                            fmt::format("the {} does not read back as it was written", table_name(wanted_.family))});
        }
        return {};
    }

    std::expected<void, SystemError> roll_back() override { return table_->restore(); }

    void list_residue(std::vector<std::string>& out) override { lbc::list_residue(kernel_, wanted_.family, out); }

private:
    Kernel& kernel_;
    std::unique_ptr<MangleTable> table_;
    Ruleset wanted_;
    bool touched_ = false;
};

/// Adds a set, or changes its entries. A set that no rule uses yet affects no packet.
class WriteSetStep final : public Step {
public:
    WriteSetStep(MarkSets& sets, MarkSet wanted, MarkSet const* before)
        : sets_(sets), wanted_(std::move(wanted)), before_(before == nullptr ? MarkSet{} : *before) {}

    std::expected<void, SystemError> apply() override {
        auto written = sets_.write_set(wanted_);
        touched_ = written.has_value();
        return written;
    }

    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        auto const sets = sets_.read_sets(wanted_.entries.front().address.family());
        if (!sets)
            return std::unexpected(sets.error());
        if (std::ranges::find(*sets, wanted_) == sets->end()) {
            return std::unexpected(
                SystemError{SystemError::Kind::failed, 0,
                            fmt::format("the set {} does not read back as it was written", wanted_.name)});
        }
        return {};
    }

    std::expected<void, SystemError> roll_back() override {
        return before_.entries.empty() ? sets_.destroy_set(wanted_.name) : sets_.write_set(before_);
    }

    void list_residue(std::vector<std::string>& out) override {
        out.push_back(fmt::format("the set {}", wanted_.name));
    }

private:
    MarkSets& sets_;
    MarkSet wanted_;
    MarkSet before_; // without entries: there was no set
    bool touched_ = false;
};

/// Removes a set that no rule uses any more.
class DestroySetStep final : public Step {
public:
    DestroySetStep(MarkSets& sets, MarkSet before) : sets_(sets), before_(std::move(before)) {}

    std::expected<void, SystemError> apply() override {
        auto destroyed = sets_.destroy_set(before_.name);
        touched_ = destroyed.has_value();
        return destroyed;
    }

    bool touched() const override { return touched_; }
    std::expected<void, SystemError> check() override { return {}; }

    std::expected<void, SystemError> roll_back() override {
        return before_.entries.empty() ? std::expected<void, SystemError>{} : sets_.write_set(before_);
    }

    void list_residue(std::vector<std::string>& out) override {
        out.push_back(fmt::format("the set {} is gone, which was there before", before_.name));
    }

private:
    MarkSets& sets_;
    MarkSet before_;
    bool touched_ = false;
};

/// Steps in the order in which they run: sets are added before rules use them, and removed when no rule does.
struct FamilySteps {
    Steps sets;
    Steps rules;
    Steps leaving;
};

void plan_sets(Kernel& kernel, Ruleset const& now, Ruleset const& wanted, FamilySteps& steps) {
    for (MarkSet const& set : wanted.sets) {
        MarkSet const* const before = now.find_set(set.name);
        if (before == nullptr || *before != set)
            steps.sets.push_back(std::make_unique<WriteSetStep>(kernel, set, before));
    }
    for (MarkSet const& set : now.sets)
        if (wanted.find_set(set.name) == nullptr)
            steps.leaving.push_back(std::make_unique<DestroySetStep>(kernel, set));
}

/// Checks that the sets that leave can be removed: `leaving` are the rules that leave before them.
std::expected<void, SystemError> ask_whether_sets_go(Kernel& kernel, FamilyChange const& change,
                                                     Ruleset const& leaving) {
    for (MarkSet const& set : change.before.sets) {
        if (change.after.find_set(set.name) != nullptr)
            continue;
        auto const uses = kernel.count_set_uses(set.name);
        if (!uses)
            return std::unexpected(uses.error());
        if (*uses > count_rules_that_ask(leaving, set.name)) {
            return std::unexpected(SystemError{
                SystemError::Kind::failed, 0,
                fmt::format("the set {} is to go, and a foreign rule or set uses it", printable(set.name))});
        }
    }
    return {};
}

/// The own rules of an open table and the own sets, beside those that are wanted. A table that holds the wanted rules
/// is not decoded.
std::expected<FamilyChange, SystemError> compare_family(Kernel& kernel, MangleTable const& table, Ruleset wanted) {
    auto sets = kernel.read_sets(wanted.family);
    if (!sets)
        return std::unexpected(std::move(sets.error()));
    auto wanted_sets = std::exchange(wanted.sets, {});
    FamilyChange change{wanted.family, table.holds(wanted) ? wanted : table.owned(), std::move(wanted)};
    change.before.sets = std::move(*sets);
    change.after.sets = std::move(wanted_sets);
    return change;
}

/// A table that does not exist. Opening it would create it.
class NoTable final : public MangleTable {
public:
    explicit NoTable(Family family) : owned_{family, {}, {}} {}

    [[nodiscard]] Ruleset const& owned() const override { return owned_; }
    std::expected<void, SystemError> supports(Ruleset const& /*wanted*/) override { return {}; }
    std::expected<void, SystemError> replace(Ruleset const& /*wanted*/) override { return {}; }
    std::expected<void, SystemError> restore() override { return {}; }

private:
    Ruleset owned_;
};

/// Opens a table. If it has no own rules and none are wanted, it need not exist.
std::expected<std::unique_ptr<MangleTable>, SystemError> open(Kernel& kernel, Ruleset const& wanted) {
    if (!wanted.empty())
        return kernel.open_mangle(wanted.family);
    auto const has_chains = kernel.has_own_chains(wanted.family);
    if (!has_chains)
        return std::unexpected(has_chains.error());
    if (*has_chains)
        return kernel.open_mangle(wanted.family);
    return std::make_unique<NoTable>(wanted.family);
}

std::expected<void, SystemError> plan_family(Kernel& kernel, Ruleset wanted, MarkPlan& plan, FamilySteps& steps) {
    auto table = open(kernel, wanted);
    if (!table)
        return std::unexpected(std::move(table.error()));
    auto change = compare_family(kernel, **table, wanted);
    if (!change)
        return std::unexpected(std::move(change.error()));
    std::ranges::copy(marks_of(change->before), std::back_inserter(plan.marks));
    if (change->before == change->after)
        return {};
    wanted.sets.clear();
    bool const same_rules = (*table)->holds(wanted);
    auto const leaving = same_rules ? Ruleset{wanted.family, {}, {}} : (*table)->owned();
    if (auto can_go = ask_whether_sets_go(kernel, *change, leaving); !can_go)
        return can_go;
    plan_sets(kernel, change->before, change->after, steps);
    plan.changes.push_back(std::move(*change));
    if (same_rules)
        return {};
    if (auto supported = (*table)->supports(wanted); !supported)
        return supported;
    steps.rules.push_back(std::make_unique<MangleStep>(kernel, std::move(*table), std::move(wanted)));
    return {};
}

} // namespace

std::vector<Fwmark> marks_of(Ruleset const& rules) {
    std::vector<Fwmark> marks;
    for (Chain const& chain : rules.chains) {
        for (Rule const& rule : chain.rules)
            if (auto const* set = std::get_if<SetMark>(&rule.then); set != nullptr && set->mark != Fwmark{})
                marks.push_back(set->mark);
    }
    for (MarkSet const& set : rules.sets)
        std::ranges::transform(set.entries, std::back_inserter(marks), &SetEntry::mark);
    return marks;
}

std::expected<std::vector<FamilyChange>, SystemError> compare_marks(Kernel& kernel, MarkRules const& wanted) {
    std::vector<FamilyChange> compared;
    for (Ruleset const& rules : wanted) {
        auto const table = open(kernel, rules);
        if (!table && table.error().kind != SystemError::Kind::unsupported)
            return std::unexpected(table.error());
        auto change = table ? compare_family(kernel, **table, as_read_back(rules))
                            : FamilyChange{rules.family, {rules.family, {}, {}}, as_read_back(rules)};
        if (!change)
            return std::unexpected(std::move(change.error()));
        compared.push_back(std::move(*change));
    }
    return compared;
}

std::expected<MarkPlan, SystemError> plan_marks(Kernel& kernel, MarkRules const& wanted) {
    MarkPlan plan;
    FamilySteps steps;
    for (std::size_t i = 0; i < families.size(); ++i) {
        assert(wanted[i].family == families[i]);
        if (auto planned = plan_family(kernel, as_read_back(wanted[i]), plan, steps); !planned)
            return std::unexpected(std::move(planned.error()));
    }
    for (Steps* part : {&steps.sets, &steps.rules, &steps.leaving})
        std::ranges::move(*part, std::back_inserter(plan.steps));
    return plan;
}

} // namespace lbc
