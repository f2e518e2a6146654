// Sets as `ipset restore -exist` takes them, and as it or `ipset save` writes them. In a text of rules, each line
// stands behind `#ipset `, where iptables-restore sees a comment. A set is filled under another name and takes the
// place of what has its own: so the lines may be run again at any time, and no packet meets a set that is half full.
#pragma once

#include "compiler/mark_set.hpp"

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// What the lines begin with in a text of rules.
inline constexpr std::string_view ipset_prefix = "#ipset ";

/// The lines of a set, each behind `ipset_prefix`.
void append_ipset_lines(std::string& out, MarkSet const& set);

/// Reads lines of ipset's own form in their order.
class IpsetReader {
public:
    explicit IpsetReader(Family family) : family_(family) {}

    /// Whether a line that is no rule is one of ipset's.
    [[nodiscard]] static bool is_command(std::string_view line);

    /// Sets of others are passed over. An error says what makes no sense.
    [[nodiscard]] std::expected<void, std::string> take(std::string_view line);

    /// What is lbc's of the family, sorted.
    [[nodiscard]] std::vector<MarkSet> sets() &&;

private:
    [[nodiscard]] std::expected<void, std::string> add(std::string_view name, std::string_view key,
                                                       std::string_view mark);

    Family family_;
    std::map<std::string, std::vector<SetEntry>, std::less<>> sets_;
    std::size_t entries_ = 0;
};

} // namespace lbc
