// Chooses the backend that marks packets on a director, and finds the own rules that are in other places.
#pragma once

#include "backends/apply/apply.hpp"
#include "backends/emit/sh/sh.hpp"

#include <string>
#include <string_view>

namespace lbc {

/// The places of own rules on a box.
struct MarkPlaces {
    bool legacy = false;  // the legacy mangle tables: `apply`, or the script through iptables-legacy
    bool nft = false;     // the table inet lbc: `apply`, the script for nft, or its text
    bool variant = false; // the mangle tables of iptables-nft: the script

    [[nodiscard]] bool has(MarkTool tool) const { return tool == MarkTool::nft ? nft : legacy; }
    [[nodiscard]] bool none() const { return !legacy && !nft && !variant; }
    /// "the legacy tables of iptables and the table inet lbc of nftables"
    [[nodiscard]] std::string str() const;
};

struct Backend {
    MarkTool tool = MarkTool::iptables;
    std::string_view reason; // of a choice that was not requested by name; a literal
    MarkPlaces places;

    /// Whether own rules are on this box, but not in this backend. `apply` moves them if that is requested. It also
    /// completes a move that has begun.
    [[nodiscard]] bool is_move() const { return !places.none() && !places.has(tool); }
};

/// "iptables" and "nft" choose that backend. Otherwise ("auto", or nothing) it is the one that marks here already,
/// nftables before the legacy tables. If neither does, or with `moves`, it is nftables if `iptables` keeps its rules
/// there or the kernel has no mangle table of iptables; the check for that table may create it. Writes no rules.
[[nodiscard]] std::expected<Backend, SystemError> choose_backend(Kernel& kernel, std::string_view name, bool moves);

/// "iptables", "nftables"
[[nodiscard]] std::string_view title(MarkTool tool);

/// The error for a move that was not requested.
[[nodiscard]] SystemError move_refusal(Backend const& backend);

} // namespace lbc
