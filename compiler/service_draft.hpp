// A service while it is read, and the readers of its own words. Private to the reading of services.
#pragma once

#include "compiler/readers.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace lbc {

/// A service while it is read: what its statements say, and what can only be settled when all are known.
struct ServiceDraft {
    Service service;
    Names& names;
    Reading reading;
    std::optional<Located<Fwmark>> mark_everywhere;
    std::vector<std::pair<DirectorId, Located<Fwmark>>> marks;
    std::vector<Located<DirectorId>> on;
    Span mark_span;
    bool pools_good = true;
};

// Readers of the words behind a statement; each adds to the draft what they say.
void read_vip(Arguments& in, ServiceDraft& draft);
void read_port(Arguments& in, ServiceDraft& draft);
void read_mark(Arguments& in, ServiceDraft& draft);
void read_on(Arguments& in, ServiceDraft& draft);
void read_scheduler(Arguments& in, ServiceDraft& draft);
void read_persistent(Arguments& in, ServiceDraft& draft);
void read_quorum(Arguments& in, ServiceDraft& draft);

} // namespace lbc
