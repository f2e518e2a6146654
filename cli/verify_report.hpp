// What `lbc verify` has found, and its two forms.
#pragma once

#include "backends/ipvs/ipvs.hpp"
#include "cli/machine.hpp"
#include "compiler/proof/loops.hpp"
#include "compiler/proof/prove.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// One family's rules of a director beside what the site says.
struct VerifiedFamily {
    Family family{};
    std::vector<std::string> tables; // that were looked at, in their order
    std::size_t rules = 0;           // in them
    Proof proof;                     // `dropped`: where the file says that it is meant, the rest is among the faults
};

/// A service by address for packets of one of the site's, which takes those that the site leaves without a mark.
struct AddressConflict {
    std::string service;
    IpvsAddress by_address;
};

/// A mark of the site's that leads to no virtual service.
struct MissingService {
    std::string name; // "web", "checks of 10.0.0.1"
    Fwmark mark;
    Family family{};
};

struct VerifiedDirector {
    std::string director;
    std::vector<VerifiedFamily> families;
    std::vector<Family> unasked;            // of which the site has services, and nobody gave rules
    bool asks_ipvs = false;                 // of a kernel: what follows was looked for
    std::vector<AddressConflict> conflicts; // in the kernel's IPVS
    std::vector<MissingService> missing;
    std::optional<MachineFindings> machine; // none: this machine was not looked at

    [[nodiscard]] std::size_t differences() const;
    [[nodiscard]] std::size_t unknown() const;
    [[nodiscard]] std::size_t dropped() const; // by rules of others
    [[nodiscard]] bool holds() const { return differences() == 0 && unknown() == 0 && dropped() == 0; }
};

struct VerifyReport {
    Site const* site = nullptr;
    std::vector<VerifiedDirector> directors;
    bool asks_loops = false;
    std::vector<LoopPath> loops; // of all directors together
    bool loops_given_up = false; // there are too many kinds of packets to look for more

    [[nodiscard]] bool holds() const;
    /// Whether the loops are all that there are: no rule is unknown.
    [[nodiscard]] bool knows_loops() const;
};

/// One difference in a line: the packets, their marks, and the rule that decides.
[[nodiscard]] std::string fault_line(MarkFault const& fault, Site const& site, std::string_view director);

[[nodiscard]] std::string verify_text(VerifyReport const& report, bool colour);
/// docs/schema/verify.schema.json
[[nodiscard]] std::string verify_json(VerifyReport const& report);

} // namespace lbc
