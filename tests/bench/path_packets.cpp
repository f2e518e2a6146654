// What a packet costs the machine that gets it: sends TCP SYNs out of a veth device in batches, and prints the median
// of the batches, in nanoseconds a packet, and how many packets were sent. All of it stays on one CPU, so the other end
// of the device receives within the send. path_packets DEVICE CPU FROM-MAC TO-MAC ADDRESS PORT SERVICES BATCHES:
// service i has ADDRESS + i and PORT + i, and each packet is for one of them at random, the same ones in every run. The
// first quarter of the batches fills caches.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr std::size_t batch = 64;

[[noreturn]] void fail(char const* what) {
    std::perror(what);
    std::exit(1);
}

struct [[gnu::packed]] Frame {
    ether_header ethernet{};
    iphdr ip{};
    tcphdr tcp{};
    std::array<std::uint8_t, 6> padding{};
};
static_assert(sizeof(Frame) == 60);

std::uint16_t checksum(iphdr const& header) {
    std::array<std::uint16_t, sizeof header / 2> words{};
    std::memcpy(words.data(), &header, sizeof header);
    std::uint32_t sum = 0;
    for (auto const word : words)
        sum += word;
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~(sum + (sum >> 16)));
}

ether_addr mac(char const* text) {
    ether_addr address{};
    if (ether_aton_r(text, &address) == nullptr)
        fail(text);
    return address;
}

unsigned number(char const* text) { return static_cast<unsigned>(std::strtoul(text, nullptr, 10)); }

int open_device(char const* name) {
    int const fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket");
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(name));
    if (address.sll_ifindex == 0)
        fail(name);
    int const on = 1;
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0)
        fail("PACKET_QDISC_BYPASS");
    if (bind(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
        fail("bind");
    return fd;
}

void pin(unsigned cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) != 0)
        fail("sched_setaffinity");
}

Frame frame_between(ether_addr from, ether_addr to) {
    Frame frame;
    std::memcpy(frame.ethernet.ether_shost, &from, sizeof from);
    std::memcpy(frame.ethernet.ether_dhost, &to, sizeof to);
    frame.ethernet.ether_type = htons(ETHERTYPE_IP);
    frame.ip.version = 4;
    frame.ip.ihl = 5;
    frame.ip.tot_len = htons(sizeof(iphdr) + sizeof(tcphdr));
    frame.ip.ttl = 64;
    frame.ip.protocol = IPPROTO_TCP;
    frame.ip.saddr = htonl(0x0ac00001);
    frame.tcp.source = htons(40000);
    frame.tcp.doff = 5;
    frame.tcp.syn = 1;
    frame.tcp.window = htons(1024);
    return frame;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 10) {
        std::fputs("usage: path_packets DEVICE CPU FROM-MAC TO-MAC ADDRESS PORT SERVICES WARM BATCHES\n", stderr);
        return 2;
    }
    in_addr first{};
    if (inet_pton(AF_INET, argv[5], &first) != 1)
        fail(argv[5]);
    unsigned const port = number(argv[6]);
    unsigned const services = std::max(1U, number(argv[7]));
    std::size_t const warm = number(argv[8]);
    std::size_t const batches = warm + std::max(1U, number(argv[9]));
    pin(number(argv[2]));
    int const fd = open_device(argv[1]);

    std::array<Frame, batch> frames{};
    frames.fill(frame_between(mac(argv[3]), mac(argv[4])));
    std::array<iovec, batch> parts{};
    std::array<mmsghdr, batch> messages{};
    for (std::size_t i = 0; i < batch; ++i) {
        parts[i] = {&frames[i], sizeof(Frame)};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    std::minstd_rand random;
    std::vector<double> times;
    times.reserve(batches);
    for (std::size_t sent = 0; sent < batches; ++sent) {
        for (auto& frame : frames) {
            unsigned const service = static_cast<unsigned>(random()) % services;
            iphdr ip = frame.ip;
            ip.daddr = htonl(ntohl(first.s_addr) + service);
            ip.check = 0;
            ip.check = checksum(ip);
            frame.ip = ip;
            frame.tcp.dest = htons(static_cast<std::uint16_t>(port + service));
        }
        auto const begin = std::chrono::steady_clock::now();
        if (sendmmsg(fd, messages.data(), batch, 0) != static_cast<int>(batch))
            fail("sendmmsg");
        std::chrono::duration<double, std::nano> const passed = std::chrono::steady_clock::now() - begin;
        if (sent >= warm)
            times.push_back(passed.count() / batch);
    }
    auto const middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    std::printf("%.1f %zu\n", *middle, batches * batch);
    close(fd);
    return 0;
}
