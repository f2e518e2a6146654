// The findings of `lbc diff`, and their three output forms.
#pragma once

#include "backends/apply/keepalived_step.hpp"
#include "backends/apply/mangle_step.hpp"
#include "backends/apply/nft_step.hpp"
#include "backends/ipvs/ipvs.hpp"
#include "cli/report/diff_beside.hpp"
#include "compiler/diff/steps.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// The writes that bring a director's kernel from one side to the other.
struct DirectorWrites {
    std::string director;
    std::vector<FamilyChange> marks;
    std::optional<NftChange> nft;
    std::vector<IpvsChange> services;
    std::optional<KeepalivedChange> keepalived; // of its file, if the comparison is with a kernel

    [[nodiscard]] bool empty() const { return marks.empty() && !nft && services.empty() && !keepalived; }
};

struct DiffReport {
    std::string before; // the compared side, as the user named it: "HEAD~1:site.lb", "the kernel of lb1"
    std::string after;
    Difference difference;
    std::vector<Beforehand> beforehand; // of two sites
    std::optional<Rollout> rollout;     // none if one side is a kernel
    std::optional<Remedy> remedy;       // if no order is safe
    std::vector<DirectorWrites> writes; // only of directors with writes, also if only the order differs
};

/// `rules`: the writes too.
[[nodiscard]] std::string diff_text(DiffReport const& report, bool rules, bool colour);
/// For a comment of at most `limit` bytes; it states the number of items that do not fit.
[[nodiscard]] std::string diff_markdown(DiffReport const& report, bool rules, std::size_t limit);
/// docs/schema/diff.schema.json; always with the writes.
[[nodiscard]] std::string diff_json(DiffReport const& report);

} // namespace lbc
