#include "backends/netlink/attributes.hpp"
#include "backends/observe/compare_machine.hpp"
#include "backends/observe/interface_message.hpp"
#include "tests/support/machine.hpp"

#include <doctest/doctest.h>

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include <array>
#include <cstring>
#include <sstream>

using namespace lbc;

namespace {

constexpr auto two_boxes = "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1; interface ens18 }\n"
                           "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2; interface ens18 }\n"
                           "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }\n";
constexpr auto any_interface = "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1 }\n"
                               "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2 }\n"
                               "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2; real 10.0.5.7 }\n"
                               "service far { vip 10.9.9.2; port tcp 80; mark 4; forward nat; real 10.0.7.7 }\n";

Interface interface(std::string name, char const* mac, std::vector<std::string> const& networks = {}) {
    static int index = 1;
    Interface made{.name = std::move(name),
                   .kind = {},
                   .mac = MacAddress::parse(mac),
                   .index = ++index,
                   .is_up = true,
                   .addresses = {}};
    for (auto const& network : networks) {
        auto const slash = network.find('/');
        made.addresses.push_back({*IpAddress::parse(network.substr(0, slash)), std::stoi(network.substr(slash + 1))});
    }
    return made;
}

/// As the file of two boxes says of lb1.
std::vector<Interface> lb1() { return {interface("ens18", "02:00:00:00:00:01", {"10.0.0.1/24"})}; }

struct SiteBox : test::Machine {
    explicit SiteBox(std::string site = two_boxes)
        : Machine(std::map<std::string, std::string>{{"site.lb", std::move(site)}}) {}

    /// The ids of what `verify` finds on a machine.
    std::string ids(std::vector<Interface> interfaces, std::string const& name = "lb1",
                    std::vector<std::string> const& further = {}) {
        test::NamedHost box(name, std::move(interfaces));
        std::vector<std::string> arguments{"verify", "site.lb", "--only", "marks"};
        arguments.insert(arguments.end(), further.begin(), further.end());
        static_cast<void>(run(arguments, &box));
        std::string ids;
        std::istringstream lines(out.str());
        for (std::string line; std::getline(lines, line);)
            if (auto const at = line.find("[machine-"); at != std::string::npos)
                ids += (ids.empty() ? "" : " ") + line.substr(at + 9, line.size() - at - 10);
        return ids;
    }

    int apply(std::vector<Interface> interfaces, std::string const& name = "lb1",
              std::vector<std::string> const& further = {}) {
        test::NamedHost box(name, std::move(interfaces));
        std::vector<std::string> arguments{"apply", "site.lb", "--only", "marks"};
        arguments.insert(arguments.end(), further.begin(), further.end());
        return run(arguments, &box);
    }

    [[nodiscard]] bool complains(std::string_view text) const { return err.str().find(text) != std::string::npos; }
};

} // namespace

TEST_CASE("machine: a box that is as the file says") {
    SiteBox box;
    CHECK(box.apply(lb1()) == 0);
    CHECK_FALSE(box.complains("warning"));
    CHECK(box.ids(lb1()).empty());
    CHECK(box.out.str().starts_with("lb1: every packet has the site's mark\n"));
}

TEST_CASE("machine: a network card was replaced, and its MAC is not in the file") {
    SiteBox box;
    auto replaced = lb1();
    replaced.front().mac = MacAddress::parse("02:00:00:00:00:77");
    CHECK(box.apply(replaced) == 0);
    CHECK(box.complains("site.lb:1:20: warning: this machine has a MAC that `lb1` does not list: `ens18` has "
                        "`02:00:00:00:00:77`;"));
    CHECK(box.ids(replaced) == "mac");
    CHECK(box.out.str().find("lb1: this machine is not what the file says\n  site.lb:1:20: warning: ") !=
          std::string::npos);
    CHECK(box.run({"verify", "site.lb", "--only", "marks"}) == 0); // of a host that nothing is known of
    // It is in front of the change, and keeps nothing from being applied.
    CHECK(box.err.str().empty());
    CHECK(box.writes() > 0);
}

TEST_CASE("machine: a box with another director's MAC gets no rules") {
    SiteBox box;
    CHECK(box.apply(lb1(), "lb2") == 2);
    CHECK(box.complains("site.lb:1:20: error: `ens18` of this machine has the MAC `02:00:00:00:00:01`, which the file "
                        "gives to `lb1`, not to `lb2`"));
    CHECK(box.complains("nothing was written"));
    CHECK(box.apply(lb1(), "elsewhere", {"-d", "lb2"}) == 2);
    CHECK(box.writes() == 0);
    CHECK(box.ids(lb1(), "lb2") == "peer-mac address");
    CHECK(box.apply(lb1(), "elsewhere") == 0);
}

TEST_CASE("machine: a director that -d names is not this machine") {
    SiteBox box;
    auto fresh = lb1();
    fresh.front().mac = MacAddress::parse("02:00:00:00:00:77");
    CHECK(box.ids(fresh, "lb1", {"-d", "lb2"}) == "director mac address");
    CHECK(box.ids(fresh, "elsewhere", {"-d", "lb1"}) == "mac");
    // Its own MAC says more than a name.
    CHECK(box.ids(lb1(), "lb2", {"-d", "lb1"}).empty());
    CHECK(box.apply(fresh, "lb1", {"-d", "lb2"}) == 0);
    CHECK(box.complains("warning: this machine is not `lb2`, by host name `lb1` or by MAC: it is `lb1`;"));
}

TEST_CASE("machine: an interface of the file that is not there") {
    SiteBox box;
    auto renamed = lb1();
    renamed.front().name = "eth0";
    CHECK(box.ids(renamed) == "interface");
    CHECK(box.apply(renamed) == 0);
    CHECK(box.complains("site.lb:1:67: warning: this machine has no interface `ens18`: no packet of a client enters "
                        "there [machine-interface]"));
    SiteBox pattern(std::string(two_boxes).replace(std::string(two_boxes).find("ens18"), 5, "eth+"));
    CHECK(pattern.ids(renamed).empty());
    SiteBox vrrp(std::string(two_boxes) + "vrrp v { vip 10.9.9.1/24 dev eth7; interface eth9; router-id 51; "
                                          "priority lb1 150, lb2 100 }\n");
    CHECK(vrrp.apply(lb1()) == 0);
    CHECK(vrrp.ids(lb1()) == "vrrp-interface vrrp-interface");
    CHECK(vrrp.out.str().starts_with("lb1: every packet has the site's mark\n"));
}

TEST_CASE("machine: an address of the director that is not there") {
    SiteBox box;
    auto bare = lb1();
    bare.front().addresses.clear();
    CHECK(box.apply(bare) == 0);
    CHECK(box.ids(bare) == "address");
    // Its marks do not depend on it.
    CHECK(box.out.str().starts_with("lb1: every packet has the site's mark\n"));
    bare.push_back(interface("lo", "00:00:00:00:00:00", {"10.0.0.1/32"}));
    CHECK(box.ids(bare).empty());
}

TEST_CASE("machine: interfaces that reach no other director carry what MACs they like") {
    SiteBox box(any_interface);
    auto machine = lb1();
    machine.push_back(interface("docker0", "02:42:00:00:00:01", {"172.17.0.1/16"}));
    machine.push_back(interface("vethab12", "02:42:00:00:00:02"));
    machine.push_back(interface("tap0", "02:42:00:00:00:03", {"fe80::1/64"}));
    machine.push_back(interface("far", "02:42:00:00:00:04", {"10.0.7.1/24"})); // to what nat reaches
    CHECK(box.ids(machine).empty());
    machine.push_back(interface("near", "02:42:00:00:00:05", {"10.0.5.1/24"}));
    CHECK(box.ids(machine) == "mac");
    machine.back().is_up = false;
    CHECK(box.ids(machine).empty());
    // Where the file names interfaces, those count, and no others.
    SiteBox named;
    machine.back().is_up = true;
    machine.back().addresses.push_back({*IpAddress::parse("10.0.0.9"), 24});
    CHECK(named.ids(machine).empty());
    // But where another director takes clients from one more.
    SiteBox more("director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1; interface ens18 }\n"
                 "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2; interface ens18, ens19 }\n"
                 "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }\n");
    CHECK(more.ids(machine) == "mac");
}

TEST_CASE("machine: a guest's MAC on its host, and an interface that is there at times") {
    SiteBox box("director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1; interface ens18, ppp+ }\n"
                "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2; interface ens18 }\n"
                "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }\n");
    auto machine = lb1();
    machine.push_back(interface("macvtap0", "02:00:00:00:00:02"));
    machine.back().kind = "macvtap";
    CHECK(box.ids(machine).empty());
    machine.back().kind = "macvlan";
    CHECK(box.ids(machine) == "peer-mac");
}

TEST_CASE("machine: members of a bond count, ports of a bridge do not, nor do MACs of VRRP") {
    SiteBox box;
    auto machine = lb1();
    machine.push_back(interface("eth0", "02:00:00:00:00:01"));
    machine.push_back(interface("eth1", "02:00:00:00:00:71"));
    machine[1].master = machine[2].master = machine.front().index;
    machine[0].kind = "bridge";
    CHECK(box.ids(machine).empty());
    machine[0].kind = "bond";
    CHECK(box.ids(machine) == "mac");
    // A VLAN on the bond leaves by its members.
    machine.push_back(interface("ens18", "02:00:00:00:00:01", {"10.0.0.1/24"}));
    machine.front().name = "bond0";
    machine.front().addresses.clear();
    machine.back().kind = "vlan";
    machine.back().lower = machine.front().index;
    CHECK(box.ids(machine) == "mac");
    machine[2].mac = MacAddress::parse("00:00:5e:00:01:33");
    CHECK(box.ids(machine).empty());
}

TEST_CASE("machine: what is wrong is in JSON as well") {
    SiteBox box;
    auto replaced = lb1();
    replaced.front().mac = MacAddress::parse("02:00:00:00:00:77");
    CHECK(box.apply(replaced, "lb1", {"--json"}) == 0);
    CHECK(box.out.str().find(R"("id": "machine-mac")") != std::string::npos);
    CHECK(box.ids(replaced, "lb1", {"--json"}).empty());
    CHECK(box.out.str().find(R"("id": "machine-mac")") != std::string::npos);
    CHECK(box.out.str().find(R"("holds": false)") != std::string::npos);
}

TEST_CASE("machine: each message about a machine can be explained") {
    SiteBox box;
    std::size_t count = 0;
    for (auto const& entry : all_diagnostics())
        if (is_about_machine(entry.id)) {
            ++count;
            CHECK(box.run({"explain", std::string(entry.slug)}) == 0);
            CHECK(entry.slug.starts_with("machine-"));
        }
    CHECK(count == 6);
}

namespace {

/// A message of rtnetlink.
struct Message {
    NlMessage made{nlmsg_alloc()};

    template <typename Header>
    Message(int type, Header const& header) {
        auto* head = nlmsg_put(made.get(), 0, 0, type, sizeof header, 0);
        std::memcpy(nlmsg_data(head), &header, sizeof header);
    }
    template <typename T>
    Message& add(int number, T const& value) {
        REQUIRE(nla_put(made.get(), number, sizeof value, &value) == 0);
        return *this;
    }
    [[nodiscard]] nlmsghdr* get() const { return nlmsg_hdr(made.get()); }
};

} // namespace

TEST_CASE("machine: messages of the kernel about interfaces are read with their sizes") {
    ifinfomsg link{};
    link.ifi_type = ARPHRD_ETHER;
    link.ifi_index = 7;
    link.ifi_flags = IFF_UP;
    std::array<std::uint8_t, 6> const mac{2, 0, 0, 0, 0, 1};
    Message whole(RTM_NEWLINK, link);
    whole.add(IFLA_IFNAME, std::array{'e', 't', 'h', '0', '\0'}).add(IFLA_ADDRESS, mac).add(IFLA_MASTER, 9);
    auto const read = interface_in(whole.get());
    REQUIRE(read);
    CHECK(read->name == "eth0");
    CHECK(read->mac == MacAddress{mac});
    CHECK(read->master == 9);
    CHECK(read->is_up);
    Message const nameless(RTM_NEWLINK, link);
    CHECK_FALSE(interface_in(nameless.get()));
    Message narrow(RTM_NEWLINK, link);
    narrow.add(IFLA_IFNAME, std::array{'e', '0'})
        .add(IFLA_ADDRESS, std::array<std::uint8_t, 4>{})
        .add(IFLA_MASTER, 'x');
    REQUIRE(interface_in(narrow.get()));
    CHECK_FALSE(interface_in(narrow.get())->mac);
    CHECK(interface_in(narrow.get())->master == 0);
    CHECK_FALSE(interface_in(Message(RTM_NEWADDR, link).get()));
    CHECK_FALSE(interface_in(Message(RTM_NEWLINK, short{0}).get()));
    CHECK_FALSE(own_address_in(Message(RTM_NEWADDR, short{0}).get()));
}
