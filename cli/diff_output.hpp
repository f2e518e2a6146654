// What `lbc diff` has found, in its three forms.
#pragma once

#include "backends/iptables/mangle_step.hpp"
#include "backends/ipvs/ipvs.hpp"
#include "backends/keepalived/keepalived_step.hpp"
#include "backends/nft/nft_step.hpp"
#include "cli/diff_beside.hpp"
#include "compiler/diff/steps.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// What a director's kernel is told to come from one side to the other.
struct DirectorWrites {
    std::string director;
    std::vector<FamilyChange> marks;
    std::optional<NftChange> nft;
    std::vector<IpvsChange> services;
    std::optional<KeepalivedChange> keepalived; // of its file, against a kernel

    [[nodiscard]] bool empty() const { return marks.empty() && !nft && services.empty() && !keepalived; }
};

struct DiffReport {
    std::string before; // what is compared, as the user named it: "HEAD~1:site.lb", "the kernel of lb1"
    std::string after;
    Difference difference;
    std::vector<Beforehand> beforehand; // of two sites
    std::optional<Rollout> rollout;     // none where one side is a kernel
    std::optional<Remedy> remedy;       // where no order is safe
    std::vector<DirectorWrites> writes; // of directors that have some, also where the same stands in another order
};

/// `rules`: the writes too.
[[nodiscard]] std::string diff_text(DiffReport const& report, bool rules, bool colour);
/// For a comment of at most `limit` bytes; what has no place in it is counted.
[[nodiscard]] std::string diff_markdown(DiffReport const& report, bool rules, std::size_t limit);
/// docs/schema/diff.schema.json; always with the writes.
[[nodiscard]] std::string diff_json(DiffReport const& report);

} // namespace lbc
