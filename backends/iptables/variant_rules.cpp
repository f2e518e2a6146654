#include "backends/iptables/variant_rules.hpp"

#include "backends/iptables/variant_lines.hpp"
#include "backends/restore/read_tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace lbc {
namespace {

class VariantStep final : public Step {
public:
    VariantStep(Kernel& kernel, VariantRules rules) : kernel_(kernel), rules_(std::move(rules)) {}

    std::expected<void, SystemError> act() override {
        auto done = kernel_.restore_variant(rules_.family, rules_.removal(), false);
        touched_ = done.has_value();
        return done;
    }

    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        auto const saved = kernel_.save_variant(rules_.family);
        if (!saved)
            return std::unexpected(saved.error());
        if (!read_variant_rules(*saved, rules_.family).empty())
            return std::unexpected(SystemError{
                SystemError::Kind::failed, 0,
                fmt::format("lbc's chains are still in the {} mangle table of iptables-nft", title(rules_.family))});
        return {};
    }

    std::expected<void, SystemError> take_back() override {
        return kernel_.restore_variant(rules_.family, rules_.return_text(), false);
    }

    void list_left(std::vector<std::string>& out) override {
        out.push_back(fmt::format("{} mangle table of iptables-nft: its chains of lbc's are gone, which were there",
                                  title(rules_.family)));
    }

private:
    Kernel& kernel_;
    VariantRules rules_;
    bool touched_ = false;
};

std::expected<std::vector<VariantRules>, SystemError> read_all(Kernel& kernel) {
    std::vector<VariantRules> found;
    for (auto const family : families) {
        auto const saved = kernel.save_variant(family);
        if (!saved)
            return std::unexpected(saved.error());
        if (auto rules = read_variant_rules(*saved, family); !rules.empty())
            found.push_back(std::move(rules));
    }
    return found;
}

/// For iptables-restore, to which a line break in a comment is one.
std::string on_one_line(std::string_view rule) {
    std::string out(rule);
    std::ranges::replace(out, '\n', ' ');
    return out;
}

FamilyChange leaving(VariantRules const& rules) {
    return {rules.family, rules.ruleset(), Ruleset{rules.family, {}, {}}, true};
}

} // namespace

std::string VariantRules::removal() const {
    std::string text = "*mangle\n";
    // From the last: a removal moves what is behind it. A comment with a line break cannot be given as it is.
    for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook)
        if (hook->rule.contains('\n'))
            text += fmt::format("-D {} {}\n", hook->builtin, hook->number);
    for (auto const& hook : hooks)
        if (!hook.rule.contains('\n'))
            text += fmt::format("-D {} {}\n", hook.builtin, hook.rule);
    for (auto const& chain : chains)
        text += fmt::format("-F {}\n", chain);
    for (auto const& chain : chains)
        text += fmt::format("-X {}\n", chain);
    return text + "COMMIT\n";
}

std::string VariantRules::return_text() const {
    std::string text = "*mangle\n";
    for (auto const& chain : chains)
        text += fmt::format(":{} - [0:0]\n", chain);
    for (auto const& rule : rules)
        text += rule + '\n';
    for (auto const& hook : hooks)
        text += fmt::format("-I {} {} {}\n", hook.builtin, hook.number, on_one_line(hook.rule));
    return text + "COMMIT\n";
}

Ruleset VariantRules::ruleset() const {
    std::string text = "*mangle\n";
    for (auto const* builtin : {"PREROUTING", "OUTPUT"})
        text += fmt::format(":{} ACCEPT [0:0]\n", builtin);
    for (auto const& chain : chains)
        text += fmt::format(":{} - [0:0]\n", chain);
    Ruleset found{family, {}, {}};
    auto const tables = read_tables(text + fmt::format("{}\nCOMMIT\n", fmt::join(rules, "\n")), family);
    if (tables && !tables->tables.empty())
        std::ranges::copy_if(tables->tables.front().chains, std::back_inserter(found.chains),
                             [](Chain const& chain) { return is_own_chain(chain.name); });
    for (auto const& hook : hooks)
        found.hooks.push_back({hook.builtin, {{}, Jump{std::string(last_jump(hook.rule))}, {}}});
    return found;
}

VariantRules read_variant_rules(std::string_view saved, Family family) {
    VariantRules found;
    found.family = family;
    std::map<std::string_view, std::size_t> counts; // of rules of built-in chains
    bool is_mangle = false;
    while (!saved.empty()) {
        auto const line = take_saved_line(saved).text;
        if (line.starts_with('*'))
            is_mangle = line == "*mangle";
        if (!is_mangle)
            continue;
        if (line.starts_with(':')) {
            auto const name = line.substr(1, line.find(' ') - 1);
            if (is_own_chain(name))
                found.chains.emplace_back(name);
            else if (!line.substr(name.size() + 1).starts_with(" - ")) // one that is built in has a policy
                counts[name] = 0;
        }
        if (!line.starts_with("-A "))
            continue;
        auto const words = line.substr(3);
        auto const chain = words.substr(0, words.find(' '));
        if (is_own_chain(chain))
            found.rules.push_back(on_one_line(line));
        auto const count = counts.find(chain);
        if (count != counts.end() && ++count->second != 0 && is_own_chain(last_jump(line)))
            found.hooks.push_back({std::string(chain), count->second, std::string(words.substr(chain.size() + 1))});
    }
    return found;
}

std::expected<std::vector<FamilyChange>, SystemError> read_variants(Kernel& kernel) {
    auto const found = read_all(kernel);
    if (!found)
        return std::unexpected(found.error());
    std::vector<FamilyChange> changes;
    std::ranges::transform(*found, std::back_inserter(changes), leaving);
    return changes;
}

std::expected<MarkPlan, SystemError> plan_variants_leave(Kernel& kernel) {
    auto found = read_all(kernel);
    if (!found)
        return std::unexpected(std::move(found.error()));
    MarkPlan plan;
    for (auto& rules : *found) {
        if (auto tested = kernel.restore_variant(rules.family, rules.removal(), true); !tested)
            return std::unexpected(std::move(tested.error()));
        if (auto tested = kernel.restore_variant(rules.family, rules.return_text(), true); !tested)
            return std::unexpected(std::move(tested.error()));
        plan.changes.push_back(leaving(rules));
        std::ranges::copy(marks_of(plan.changes.back().before), std::back_inserter(plan.marks));
        plan.steps.push_back(std::make_unique<VariantStep>(kernel, std::move(rules)));
    }
    return plan;
}

} // namespace lbc
