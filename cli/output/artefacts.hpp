// The artefacts of directors: each kind of output with its text and its path in a tree of `compile --emit all`.
#pragma once

#include "backends/emit/sh/sh.hpp"
#include "backends/emit/unsupported.hpp"
#include "cli/input/site_input.hpp"
#include "cli/output/output_tree.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

using Plans = std::span<Plan const>;

/// The input of one output.
struct Emission {
    SiteInput const& in;
    Plans plans;
    MarkTool tool; // of a script
};

/// One kind of output of directors' plans.
struct Kind {
    std::string_view name;
    bool for_one = false; // director; others are for all of the site
    std::string (*text)(Emission const&) = nullptr;
    std::optional<Output> limits = {};  // none: the site's JSON, which can represent everything
    std::string_view file_of_site = {}; // in `all`
    std::string_view file_of_director = {};
    bool (*is_needed)(Site const&, Plan const&) = [](Site const& /*site*/, Plan const& /*plan*/) { return true; };
    bool has_secrets = false; // those of VRRP, if the site has one

    /// Whether it has marks only, without virtual services.
    [[nodiscard]] bool is_of_marks() const { return limits == Output::marks; }
};

[[nodiscard]] std::span<Kind const> artefact_kinds();

/// Null for those of real servers, and for `all`.
[[nodiscard]] Kind const* find_kind(std::string_view name);

/// Every name that `--emit` takes.
[[nodiscard]] std::vector<std::string> kind_names();

/// Whether only the owner may read a text of the kind.
[[nodiscard]] bool is_secret(Kind const& kind, Site const& site);

/// Every artefact. `director` is the requested one, or empty.
[[nodiscard]] Files emit_all(Emission const& of, std::string_view director);

/// The paths of a tree's files that are secret.
[[nodiscard]] std::set<std::string> secret_files(Emission const& of);

/// Whether `emit_all` gives a file of some site that path.
[[nodiscard]] bool is_artefact(std::string_view path);

} // namespace lbc
