// Writes and reads the matches of `Matches` as the kernel's extensions store them: tcp, udp, sctp and multiport for
// ports, mac and mark. What is written here reads back equal. What `Matches` cannot represent is kept as text in
// `Matches::unknown`.
#pragma once

#include "backends/iptables/xt_bytes.hpp"
#include "compiler/rules/ruleset.hpp"

#include <compare>
#include <set>

namespace lbc::xt {

/// A match or target extension in the revision that lbc uses.
struct Extension {
    enum class Kind : std::uint8_t { match, target };

    Kind kind = Kind::match;
    std::string_view name; // the kernel's name; a literal
    std::uint8_t revision = 0;
    std::string_view module; // the kernel module that has it

    friend auto operator<=>(Extension const&, Extension const&) = default;
};

/// Why the matches cannot be written as an entry; empty if they can.
[[nodiscard]] std::string refuse_matches(Matches const& when);

/// Appends the extension matches; `refuse_matches` must have returned empty.
void append_matches(Matches const& when, Bytes& out);

/// How to read `-m comment`, which always matches. Own rules have none in the kernel, where it costs every packet time.
enum class Comments : std::uint8_t {
    differ, // a part of the rule, which makes it unequal to every own rule
    kept,   // Rule::comment
};

/// Reads one match. `into.when` must have its protocol already.
void read_match(ByteView match, Comments comments, Rule& into);

/// The match extensions that `when` needs.
void collect_extensions(Matches const& when, std::set<Extension>& into);

} // namespace lbc::xt
