// How lbc ends. It stands here because the process of a pending change passes its status on.
#pragma once

namespace lbc {

/// Exit statuses, the same for every command.
enum class Status : int {
    done = 0,
    differs = 1,        // done; the answer is no
    bad_input = 2,      // usage, or an error in the input: nothing was touched
    refused = 3,        // the system refused: nothing was touched
    rolled_back = 4,    // failed on the way: the kernel is as before
    partly_applied = 5, // failed, and could not take everything back
};

} // namespace lbc
