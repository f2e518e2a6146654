// The words of one line of restore text, split and quoted as iptables-restore splits and iptables-save quotes them, and
// the numbers among them. Nothing here knows an option; every function takes time in proportion to its text.
#pragma once

#include "compiler/base/types.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct Word {
    std::string text;         // without quoting
    std::string_view written; // with it, in the line
};
using Words = std::span<Word const>;

/// Splits at blanks. `"` quotes, and within the quotes `\` takes the next character as it is; a closing quote ends the
/// word (add_param_to_argv in xshared.c). Nothing if a quote is not closed. The words refer to the line.
[[nodiscard]] std::optional<std::vector<Word>> split_words(std::string_view line);

/// The words with a blank between them, quoted as they are in the line; control characters become blanks.
[[nodiscard]] std::string as_written(Words words);

/// An option with its values: `! --dport 80:90`.
struct RuleOption {
    bool negated = false;
    std::string_view name; // "--dport"
    Words values;          // up to the next option
    Words all;             // with `!` and name
};

/// Splits words at their options. Nothing if a word stands before the first option, or a `!` before no option.
[[nodiscard]] std::optional<std::vector<RuleOption>> split_options(Words words);

/// Decimal digits, without a leading zero, which iptables takes for octal.
[[nodiscard]] std::optional<std::uint32_t> rule_number(std::string_view text, std::uint32_t largest);

struct MarkAndMask {
    std::uint32_t mark;
    std::uint32_t mask;
};

/// "0x1a", "26" or either with "/MASK"; without it the mask is whole.
[[nodiscard]] std::optional<MarkAndMask> rule_mark(std::string_view text);

/// "80", "8000:8099", ":1023", "1024:".
[[nodiscard]] std::optional<PortRange> rule_ports(std::string_view text);

/// A protocol's number or name, of those that /etc/protocols has on every Linux; "all" is 0.
[[nodiscard]] std::optional<std::uint8_t> rule_protocol(std::string_view text);

/// "192.0.2.0", "192.0.2.0/24", "192.0.2.0/255.255.255.0", and the same of IPv6; nothing if the mask is no prefix.
[[nodiscard]] std::optional<Prefix> rule_prefix(std::string_view text);

/// Whether a word is a chain's or a rule's counters: "[12:3456]".
[[nodiscard]] bool is_counters(std::string_view word);

} // namespace lbc
