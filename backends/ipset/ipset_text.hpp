// Prints sets as input of `ipset restore -exist`, and reads that and the output of `ipset save`. In a rules text each
// line follows `#ipset `, which iptables-restore takes for a comment. The lines fill a staging set and swap it with the
// real one: they may run again at any time, and no packet meets a half full set.
#pragma once

#include "compiler/rules/mark_set.hpp"

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The prefix of each line in a rules text.
inline constexpr std::string_view ipset_prefix = "#ipset ";

/// The lines of a set, each behind `ipset_prefix`.
void append_ipset_lines(std::string& out, MarkSet const& set);

/// Reads lines of ipset's own form in their order.
class IpsetReader {
public:
    explicit IpsetReader(Family family) : family_(family) {}

    /// Whether a line that is not a rule is an ipset command.
    [[nodiscard]] static bool is_command(std::string_view line);

    /// Applies one command. Skips foreign sets. The error names what is malformed.
    [[nodiscard]] std::expected<void, std::string> take(std::string_view line);

    /// The own sets of the family, sorted by name, each with its entries sorted.
    [[nodiscard]] std::vector<MarkSet> sets() &&;

private:
    [[nodiscard]] std::expected<void, std::string> add(std::string_view name, std::string_view key,
                                                       std::string_view mark);

    Family family_;
    std::map<std::string, std::vector<SetEntry>, std::less<>> sets_;
    std::size_t entries_ = 0;
};

} // namespace lbc
