// A vector with inline storage for a few elements. A service has one VIP, one range of ports and one or two directors,
// and a block of memory for each list would cost more than its contents.
#pragma once

#include <boost/container/small_vector.hpp>

#include <cstddef>

namespace lbc {

template <typename T, std::size_t inline_size>
using SmallVector = boost::container::small_vector<T, inline_size>;

} // namespace lbc
