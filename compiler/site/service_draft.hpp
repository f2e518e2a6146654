// A service while it is read, and the readers of its statements. Private to the reading of services.
#pragma once

#include "compiler/site/readers.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace lbc {

/// The order of a service's claims.
inline constexpr std::array protocols{Protocol::any, Protocol::tcp, Protocol::udp, Protocol::sctp};
using WrittenPorts = SmallVector<Located<PortRange>, 1>;

/// A service while it is read: the values of its statements, and what can be settled only when all of them are read.
struct ServiceDraft {
    Service service;
    Names& names;
    Reading reading;
    std::optional<Located<Fwmark>> mark_everywhere;
    std::vector<std::pair<DirectorId, Located<Fwmark>>> marks;
    std::vector<Located<DirectorId>> on;
    Span mark_span;
    SmallVector<Located<Prefix>, 1> vips; // as written, settled by `settle_claims`
    std::array<WrittenPorts, 4> ports;    // as written, of each of `protocols`, settled by `settle_claims`
    RealIndex reals;                      // the real servers of the service
    bool claims_settled = false;
    bool pools_good = true;

    ServiceDraft(Names& with_names, Reading with_reading) : names(with_names), reading(with_reading) {}
};

/// Moves the VIPs and ports into the service, once, when all their statements are read. Merges overlaps, with a
/// warning, and adjacent port ranges.
void settle_claims(ServiceDraft& draft);

// Readers of the words behind a statement; each stores their values in the draft.
void read_vip(Arguments& in, ServiceDraft& draft);
void read_port(Arguments& in, ServiceDraft& draft);
void read_mark(Arguments& in, ServiceDraft& draft);
void read_on(Arguments& in, ServiceDraft& draft);
void read_scheduler(Arguments& in, ServiceDraft& draft);
void read_persistent(Arguments& in, ServiceDraft& draft);
void read_quorum(Arguments& in, ServiceDraft& draft);

} // namespace lbc
