#include "backends/keepalived/vrrp_differences.hpp"

#include "backends/keepalived/keepalived.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace lbc;

namespace {

constexpr auto directors = "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1 }\n"
                           "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2 }\n";

std::string text(std::string const& vrrps) {
    Compiled const compiled(directors + vrrps);
    REQUIRE_FALSE(compiled.diagnostics.has_errors());
    auto const plan = make_plan(compiled.site, DirectorId{0});
    return keepalived_text(compiled.site, {&plan, 1});
}

std::string instance(std::string const& name, std::string const& vips, std::string const& id,
                     std::string const& more = "") {
    return "vrrp " + name + " { vip " + vips + "; interface eth0; router-id " + id + "; priority lb1 150, lb2 100; " +
           more + " }\n";
}

/// "v: advert_int 1 to 3!" for each; "!" if directors may be apart.
std::vector<std::string> differences(std::string const& before, std::string const& after) {
    std::vector<std::string> all;
    for (auto const& one : vrrp_differences(before, after))
        all.push_back(one.instance + ": " + one.text + (one.effect.empty() ? "" : "!"));
    return all;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("vrrp differences: what directors must agree on, and what they need not") {
    auto const old = text(instance("v", "10.0.0.100/24, 10.0.0.101/24", "51"));
    auto const to = [&](std::string const& vrrps) { return differences(old, text(vrrps)); };
    CHECK(differences(old, old).empty());
    CHECK(to(instance("v", "10.0.0.100/24, 10.0.0.101/24", "51", "advert 3s")) == Texts{"v: advert_int unset to 3!"});
    CHECK(to(instance("v", "10.0.0.100/24, 10.0.0.101/24", "51", "auth \"geheim\"")) ==
          Texts{"v: auth_pass unset to a secret!", "v: auth_type unset to a secret!"});
    CHECK(to(instance("v", "10.0.0.101/24, 10.0.0.100/24", "51")) ==
          Texts{"v: virtual_ipaddress 10.0.0.100/24 to 10.0.0.101/24!"});
    CHECK(to(instance("v", "10.0.0.100/24, 10.0.0.102/24", "51")).empty()); // the others are not advertised
    CHECK(to(instance("v", "10.0.0.100/24, 10.0.0.101/24", "51", "notify \"/bin/true\"")).empty());
    CHECK(to(instance("x", "10.0.0.100/24, 10.0.0.101/24", "51")).empty()); // a name is not advertised either
    CHECK(differences("", old) == Texts{"v: new instance"});
    CHECK(differences(old, "") == Texts{"v: the instance ends!"});
    // A changed secret is not printed.
    CHECK(differences(text(instance("v", "10.0.0.100/24", "51", "auth \"alt\"")),
                      text(instance("v", "10.0.0.100/24", "51", "auth \"neu\""))) == Texts{"v: auth_pass changes!"});
}

TEST_CASE("vrrp differences: a file of a former release, which advertises all VIPs") {
    auto const now = text(instance("v", "10.0.0.100/24, 10.0.0.101/24", "51"));
    auto former = now;
    auto const begin = former.find("    }\n    virtual_ipaddress_excluded {\n");
    REQUIRE(begin != std::string::npos);
    former.erase(begin, std::string("    }\n    virtual_ipaddress_excluded {\n").size());
    CHECK(differences(former, now) == Texts{"v: virtual_ipaddress 10.0.0.100/24, 10.0.0.101/24 to 10.0.0.100/24!"});
}

TEST_CASE("vrrp differences: a VIP that changes its instance") {
    auto const one = text(instance("v", "10.0.0.100/24, 10.0.0.101/24", "51"));
    auto const two = text(instance("v", "10.0.0.100/24", "51") + instance("w", "10.0.0.101/24", "52"));
    CHECK(differences(one, two) == Texts{"w: VIPs move here from v!"});
    CHECK(differences(two, one) == Texts{"v: VIPs move here from w!", "w: the instance ends!"});
}

TEST_CASE("vrrp differences: any text can be compared") {
    CHECK(vrrp_differences("vrrp_instance v {\nvirtual_ipaddress {\n", "}\n}\nvrrp_instance  {\n").size() <= 2);
    CHECK(vrrp_differences("vrrp_instance v {\ninterface\n}\n", "vrrp_instance v {\n}\n").size() == 1);
}
