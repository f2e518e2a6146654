#include "grammar/diagnostic.hpp"
#include "grammar/explain_machine.hpp"
#include "grammar/explain_meaning.hpp"
#include "grammar/explain_text.hpp"
#include "grammar/explain_values.hpp"
#include "grammar/explain_warnings.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace lbc {

namespace {

template <std::size_t... sizes>
constexpr auto concatenate(std::array<DiagInfo, sizes> const&... parts) {
    std::array<DiagInfo, (sizes + ...)> all;
    auto* out = all.begin();
    ((out = std::ranges::copy(parts, out).out), ...);
    return all;
}

constexpr auto registry = concatenate(explain::text_messages, explain::name_messages, explain::value_messages,
                                      explain::meaning_messages, explain::warning_messages, explain::machine_messages);

/// The explain headers are written by hand: that they follow the enumeration is checked here, since `info` indexes.
constexpr bool in_order() {
    for (std::size_t i = 0; i < registry.size(); ++i) {
        if (static_cast<std::size_t>(registry[i].id) != i || registry[i].slug.empty())
            return false;
    }
    return true;
}
static_assert(registry.size() == diag_count, "one entry for each DiagId");
static_assert(in_order(), "entries in the order of DiagId");

} // namespace

std::span<DiagInfo const, diag_count> all_diagnostics() { return registry; }

DiagInfo const& info(DiagId id) {
    assert(id < DiagId::count_);
    return registry[static_cast<std::size_t>(id)];
}

} // namespace lbc
