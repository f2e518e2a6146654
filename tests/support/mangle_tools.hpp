// Helpers of the tests of the real mangle tables: iptables-legacy for comparison, namespaces, and rules to try. A
// helper that cannot do its part fails the test that called it.
#pragma once

#include "backends/apply/kernel.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lbc::test {

using Arguments = std::vector<std::string>;

struct Finished {
    int status = -1; // of waitpid(2); -1 when the program could not be started
    std::string output;
};

/// Runs a program with `input` as its standard input; its output and messages come back together.
[[nodiscard]] Finished run(Arguments arguments, std::string const& input = {});

/// "iptables-legacy-restore" for IPv4 and "-restore".
[[nodiscard]] std::string tool(Family family, std::string_view name);

/// Loads lines of the mangle table with iptables-restore, which keeps the existing rules and takes counters.
void load(Family family, std::string const& rules);

/// Runs `iptables -t mangle` with arguments.
void command(Family family, Arguments arguments);

/// The mangle table with its counters, without iptables-save's comments, which have the time.
[[nodiscard]] std::string saved(Family family);

/// Checks two texts line by line: the first that differs tells more than both whole.
void check_equal(std::string_view now, std::string_view before);

/// Moves this process to a new network namespace, whose tables are empty.
void new_namespace();

[[nodiscard]] std::unique_ptr<MangleTable> open_table(Family family);

/// `supports` and `replace`, on the table as it is.
void replace(Ruleset const& wanted);

/// The message; empty if there was no error.
[[nodiscard]] std::string error_of(std::expected<void, SystemError> const& result);

[[nodiscard]] PortRange ports(std::uint16_t first, std::uint16_t last);

/// Every form of match with every form of target, in three chains with three hooks.
[[nodiscard]] Ruleset all_forms(Family family);

/// The chain LBC with `count` rules, and a jump from PREROUTING.
[[nodiscard]] Ruleset simple_rules(Family family, std::uint32_t count = 1);

} // namespace lbc::test
