// The least that loading rules can take: reads the IPv4 mangle table of this network namespace and sets the same again,
// with the clock around what the kernel does alone. Prints the median of the times, in milliseconds.
// replace_table TIMES
#include <netinet/in.h> // before the kernel's headers, which then leave out what is in it
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter_ipv4/ip_tables.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace {

[[noreturn]] void fail(char const* what) {
    std::perror(what);
    std::exit(1);
}

ipt_getinfo read_info(int fd) {
    ipt_getinfo info{};
    std::strcpy(info.name, "mangle");
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) != 0)
        fail("IPT_SO_GET_INFO");
    return info;
}

/// A block of `head` and what the kernel puts behind it, aligned as the kernel's structures are.
std::vector<std::max_align_t> block(std::size_t head, std::size_t behind) {
    return std::vector<std::max_align_t>((head + behind) / sizeof(std::max_align_t) + 1);
}

} // namespace

int main(int argc, char** argv) {
    int const rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
    int const fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0)
        fail("socket");
    auto const info = read_info(fd);

    auto entries = block(sizeof(ipt_get_entries), info.size);
    auto* const got = reinterpret_cast<ipt_get_entries*>(entries.data());
    std::strcpy(got->name, "mangle");
    got->size = info.size;
    auto size = static_cast<socklen_t>(sizeof *got + info.size);
    if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, got, &size) != 0)
        fail("IPT_SO_GET_ENTRIES");

    std::vector<xt_counters> counters(info.num_entries);
    auto blob = block(sizeof(ipt_replace), info.size);
    auto* const table = reinterpret_cast<ipt_replace*>(blob.data());
    std::strcpy(table->name, "mangle");
    table->valid_hooks = info.valid_hooks;
    std::copy(std::begin(info.hook_entry), std::end(info.hook_entry), table->hook_entry);
    std::copy(std::begin(info.underflow), std::end(info.underflow), table->underflow);
    table->num_entries = table->num_counters = info.num_entries;
    table->size = info.size;
    table->counters = counters.data();
    std::memcpy(table->entries, got->entrytable, info.size);

    std::vector<double> times;
    for (int round = 0; round < rounds; ++round) {
        auto const begin = std::chrono::steady_clock::now();
        if (setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, table, static_cast<socklen_t>(sizeof *table + info.size)) !=
            0)
            fail("IPT_SO_SET_REPLACE");
        std::chrono::duration<double, std::milli> const passed = std::chrono::steady_clock::now() - begin;
        times.push_back(passed.count());
    }
    auto const middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    std::printf("%.4f\n", *middle);
    close(fd);
    return 0;
}
