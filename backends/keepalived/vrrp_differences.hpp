// Compares the VRRP instances of two files of keepalived, as lbc writes them: what the present file and the wanted one
// have that must be the same on all directors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct VrrpDifference {
    std::string instance;
    std::string text;        // "advert_int 1 to 3", "new instance"; never a secret
    std::string_view effect; // what may happen to VIPs: "they may move to another director"; empty: nothing

    /// The text, and the effect.
    [[nodiscard]] std::string words() const;
};

/// In the order of the wanted file, then instances that only the present one has. What has no effect on the VIPs is
/// left out: docs/language.md, "Changes of a vrrp".
[[nodiscard]] std::vector<VrrpDifference> vrrp_differences(std::string_view before, std::string_view after);

} // namespace lbc
