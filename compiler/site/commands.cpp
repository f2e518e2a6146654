#include "compiler/site/commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

namespace lbc {
namespace {

/// keepalived's `script_user`, which every generated configuration with a command sets.
constexpr std::string_view default_user = "root";

class Commands {
public:
    explicit Commands(Site const& site) : site_(site) {}

    std::vector<SiteCommand> run() {
        for (auto const& service : site_.services)
            add(service);
        for (auto const& vrrp : site_.vrrps)
            add(vrrp);
        return std::move(all_);
    }

private:
    void add(Service const& service) {
        subject_ = "service " + service.name.value;
        directors_.clear();
        if (site_.ipvs == IpvsOwner::keepalived)
            for (auto const& on : service.on)
                directors_.push_back(on.director);
        for (auto const& check : service.checks)
            add(check);
        places_.clear();
        for (auto const& real : service.reals) {
            SiteCommand::Real const one{real.address, real.port};
            for (auto const& check : real.checks)
                add(check, &one);
            add(SiteCommand::Kind::notify_up, real.notify_up, {}, &one);
            add(SiteCommand::Kind::notify_down, real.notify_down, {}, &one);
        }
        if (service.quorum) {
            add(SiteCommand::Kind::quorum_up, service.quorum->up);
            add(SiteCommand::Kind::quorum_down, service.quorum->down);
        }
    }

    void add(Vrrp const& vrrp) {
        subject_ = "vrrp " + vrrp.name.value;
        directors_.clear();
        for (auto const& [director, priority] : vrrp.priorities)
            directors_.push_back(director);
        for (auto const& script : vrrp.track_scripts)
            add(SiteCommand::Kind::track_script, script.command);
        add(SiteCommand::Kind::notify, vrrp.notify);
    }

    void add(Check const& check, SiteCommand::Real const* real = nullptr) {
        if (check.kind == Check::Kind::file)
            add(SiteCommand::Kind::check_file, {check.tracked_path(), check.span}, {}, real);
        else
            add(SiteCommand::Kind::check_script, check.command, check.user, real);
    }

    void add(SiteCommand::Kind kind, CommandText const& command, std::string const& user = {},
             SiteCommand::Real const* real = nullptr) {
        if (command.empty())
            return;
        if (real == nullptr) {
            push(kind, command, user);
            return;
        }
        // One statement can stand for many real servers.
        auto const [place, added] = places_.try_emplace({kind, command.span, user}, all_.size());
        if (added)
            push(kind, command, user);
        all_[place->second].reals.push_back(*real);
    }

    void push(SiteCommand::Kind kind, CommandText const& command, std::string const& user) {
        all_.push_back({kind,
                        subject_,
                        {},
                        directors_,
                        user.empty() ? std::string(default_user) : user,
                        command.text,
                        command.span});
    }

    Site const& site_;
    std::vector<SiteCommand> all_;
    std::string subject_;
    std::vector<DirectorId> directors_;
    std::map<std::tuple<SiteCommand::Kind, Span, std::string>, std::size_t>
        places_; // indices in `all_`, for one service
};

} // namespace

std::string_view to_string(SiteCommand::Kind kind) {
    switch (kind) {
    case SiteCommand::Kind::check_script: return "check-script";
    case SiteCommand::Kind::check_file: return "check-file";
    case SiteCommand::Kind::notify_up: return "notify-up";
    case SiteCommand::Kind::notify_down: return "notify-down";
    case SiteCommand::Kind::quorum_up: return "quorum-up";
    case SiteCommand::Kind::quorum_down: return "quorum-down";
    case SiteCommand::Kind::track_script: return "track-script";
    case SiteCommand::Kind::notify: return "notify";
    }
    return {};
}

bool SiteCommand::is_own_file() const {
    return kind == SiteCommand::Kind::check_file && text.starts_with(tracked_file_start) &&
           text.find('/', tracked_file_start.size()) == std::string::npos;
}

std::string_view verb_of(SiteCommand::Kind kind) { return kind == SiteCommand::Kind::check_file ? "reads" : "runs"; }

std::string place_of(SiteCommand::Kind kind, std::vector<std::string> const& reals) {
    constexpr std::size_t named = 8;
    auto const is_check = kind == SiteCommand::Kind::check_script || kind == SiteCommand::Kind::check_file;
    std::string text = kind == SiteCommand::Kind::check_script   ? "check script"
                       : kind == SiteCommand::Kind::check_file   ? "check file"
                       : kind == SiteCommand::Kind::track_script ? "track script"
                                                                 : std::string(to_string(kind));
    if (reals.empty())
        return is_check ? text + " of every real server" : text;
    auto const first = std::span(reals).first(std::min(named, reals.size()));
    text += fmt::format(" of real server{} {}", reals.size() == 1 ? "" : "s", fmt::join(first, ", "));
    return reals.size() > named ? fmt::format("{} and {} more", text, reals.size() - named) : text;
}

std::vector<SiteCommand> commands_of(Site const& site) { return Commands(site).run(); }

} // namespace lbc
