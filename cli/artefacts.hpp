// The artefacts of directors: each kind of output with its text, and where it lies in a tree of `compile --emit all`.
#pragma once

#include "backends/limits.hpp"
#include "backends/sh/sh.hpp"
#include "cli/output_tree.hpp"
#include "cli/site_input.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

using Plans = std::span<Plan const>;

/// What one output is made of.
struct Emission {
    SiteInput const& in;
    Plans plans;
    MarkTool tool; // of a script
};

/// One kind of output of directors' plans.
struct Kind {
    std::string_view name;
    bool for_one = false; // director; others take all of the site's
    std::string (*text)(Emission const&) = nullptr;
    std::optional<Output> limits = {};  // the site's JSON holds everything
    std::string_view file_of_site = {}; // in `all`
    std::string_view file_of_director = {};
    bool (*is_needed)(Site const&, Plan const&) = [](Site const& /*site*/, Plan const& /*plan*/) { return true; };
    bool has_secrets = false; // those of VRRP, where the site has one

    /// It has nothing of virtual services.
    [[nodiscard]] bool is_of_marks() const { return limits == Output::marks; }
};

[[nodiscard]] std::span<Kind const> artefact_kinds();

/// Null for those of real servers, and for `all`.
[[nodiscard]] Kind const* find_kind(std::string_view name);

/// Every name that `--emit` takes.
[[nodiscard]] std::vector<std::string> kind_names();

/// Whether a text of the kind is for its owner's eyes alone.
[[nodiscard]] bool is_secret(Kind const& kind, Site const& site);

/// Every artefact. `director` is the one that was asked for, or empty.
[[nodiscard]] Files emit_all(Emission const& of, std::string_view director);

/// Those of a tree that are secret.
[[nodiscard]] std::set<std::string> secret_files(Emission const& of);

/// Whether `emit_all` gives a file of some site that path.
[[nodiscard]] bool is_artefact(std::string_view path);

} // namespace lbc
