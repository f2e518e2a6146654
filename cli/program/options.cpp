#include "cli/program/options.hpp"

#include "compiler/site/values.hpp"
#include "grammar/spell.hpp"
#include "grammar/utf8.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <sstream>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t description_column = 30;
constexpr std::size_t least_description = 30; // columns that a description has on any terminal

/// Words in lines of `width` columns, each behind `indent`; the first line has its indent already.
std::string wrap(std::string_view text, std::size_t width, std::string const& indent) {
    std::string out;
    std::size_t column = 0;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word; column += word.size()) {
        if (column != 0 && column + 1 + word.size() > width) {
            out += '\n' + indent;
            column = 0;
        } else if (column != 0) {
            out += ' ';
            ++column;
        }
        out += word;
    }
    return out;
}

class Help : public CLI::Formatter {
public:
    explicit Help(std::size_t width) : width_(width) {
        column_width(description_column);
        label("SUBCOMMAND", "COMMAND");
        label("Positionals", "Operands");
    }

    std::string make_option(CLI::Option const* option, bool is_positional) const override {
        return entry(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option));
    }
    std::string make_option_name(CLI::Option const* option, bool is_positional) const override {
        auto name = CLI::Formatter::make_option_name(option, is_positional);
        if (auto const opposite = name.find("{false}"); opposite != std::string::npos)
            name.erase(opposite);
        return name;
    }
    /// What goes together with what is said by the message of a mistake.
    std::string make_option_opts(CLI::Option const* option) const override {
        auto const text = option->get_option_text();
        return text.empty() ? std::string() : ' ' + text;
    }
    std::string make_option_usage(CLI::Option const* option) const override {
        auto const text = option->get_option_text();
        auto const name = text.empty() ? option->get_name(true, false) : text;
        auto const several = text.empty() && option->get_expected_max() > 1 ? "..." : "";
        return option->get_required() ? name + several : '[' + name + several + ']';
    }
    std::string make_footer(CLI::App const* app) const override {
        std::string out;
        std::istringstream lines(app->get_footer());
        for (std::string line; std::getline(lines, line);)
            out += line.starts_with(' ') ? line + '\n' : wrap(line, width_, "") + '\n';
        return out;
    }
    std::string make_subcommand(CLI::App const* command) const override {
        return entry(command->get_name(), command->get_description());
    }

private:
    [[nodiscard]] std::string entry(std::string const& name, std::string const& what) const {
        auto const width = std::max(width_, description_column + least_description) - description_column;
        std::string const indent(description_column, ' ');
        std::string line = "  " + name;
        if (line.size() + 2 > description_column)
            line += '\n' + indent;
        else
            line.resize(description_column, ' ');
        return line + wrap(what, width, indent) + '\n';
    }

    std::size_t width_;
};

std::string footer_of(CommandHelp const& help, std::size_t width) {
    auto footer = fmt::format("Example:\n  {}\n\nExit status:\n", help.example);
    for (auto const status : help.statuses)
        footer += fmt::format("  {}  {}\n", static_cast<int>(status),
                              wrap(meaning(status), std::max<std::size_t>(width, 25) - 5, "     "));
    return footer;
}

std::string suggestion(std::string_view word, std::vector<std::string> const& known) {
    std::vector<std::string_view> const names(known.begin(), known.end());
    return did_you_mean(word, names);
}

std::vector<std::string> options_of(CLI::App const& command) {
    std::vector<std::string> names;
    for (auto const* option : command.get_options())
        for (auto const& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

} // namespace

Option Option::required(bool is_required) const { return Option(option_->required(is_required)); }
Option Option::describe(std::string const& help) const { return Option(option_->description(help)); }
Option Option::value(std::string const& text) const { return Option(option_->option_text(text)); }
Option Option::one_of(std::vector<std::string> words) const {
    return Option(option_->check(CLI::IsMember(std::move(words))));
}
Option Option::not_empty() const {
    return Option(option_->check(
        [](std::string const& text) { return text.empty() ? "an empty value says nothing" : std::string(); }));
}
Option Option::excludes(Option other) const { return Option(option_->excludes(other.option_)); }
Option Option::needs(Option other) const { return Option(option_->needs(other.option_)); }

Option CommandOptions::flag(std::string const& names, bool& set, std::string const& help) const {
    return Option(command_->add_flag(names, set, help));
}
Option CommandOptions::flag(std::string const& names, std::optional<bool>& set, std::string const& help) const {
    auto* option = command_->add_flag(names, set, help);
    set.reset(); // CLI11 begins to count at 0, which is the opposite
    return Option(option);
}
Option CommandOptions::flag(std::string const& names, std::function<void()> use, std::string const& help) const {
    return Option(command_->add_flag_callback(names, std::move(use), help));
}
Option CommandOptions::text(std::string const& names, std::string& value, std::string const& help) const {
    return Option(command_->add_option(names, value, help));
}
Option CommandOptions::text(std::string const& names, std::function<void(std::string const&)> use,
                            std::string const& help) const {
    return Option(command_->add_option_function<std::string>(names, std::move(use), help));
}
Option CommandOptions::time(std::string const& names, std::function<void(std::chrono::milliseconds)> use,
                            std::string const& help) const {
    return text(
        names,
        [names, use = std::move(use)](std::string const& value) {
            auto const time = parse_time(value);
            if (!time)
                throw CLI::ValidationError(names, time.error().message);
            use(*time);
        },
        help);
}
Option CommandOptions::repeated(std::string const& names, std::vector<std::string>& values,
                                std::string const& help) const {
    return Option(
        command_->add_option(names, values, help)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
}
Option CommandOptions::operands(std::string const& name, std::vector<std::string>& values, std::string const& help,
                                int most) const {
    auto* option = command_->add_option(name, values, help)->required();
    return Option(most == 0 ? option : option->expected(1, most));
}
Option CommandOptions::at(std::string const& name) const { return Option(command_->get_option(name)); }
void CommandOptions::finally(std::function<std::optional<UsageError>()> look) const {
    command_->final_callback([look = std::move(look)] {
        if (auto const error = look())
            throw CLI::ValidationError(error->option, error->message);
    });
}

struct CommandLine::Parser {
    CLI::App app;
    std::vector<CLI::App*> commands;
    std::size_t width;

    [[nodiscard]] std::string no_command(std::string const& word) const {
        std::vector<std::string> names;
        for (auto const* one : commands)
            names.push_back(one->get_name());
        return fmt::format("no command `{}`{}", printable(word), suggestion(word, names));
    }

    /// A message, and the command whose help has the way out; null: the program's.
    struct Complaint {
        std::string message;
        CLI::App const* command = nullptr;
    };

    /// What is wrong with the first word that was not understood; no message if every word was.
    [[nodiscard]] Complaint complaint(std::vector<std::string> const& arguments) const {
        auto left = app.remaining(true);
        std::erase(left, "--");
        if (left.empty())
            return {};
        auto const& word = left.front();
        auto const place = std::ranges::find(arguments, word);
        bool const is_operand = std::find(arguments.begin(), place, "--") != place;
        bool const is_option = !is_operand && word.size() > 1 && word.starts_with('-');
        auto const parsed = app.get_subcommands();
        if (parsed.empty() && !is_option)
            return {no_command(word)};
        // A command's words stand behind it.
        auto const* command = parsed.empty() || place < std::ranges::find(arguments, parsed.front()->get_name())
                                  ? nullptr
                                  : parsed.front();
        auto const who = command == nullptr ? std::string() : command->get_name() + ' ';
        if (!is_option)
            return {fmt::format("{}takes no further `{}`", who, printable(word)), command};
        return {fmt::format("{}no option `{}`{}", command == nullptr ? "" : who + "has ", printable(word),
                            suggestion(word, options_of(command == nullptr ? app : *command))),
                command};
    }

    /// What CLI11 says, or more of it.
    [[nodiscard]] Complaint complaint(std::vector<std::string> const& arguments, CLI::ParseError const& error) const {
        bool const is_required = dynamic_cast<CLI::RequiredError const*>(&error) != nullptr;
        if (is_required || dynamic_cast<CLI::ExtrasError const*>(&error) != nullptr)
            if (auto said = complaint(arguments); !said.message.empty())
                return said;
        auto const parsed = app.get_subcommands();
        if (parsed.empty() && is_required)
            return {"name a command"};
        // It may repeat an argument.
        return {printable(error.what()), parsed.empty() ? nullptr : parsed.front()};
    }
};

CommandLine::CommandLine(std::string_view what, std::string version, std::size_t width)
    : parser_(new Parser{CLI::App(std::string(what), "lbc"), {}, width}) {
    auto& app = parser_->app;
    app.formatter(std::make_shared<Help>(width));
    app.require_subcommand(1);
    app.set_help_flag("-h,--help", "print this help");
    app.set_version_flag("--version", std::move(version), "print the version");
    app.footer(
        "`lbc help COMMAND` prints a command's options, an example and its exit statuses; `lbc explain ID` explains "
        "a message.\nMore: lbc(8)");
}

CommandLine::~CommandLine() = default;

CommandOptions CommandLine::add(CommandHelp const& help) {
    auto* command = parser_->app.add_subcommand(std::string(help.name), std::string(help.what));
    command->group(std::string(help.group));
    command->footer(footer_of(help, parser_->width));
    command->formatter(parser_->app.get_formatter());
    parser_->commands.push_back(command);
    return CommandOptions(command);
}

std::expected<std::size_t, Status> CommandLine::parse(std::vector<std::string> arguments, std::ostream& out,
                                                      std::ostream& err) {
    auto& app = parser_->app;
    auto const fail = [&](Parser::Complaint const& said) {
        err << fmt::format("lbc: {}\nRun `lbc {}--help` for what there is.\n", said.message,
                           said.command == nullptr ? "" : said.command->get_name() + ' ');
        return std::unexpected(Status::bad_input);
    };
    if (!arguments.empty() && arguments.front() == "help") {
        arguments.erase(arguments.begin());
        if (arguments.size() == 1 && (arguments[0] == "help" || arguments[0] == "--help"))
            arguments.clear();
        if (arguments.size() > 1)
            return fail({"help takes one command"});
        if (arguments.size() == 1 && std::ranges::find(parser_->commands, arguments[0], [](CLI::App const* one) {
                                         return one->get_name();
                                     }) == parser_->commands.end())
            return fail({parser_->no_command(arguments[0])});
        arguments.emplace_back("--help");
    }
    // CLI11 takes the next word for the value.
    auto const options_end = std::ranges::find(arguments, "--");
    auto const lacking = std::find_if(arguments.begin(), options_end, [](std::string const& word) {
        return word.starts_with("--") && word.find('=') == word.size() - 1;
    });
    if (lacking != options_end)
        return fail({fmt::format("`{}` has no value", printable(*lacking))});
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend())); // CLI11 takes the last first
    } catch (CLI::ParseError const& error) {
        if (error.get_exit_code() != 0)
            return fail(parser_->complaint(arguments, error));
        app.exit(error, out, err);
        return std::unexpected(Status::done);
    }
    auto const parsed = std::ranges::find_if(parser_->commands, [](CLI::App const* one) { return one->parsed(); });
    if (parsed == parser_->commands.end())
        return std::unexpected(Status::bad_input);
    return static_cast<std::size_t>(parsed - parser_->commands.begin());
}

std::string_view meaning(Status status) {
    switch (status) {
    case Status::done: return "done";
    case Status::differs: return "done, and something differs or could not be proved";
    case Status::bad_input: return "wrong usage, or an error in the input; nothing was touched";
    case Status::refused: return "the system refused; nothing was touched";
    case Status::rolled_back: return "failed, and rolled back: the kernel is as before";
    case Status::partly_applied: return "failed, and the rollback too: what is still present is printed";
    }
    return "";
}

} // namespace lbc
