// Elements of a set as messages of the kernel have them, by libnftnl: read as hostile bytes, apart from the socket that
// they come from. Private to this folder.
#pragma once

#include "backends/nft/nft_element_bytes.hpp"
#include "backends/nft/nft_netlink.hpp"

#include <libnftnl/set.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

using NftnlSet = std::unique_ptr<nftnl_set, Free<nftnl_set_free>>;

/// A set of the table inet lbc, as libnftnl has one, without elements. Null where there is no memory.
[[nodiscard]] NftnlSet describe_set(std::string const& name);

/// Adds the elements of a message, whose length libmnl has checked, to the nftnl_set `set`: an mnl_cb_t.
[[nodiscard]] int take_elements(nlmsghdr const* message, void* set);

/// The elements that messages have given `found`, in the shape of `set`; nothing where one has what lbc's have not.
[[nodiscard]] std::optional<std::vector<NftElement>> elements_in(nftnl_set& found, NftSet const& set);

} // namespace lbc
