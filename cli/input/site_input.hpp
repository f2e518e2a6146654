// Shared by the commands that read a site file: the options, the messages, and the choice of a director.
#pragma once

#include "cli/program/environment.hpp"
#include "cli/program/options.hpp"
#include "compiler/layout/layout.hpp"
#include "compiler/plan/plan.hpp"
#include "grammar/diagnostic.hpp"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// `--format WORD`, one of `words`, and `--json`, which is the same as `--format json`. `format` must outlive the
/// command line.
void add_format_to(CommandOptions command, std::string& format, std::vector<std::string> words,
                   std::string const& help);
/// The same for text and JSON alone.
void add_format_to(CommandOptions command, bool& json);

/// `FILE`, `-d NAME`, `--include-from` and `--message-format`.
struct SiteOptions {
    std::string file;
    std::string director;
    bool json_messages = false;
    std::vector<std::string> include_from; // folders beside the site's own
    Layout layout = layout_auto;
    bool writes = false; // the command changes files or the kernel when the site is good

    void add_to(CommandOptions command, bool with_director);
    /// The same without `FILE`.
    void add_options_to(CommandOptions command, bool with_director);
    /// `--layout NAME`
    void add_layout_to(CommandOptions command);
};

/// A site with its source text and all messages about it.
struct SiteInput {
    Sources sources;
    Diagnostics diagnostics;
    Site site;
    Layout layout = layout_auto; // the requested one

    [[nodiscard]] bool good() const { return !diagnostics.has_errors(); }
};

/// Reads, resolves and checks the file. Prints nothing.
[[nodiscard]] std::unique_ptr<SiteInput> read_site(SiteOptions const& options, Environment const& environment);

/// Prints the messages, in text with a line of counts.
void print_messages(SiteInput const& input, SiteOptions const& options, Environment const& environment);

/// The named director, or the one that this machine is: found by its host name, else by the first label of that, else
/// by a MAC. VRRP's MACs do not count, since they move between directors. The error lists the names.
[[nodiscard]] std::expected<DirectorId, std::string> choose_director(Site const& site, std::string const& name,
                                                                     Host const& host);

/// `lbc: MESSAGE`, for a message without a position in a file.
void print_failure(Environment const& environment, std::string_view message);
/// `lbc: note: NOTE`, a line each.
void print_notes(Environment const& environment, std::vector<std::string> const& notes);
/// A failure, as the end of a command.
[[nodiscard]] Status fail(Status status, std::string_view message, Environment const& environment);

/// "1 change", "2 changes"
[[nodiscard]] std::string counted(std::size_t count, std::string_view what);

} // namespace lbc
