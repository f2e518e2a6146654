// Which of iptables and nftables marks packets on a director, and what the others have to give up.
#pragma once

#include "backends/apply.hpp"
#include "backends/sh/sh.hpp"

#include <string>
#include <string_view>

namespace lbc {

/// Where rules of lbc's are on a box.
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
    std::string_view reason; // of a choice that was not asked for by name; a literal
    MarkPlaces places;

    /// Whether lbc marks on this box, and not by this. `apply` moves its rules where it is told to; once it has begun,
    /// to the end.
    [[nodiscard]] bool is_move() const { return !places.none() && !places.has(tool); }
};

/// "iptables" and "nft" are what they say. Else ("auto", or nothing): what marks here already, nftables before the
/// legacy tables; where neither does, or where `moves`, nftables if `iptables` keeps its rules there, or the kernel has
/// no mangle table of iptables, which asking may make. Writes nothing.
[[nodiscard]] std::expected<Backend, SystemError> choose_backend(Kernel& kernel, std::string_view name, bool moves);

/// "iptables", "nftables"
[[nodiscard]] std::string_view title(MarkTool tool);

/// Why a move that nobody asked for is not made.
[[nodiscard]] SystemError move_refusal(Backend const& backend);

} // namespace lbc
