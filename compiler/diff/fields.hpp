// The fields of a site's statements, each with its word in the language and its value as text. `diff` compares these
// lists, so no reviewer sees a field that is missing here. Therefore each list is made from all members of its type at
// once: a new member does not compile until its list handles it. Private to this folder.
#pragma once

#include "compiler/site/site.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct FieldText {
    enum class Shown : std::uint8_t {
        value,
        name, // only that it differs: a secret, or a command, which the lines of commands show
    };

    std::string name;
    std::string text; // empty: not set
    Shown shown = Shown::value;
};
using FieldTexts = std::vector<FieldText>;

/// The text in quotes, with `\"` and `\\` for the characters that would end the string. An empty text stays empty.
[[nodiscard]] std::string quoted(std::string_view text);

/// "3s", "250ms".
[[nodiscard]] std::string time_text(Milliseconds time);

[[nodiscard]] FieldTexts fields_of(Check const& check);
/// Empty without a quorum.
[[nodiscard]] FieldTexts fields_of(std::optional<Quorum> const& quorum);
[[nodiscard]] FieldTexts fields_of(Sync const& sync, Site const& site);
/// The fields that neither traffic nor the writes to IPVS show: those for keepalived and for readers.
[[nodiscard]] FieldTexts fields_of(Service const& service);
[[nodiscard]] FieldTexts fields_of(RealServer const& real);
/// Without the fields that `unlike` or sentences of their own always cover; `advert` and `virtual-mac` can be in both.
[[nodiscard]] FieldTexts fields_of(Vrrp const& vrrp);
/// Without addresses and MACs, which have sentences of their own, and interfaces, which traffic shows.
[[nodiscard]] FieldTexts fields_of(Director const& director);

/// "every 2s to 3s, host unset to "shop.example", command changed"; empty if nothing differs.
[[nodiscard]] std::string changed_fields(FieldTexts const& before, FieldTexts const& after);

/// The fields that differ from `usual`: "every 2s, host "shop.example"".
[[nodiscard]] std::string set_fields(FieldTexts const& fields, FieldTexts const& usual);

} // namespace lbc
