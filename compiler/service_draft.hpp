// A service while it is read, and the readers of its own words. Private to the reading of services.
#pragma once

#include "compiler/readers.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace lbc {

/// In the order in which a service has its claims.
inline constexpr std::array protocols{Protocol::any, Protocol::tcp, Protocol::udp, Protocol::sctp};
using WrittenPorts = Few<Located<PortRange>, 1>;

/// A service while it is read: what its statements say, and what can only be settled when all are known.
struct ServiceDraft {
    Service service;
    Names& names;
    Reading reading;
    std::optional<Located<Fwmark>> mark_everywhere;
    std::vector<std::pair<DirectorId, Located<Fwmark>>> marks;
    std::vector<Located<DirectorId>> on;
    Span mark_span;
    Few<Located<Prefix>, 1> vips;      // as written, settled by `settle_claims`
    std::array<WrittenPorts, 4> ports; // as written, of each of `protocols`, settled by `settle_claims`
    RealIndex reals;                   // those that the service has
    bool claims_settled = false;
    bool pools_good = true;

    ServiceDraft(Names& with_names, Reading with_reading) : names(with_names), reading(with_reading) {}
};

/// Puts the VIPs and ports into the service, once, when all their statements are read: what overlaps becomes one, with
/// a warning, and ports that touch become one range.
void settle_claims(ServiceDraft& draft);

// Readers of the words behind a statement; each adds to the draft what they say.
void read_vip(Arguments& in, ServiceDraft& draft);
void read_port(Arguments& in, ServiceDraft& draft);
void read_mark(Arguments& in, ServiceDraft& draft);
void read_on(Arguments& in, ServiceDraft& draft);
void read_scheduler(Arguments& in, ServiceDraft& draft);
void read_persistent(Arguments& in, ServiceDraft& draft);
void read_quorum(Arguments& in, ServiceDraft& draft);

} // namespace lbc
