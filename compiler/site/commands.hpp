// The complete list of the commands that a site makes keepalived run and of the files that it makes keepalived open. A
// reviewer has to trust all of them; `check --no-commands` refuses them. Example:
//
//     service web { vip 192.0.2.1; port tcp 80; real 10.0.0.1 { notify-up "/usr/local/bin/up web" } }
//
// gives "service web", "notify-up of real server 10.0.0.1", root, "/usr/local/bin/up web", on each director.
#pragma once

#include "compiler/site/site.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbc {

/// A command that keepalived runs, or a file that it opens.
struct SiteCommand {
    enum class Kind : std::uint8_t {
        check_script,
        check_file, // keepalived opens it and reads a number
        notify_up,
        notify_down,
        quorum_up,
        quorum_down,
        track_script,
        notify,
    };
    using Real = std::pair<IpAddress, Port>;

    Kind kind{};
    std::string subject;               // "service web", "vrrp public"
    std::vector<Real> reals;           // the real servers it belongs to; empty: to the subject itself
    std::vector<DirectorId> directors; // that run it; empty: none does, as with a check under `ipvs lbc`
    std::string user;                  // the user that runs it
    std::string text;                  // the command, or the file's path
    Span span;

    /// Whether it is a file that lbc named, in a folder that belongs to root: `check file` without a `file`.
    [[nodiscard]] bool is_own_file() const;
};

/// "check-script", "notify-up"; as in docs/schema/diff.schema.json.
[[nodiscard]] std::string_view to_string(SiteCommand::Kind kind);

/// "reads" for a file, else "runs".
[[nodiscard]] std::string_view verb_of(SiteCommand::Kind kind);

/// "check script of every real server", "notify-up of real server 10.0.0.1", "quorum-up". `reals` are names as a reader
/// knows them. Of many, only the first ones are printed, with the number of the others.
[[nodiscard]] std::string place_of(SiteCommand::Kind kind, std::vector<std::string> const& reals);

/// All commands of a site, in source order. A statement that stands for several real servers gives one command.
[[nodiscard]] std::vector<SiteCommand> commands_of(Site const& site);

} // namespace lbc
