// Loads kernel modules as the kernel itself does: with the program that /proc/sys/kernel/modprobe names.
#pragma once

namespace lbc {

/// Requests a module and waits for the program, at most a minute. Whether it helped shows when the caller retries its
/// call.
void load_module(char const* name);

} // namespace lbc
