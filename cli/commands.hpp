// The commands, one file each. Each function of the first group adds a subcommand to the parser and gives back what to
// run if the user chose it.
#pragma once

#include "cli/run.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace lbc {

using Command = std::function<Status(Environment const&)>;

Command add_check(CLI::App& subcommand);
Command add_fmt(CLI::App& subcommand);
Command add_compile(CLI::App& subcommand);
Command add_diff(CLI::App& subcommand);
Command add_apply(CLI::App& subcommand);
Command add_remove(CLI::App& subcommand);
Command add_status(CLI::App& subcommand);
Command add_verify(CLI::App& subcommand);
Command add_trace(CLI::App& subcommand);
Command add_confirm(CLI::App& subcommand);
Command add_rollback(CLI::App& subcommand);
Command add_explain(CLI::App& subcommand);

} // namespace lbc
