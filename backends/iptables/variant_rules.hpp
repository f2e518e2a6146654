// lbc's chains in a mangle table of iptables-nft, where a script has loaded them through it. lbc reads such tables, and
// takes its chains off them when something else marks; it never adds to them but to bring back what it took.
#pragma once

#include "backends/iptables/mangle_step.hpp"
#include "backends/kernel.hpp"
#include "compiler/ruleset.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// What is lbc's in a text of iptables-nft-save.
struct VariantRules {
    struct Hook {
        std::string builtin;
        std::size_t number = 0; // from 1, in its chain
        std::string rule;       // without `-A CHAIN`, line breaks of its comment and all
    };
    Family family{};
    std::vector<std::string> chains;
    std::vector<std::string> rules; // "-A LBC …"
    std::vector<Hook> hooks;

    [[nodiscard]] bool empty() const { return chains.empty() && hooks.empty(); }
    /// Input for iptables-nft-restore --noflush that takes all of it off, and that brings it back.
    [[nodiscard]] std::string removal() const;
    [[nodiscard]] std::string return_text() const;
    /// As far as `read_tables` knows its words, for showing.
    [[nodiscard]] Ruleset ruleset() const;
};

[[nodiscard]] VariantRules read_variant_rules(std::string_view saved, Family family);

/// What is lbc's in each family's table that has any, as changes that take it off.
[[nodiscard]] std::expected<std::vector<FamilyChange>, SystemError> read_variants(Kernel& kernel);

/// Steps that take lbc's chains off both tables; none where there are none. Asks first whether they could go, and come
/// back.
[[nodiscard]] std::expected<MarkPlan, SystemError> plan_variants_leave(Kernel& kernel);

} // namespace lbc
