// Own chains in the text of a mangle table of iptables-nft, which a script has loaded.
#pragma once

#include "compiler/rules/ruleset.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The own rules in the output of iptables-nft-save.
struct VariantRules {
    struct EntryJump {
        std::string builtin;
        std::size_t number = 0; // from 1, in its chain
        std::string rule;       // without `-A CHAIN`; its comment may have line breaks
    };
    Family family{};
    std::vector<std::string> chains;
    std::vector<std::string> rules; // "-A LBC …"
    std::vector<EntryJump> entry_jumps;

    [[nodiscard]] bool empty() const { return chains.empty() && entry_jumps.empty(); }
    /// Input for iptables-nft-restore --noflush that removes these rules, and that restores them.
    [[nodiscard]] std::string removal() const;
    [[nodiscard]] std::string return_text() const;
    /// The rules, as far as `read_tables` can represent them, for output.
    [[nodiscard]] Ruleset ruleset() const;
};

[[nodiscard]] VariantRules read_variant_rules(std::string_view saved, Family family);

} // namespace lbc
