// How the process gets its memory.
#pragma once

namespace lbc {

/// Asks for a heap of huge pages, where the kernel has them to give: a site of ten thousand services touches thousands
/// of pages once, and the kernel's work for the first touch of each was half of a run. Call it once, first in main.
void use_huge_pages();

} // namespace lbc
