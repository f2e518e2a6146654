#include "backends/os/rights.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <initializer_list>
#include <optional>

namespace lbc {
namespace {

using Set = std::uint64_t;

constexpr Set set_of(std::initializer_list<unsigned> rights) {
    Set set = 0;
    for (auto const right : rights)
        set |= Set{1} << right;
    return set;
}

struct Kept {
    Set own = 0;
    Set programs = 0;
    bool no_more = false; // no program gets capabilities from its file
};

constexpr Set network = set_of({CAP_NET_ADMIN, CAP_NET_RAW});
constexpr Set reading = set_of({CAP_DAC_READ_SEARCH});
constexpr Set writing = set_of({CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER});

Kept kept(Rights rights) {
    switch (rights) {
    case Rights::read_files: return {reading, reading, true};
    case Rights::write_files: return {reading | writing, reading, true};
    case Rights::connect: return {set_of({CAP_DAC_OVERRIDE}), 0, true};
    case Rights::read_kernel: return {network | reading, network | reading | set_of({CAP_SYS_MODULE}), false};
    case Rights::read_box:
        return {network | reading | set_of({CAP_SYS_PTRACE}), network | reading | set_of({CAP_SYS_MODULE}), false};
    case Rights::change_kernel: break;
    }
    // `keepalived -t` examines scripts as the users who are to run them.
    return {network | reading | writing | set_of({CAP_SYS_PTRACE}),
            network | set_of({CAP_SYS_MODULE, CAP_DAC_OVERRIDE, CAP_SETUID, CAP_SETGID}), false};
}

/// The capability sets of a process, each in two words of 32 bits.
using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

std::optional<Words> own_rights() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    Words words{};
    return ::syscall(SYS_capget, &header, words.data()) == 0 ? std::optional(words) : std::nullopt;
}

bool has(unsigned right) {
    auto const words = own_rights();
    return words && ((*words)[right / 32].effective >> right % 32 & 1U) != 0;
}

void keep_own(Set own) {
    auto words = own_rights();
    if (!words)
        return;
    for (auto& word : *words) {
        auto const part = static_cast<std::uint32_t>(own);
        own >>= 32U;
        word.effective &= part;
        word.permitted &= part;
        word.inheritable &= part;
    }
    // A capability that leaves both sets leaves the ambient one, too.
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    static_cast<void>(::syscall(SYS_capset, &header, words->data()));
}

} // namespace

void keep_rights(Rights rights) {
    auto const [own, programs, no_more] = kept(rights);
    // Without CAP_SYS_PTRACE a process may examine another one only while it has all capabilities of that one
    // (ptrace(2)). So in a container it keeps all, or apply could not examine keepalived.
    bool const looks_by_equal_rights =
        (rights == Rights::read_box || rights == Rights::change_kernel) && !has(CAP_SYS_PTRACE);
    // The bounding set comes first: dropping from it takes CAP_SETPCAP, which is not kept.
    for (unsigned right = 0; ::prctl(PR_CAPBSET_READ, right) >= 0; ++right)
        if (right >= 64 || (programs >> right & 1U) == 0)
            static_cast<void>(::prctl(PR_CAPBSET_DROP, right));
    if (!looks_by_equal_rights)
        keep_own(own);
    if (no_more)
        static_cast<void>(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

} // namespace lbc
