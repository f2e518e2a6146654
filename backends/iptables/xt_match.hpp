// The matches that `Matches` has fields for, as the kernel's extensions store them: tcp, udp, sctp and multiport for
// ports, mac and mark. What is written here reads back equal; what is not modelled is kept as text in
// `Matches::unknown`.
#pragma once

#include "backends/iptables/xt_bytes.hpp"
#include "compiler/ruleset.hpp"

#include <compare>
#include <set>

namespace lbc::xt {

/// A match or target extension in the revision that lbc uses.
struct Extension {
    enum class Kind : std::uint8_t { match, target };

    Kind kind = Kind::match;
    std::string_view name; // as the kernel knows it; a literal
    std::uint8_t revision = 0;
    std::string_view module; // where Linux has it

    friend auto operator<=>(Extension const&, Extension const&) = default;
};

/// Why the matches cannot be written as an entry; empty when they can.
[[nodiscard]] std::string refuse_matches(Matches const& when);

/// Appends the extension matches; `refuse_matches` must have had nothing against them.
void append_matches(Matches const& when, Bytes& out);

/// What `-m comment` is, which always holds. A rule of lbc's has none in the kernel, where it costs every packet time.
enum class Comments : std::uint8_t {
    differ, // a part of the rule, which makes it unequal to every one of lbc's
    kept,   // Rule::comment
};

/// Reads one match. `into.when` has its protocol already.
void read_match(ByteView match, Comments comments, Rule& into);

/// The match extensions that `when` needs.
void collect_extensions(Matches const& when, std::set<Extension>& into);

} // namespace lbc::xt
