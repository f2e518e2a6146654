#include "cli/heap.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace lbc {

void use_huge_pages() {
    constexpr std::size_t huge_page = std::size_t{2} << 20U;
    constexpr int heap = 256 << 20;         // addresses; memory is only what is touched
    constexpr int largest_block = 32 << 20; // that comes from the heap, the largest that mallopt(3) takes
    if (::mallopt(M_TOP_PAD, heap) == 0 || ::mallopt(M_MMAP_THRESHOLD, largest_block) == 0)
        return;
    // More than is left of the heap that the program began with, so that it grows.
    void* const volatile block = std::malloc(huge_page); // NOLINT(cppcoreguidelines-no-malloc)
    std::free(block);                                    // NOLINT(cppcoreguidelines-no-malloc)
    auto const end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
    auto const first = (end - heap + huge_page - 1) / huge_page * huge_page;
    auto const size = (end - first) / huge_page * huge_page;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in the heap
    ::madvise(reinterpret_cast<void*>(first), size, MADV_HUGEPAGE); // where it fails, pages are small
}

} // namespace lbc
