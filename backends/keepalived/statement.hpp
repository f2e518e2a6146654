// Writes the text of keepalived.conf(5): statements and blocks, for one host, or for several in one file. A line that
// not every host has begins with `@` and the host's config-id. Private to the back end.
#pragma once

#include "compiler/base/keepalived_strings.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc::keepalived {

/// A line, or a block with its head and its statements.
struct Statement {
    std::string text;
    std::vector<Statement> block{};
    bool is_block = false;
    std::string comment{}; // stands above; one line

    Statement(std::string line) : text(std::move(line)) {} // NOLINT(google-explicit-constructor): a line is a statement
    Statement(std::string head, std::vector<Statement> statements)
        : text(std::move(head)), block(std::move(statements)), is_block(true) {}

    friend bool operator==(Statement const&, Statement const&) = default;
};

/// The statements that one host has.
struct Configuration {
    std::string id; // its config-id
    std::vector<Statement> statements;
};

/// Quotes a word that is no command and no pattern: keepalived reads it as it stands. `check_keepalived` has refused
/// words that cannot be quoted.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The text of the file. Statements that all hosts have in common occur once.
[[nodiscard]] std::string text_of(std::span<Configuration const> hosts);

} // namespace lbc::keepalived
