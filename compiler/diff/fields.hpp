// The fields of what a site says, each by its word in the language and its value as a reader knows it. `diff` compares
// these lists, so what is not in one is what no reviewer sees: each list is made from all members of its type at once,
// and a member that is added does not compile until its list says what becomes of it. Private to this folder.
#pragma once

#include "compiler/site.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct FieldText {
    enum class Shown : std::uint8_t {
        value,
        name, // that it differs and no more: a secret, or a command, which the lines of commands show
    };

    std::string name;
    std::string text; // empty: not set
    Shown shown = Shown::value;
};
using FieldTexts = std::vector<FieldText>;

/// In quotes, with `\"` and `\\` for what would end them: one string in a line, whatever it holds. Nothing stays
/// nothing.
[[nodiscard]] std::string quoted(std::string_view text);

/// "3s", "250ms".
[[nodiscard]] std::string time_text(Milliseconds time);

[[nodiscard]] FieldTexts fields_of(Check const& check);
/// Without quorum, none.
[[nodiscard]] FieldTexts fields_of(std::optional<Quorum> const& quorum);
[[nodiscard]] FieldTexts fields_of(Sync const& sync, Site const& site);
/// What neither traffic nor the writes to IPVS show: what keepalived and readers make of it.
[[nodiscard]] FieldTexts fields_of(Service const& service);
[[nodiscard]] FieldTexts fields_of(RealServer const& real);
/// What VRRP itself does not compare: see `unlike`.
[[nodiscard]] FieldTexts fields_of(Vrrp const& vrrp);
/// Likewise of a director, whose addresses and MACs have theirs, and whose interfaces are traffic's.
[[nodiscard]] FieldTexts fields_of(Director const& director);

/// "every 2s to 3s, host unset to "shop.example", command changed"; empty where nothing differs.
[[nodiscard]] std::string changed_fields(FieldTexts const& before, FieldTexts const& after);

/// What differs from `usual`: "every 2s, host "shop.example"".
[[nodiscard]] std::string set_fields(FieldTexts const& fields, FieldTexts const& usual);

} // namespace lbc
