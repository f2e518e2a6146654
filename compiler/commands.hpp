// What a site has its directors run, and the files it has them open, by the hand of keepalived: all that a reviewer has
// to trust, or `check --no-commands` has to refuse. This is the one list of it. Example: of
//
//     service web { vip 192.0.2.1; port tcp 80; real 10.0.0.1 { notify-up "/usr/local/bin/up web" } }
//
// "service web", "notify-up of real server 10.0.0.1", root, "/usr/local/bin/up web", on each director.
#pragma once

#include "compiler/site.hpp"

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
    std::vector<Real> reals;           // whose it is; none: the subject's own
    std::vector<DirectorId> directors; // that run it; none: nobody, as with a check under `ipvs lbc`
    std::string user;                  // that runs it
    std::string text;                  // the command, or the file's path
    Span span;

    /// Whether it is a file that lbc has named, in a folder of root's: `check file` without a `file`.
    [[nodiscard]] bool is_own_file() const;
};

/// "check-script", "notify-up"; as in docs/schema/diff.schema.json.
[[nodiscard]] std::string_view to_string(SiteCommand::Kind kind);

/// "runs", or "reads" of a file.
[[nodiscard]] std::string_view verb_of(SiteCommand::Kind kind);

/// "check script of every real server", "notify-up of real server 10.0.0.1", "quorum-up". `reals` are as a reader knows
/// them; of many, the first ones are named and all are counted.
[[nodiscard]] std::string place_of(SiteCommand::Kind kind, std::vector<std::string> const& reals);

/// All of a site, in the order of the source. A statement that stands for several real servers is one command.
[[nodiscard]] std::vector<SiteCommand> commands_of(Site const& site);

} // namespace lbc
