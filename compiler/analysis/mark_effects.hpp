// What targets that change a packet's mark make of an outcome.
#pragma once

#include "compiler/analysis/evaluate.hpp"

namespace lbc {

[[nodiscard]] Outcome marked(Outcome outcome, SetMark const& set);

/// A foreign rule gives the bits of the mask any value.
[[nodiscard]] Outcome opened(Outcome outcome, std::uint32_t mask);

/// Each outcome for a connection with one of the marks. Unless the packet surely has a connection, also the outcome as
/// it was.
[[nodiscard]] Outcomes restored(Outcome const& outcome, RestoreMark const& restore, ConnectionMarks const& marks,
                                bool has_connection);

} // namespace lbc
