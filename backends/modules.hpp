// Loading kernel modules the way the kernel itself does: by the program that /proc/sys/kernel/modprobe names.
#pragma once

namespace lbc {

/// Asks for a module and waits for the answer, a minute at most. Whether it helped shows in the call that is then tried
/// again.
void load_module(char const* name);

} // namespace lbc
