// Which of iptables and nftables marks packets on a director, and what the other has to give up.
#pragma once

#include "backends/apply.hpp"
#include "backends/sh/sh.hpp"

#include <string_view>

namespace lbc {

struct Backend {
    MarkTool tool = MarkTool::iptables;
    std::string_view reason; // of a choice that was not asked for by name; a literal
};

/// "iptables" and "nft" are what they say. No name: nftables where lbc's table of it is, else iptables. "auto": what
/// marks here already; where nothing does, nftables if `iptables` keeps its rules there, or the kernel has no mangle
/// table of iptables, which asking may make. Writes nothing.
[[nodiscard]] std::expected<Backend, SystemError> choose_backend(Kernel& kernel, std::string_view name);

/// Marks by nftables, and lbc's chains of iptables, where there are any, go. Reads, and makes no table by asking.
[[nodiscard]] std::expected<void, SystemError> want_nft(Kernel& kernel, NftState state, Wanted& wanted);

} // namespace lbc
