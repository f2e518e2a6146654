// The command line: commands, their options, and the help that is printed of both. Commands declare what they take
// here; that CLI11 parses it stays in options.cpp.
#pragma once

#include "cli/program/environment.hpp"

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace lbc {

/// An option that was added. Each function gives the option back, so that calls can be chained.
class Option {
public:
    explicit Option(CLI::Option* option) : option_(option) {}

    Option required(bool is_required = true) const;
    Option describe(std::string const& help) const;
    /// What `--help` prints for the value: "NAME", "KIND [sh]".
    Option value(std::string const& text) const;
    /// The value is one of these words.
    Option one_of(std::vector<std::string> words) const;
    /// `-d "$UNSET"` is an error.
    Option not_empty() const;
    Option excludes(Option other) const;
    Option needs(Option other) const;

private:
    CLI::Option* option_;
};

/// CommandOptions that do not go together.
struct UsageError {
    std::string option; // "--check"
    std::string message;
};

/// What one command takes. Variables that values are written to must outlive the command line. Names are as CLI11 has
/// them: "-d,--director", "--prove,!--no-prove", "FILE".
class CommandOptions {
public:
    explicit CommandOptions(CLI::App* command) : command_(command) {}

    Option flag(std::string const& names, bool& set, std::string const& help) const;
    /// A flag with an opposite, which tells whether either was given.
    Option flag(std::string const& names, std::optional<bool>& set, std::string const& help) const;
    /// Calls `use` where the flag is given.
    Option flag(std::string const& names, std::function<void()> use, std::string const& help) const;
    Option text(std::string const& names, std::string& value, std::string const& help) const;
    /// Gets the value as it is parsed.
    Option text(std::string const& names, std::function<void(std::string const&)> use, std::string const& help) const;
    /// "30s", "2m": an error where it is no time (`parse_time`).
    Option time(std::string const& names, std::function<void(std::chrono::milliseconds)> use,
                std::string const& help) const;
    /// May be given again, with one value each time.
    Option repeated(std::string const& names, std::vector<std::string>& values, std::string const& help) const;
    /// Words without a name: one at least, and `most` if that is not 0.
    Option operands(std::string const& name, std::vector<std::string>& values, std::string const& help,
                    int most = 0) const;
    /// An option that was added before; asserted.
    [[nodiscard]] Option at(std::string const& name) const;
    /// Looks at all that was given, once everything is parsed.
    void finally(std::function<std::optional<UsageError>()> look) const;

private:
    CLI::App* command_;
};

/// What help prints of a command beside its options.
struct CommandHelp {
    std::string_view name;
    std::string_view what;
    std::string_view group;   // "Read", "Change", "Files"
    std::string_view example; // a command line, without the shell's prompt
    std::vector<Status> statuses;
};

class CommandLine {
public:
    /// Help is wrapped at `width` columns.
    CommandLine(std::string_view what, std::string version, std::size_t width);
    CommandLine(CommandLine const&) = delete;
    CommandLine& operator=(CommandLine const&) = delete;
    ~CommandLine();

    [[nodiscard]] CommandOptions add(CommandHelp const& help);

    /// The command that was asked for, by its place in the order of `add`. Otherwise help, the version or a message of
    /// wrong usage was printed, and this is the status.
    [[nodiscard]] std::expected<std::size_t, Status> parse(std::vector<std::string> arguments, std::ostream& out,
                                                           std::ostream& err);

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

/// What a status means: "the system refused, and nothing was touched".
[[nodiscard]] std::string_view meaning(Status status);

} // namespace lbc
