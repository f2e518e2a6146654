#include "cli/program/heap.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace lbc {

void use_huge_pages() {
    constexpr std::size_t huge_page = std::size_t{2} << 20U;
    constexpr std::size_t small_page = std::size_t{4} << 10U;
    constexpr int heap = 256 << 20;         // addresses; memory is only what is touched
    constexpr int largest_block = 32 << 20; // that comes from the heap, the largest that mallopt(3) takes
    if (::mallopt(M_TOP_PAD, heap) == 0 || ::mallopt(M_MMAP_THRESHOLD, largest_block) == 0)
        return;
    // More than the free rest of the first heap, so that the heap grows.
    constexpr std::size_t enough = std::size_t{256} << 10U;
    void* const volatile block = std::malloc(enough); // NOLINT(cppcoreguidelines-no-malloc)
    auto const begin = reinterpret_cast<std::uintptr_t>(block);
    std::free(block); // NOLINT(cppcoreguidelines-no-malloc)
    // A touched small page prevents a huge page around it, and malloc has written behind the block.
    auto const first = (begin + enough + small_page + huge_page - 1) / huge_page * huge_page;
    auto const size = (reinterpret_cast<std::uintptr_t>(::sbrk(0)) - first) / huge_page * huge_page;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in the heap
    ::madvise(reinterpret_cast<void*>(first), size, MADV_HUGEPAGE); // if it fails, pages are small
    // The part before is allocated and never touched: a small site would fill it, page by page.
    void* const volatile gap = std::malloc(first - begin); // NOLINT(cppcoreguidelines-no-malloc)
    static_cast<void>(gap);
}

} // namespace lbc
