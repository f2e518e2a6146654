// Sets up the memory of the process.
#pragma once

namespace lbc {

/// Requests a heap of huge pages, if the kernel provides them. A site of ten thousand services touches thousands of
/// pages once, and the kernel's work for the first touch of each was half of a run. Call it once, first in main.
void use_huge_pages();

} // namespace lbc
