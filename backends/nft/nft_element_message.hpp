// Decodes the elements of a set from the kernel's netlink messages (nf_tables.h), apart from the socket. The bytes are
// read as hostile. Private to this folder.
#pragma once

#include "backends/nft/nft_element_bytes.hpp"

#include <libmnl/libmnl.h>

#include <vector>

namespace lbc {

/// The elements that the messages of a dump contain.
struct NftElementDump {
    std::vector<NftRawElement> raw;
    bool has_unknown = false; // an element has parts that own elements never have
};

/// Adds the elements of a message, whose length libmnl has checked.
void take_elements(nlmsghdr const& message, NftElementDump& dump);

} // namespace lbc
