// Elements of a set as messages of the kernel have them (nf_tables.h), apart from the socket that they come from: read
// as hostile bytes. Private to this folder.
#pragma once

#include "backends/nft/nft_element_bytes.hpp"

#include <libmnl/libmnl.h>

#include <vector>

namespace lbc {

/// What the messages of a dump say of a set.
struct NftElementDump {
    std::vector<NftRawElement> raw;
    bool has_unknown = false; // an element has what lbc's have not
};

/// Adds the elements of a message, whose length libmnl has checked.
void take_elements(nlmsghdr const& message, NftElementDump& dump);

} // namespace lbc
