// Visits the lines of a keepalived.conf as lbc writes it, one statement each, with the blocks around them. Used to
// compare two such files, and to find things in one.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct ConfigurationLine {
    std::string_view text;                  // without the blanks around it
    std::vector<std::string> const& blocks; // around it, the outermost first: "virtual_server fwmark 3"
    std::string_view title;                 // of the outermost block: "web, IPv4", from the comment above it
    bool opens = false;                     // its last character is `{`
    bool closes = false;                    // it is `}`, and the last of `blocks` is its block
};

/// Calls `visit` with all but empty lines.
void for_each_line(std::string_view text, std::function<void(ConfigurationLine const&)> const& visit);

} // namespace lbc
