// Any bytes as what a box was found to have: iptables-save, a script that lbc made, JSON of nft. `verify` and `trace`
// by it end in an answer or in a message, whatever it is, say the same in both forms, and print no control character of
// it.
#include "tests/fuzz/support.hpp"
#include "tests/support/machine.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>

namespace {

using namespace lbc; // NOLINT(google-build-using-namespace): a program of its own
using fuzz::require;

using Words = std::vector<std::string>;

enum : int { done = 0, differs = 1, bad_input = 2 };

/// A site of both families, whose compiled rules are among the seeds.
std::string const& site_text() {
    static std::string const text = [] {
        std::ifstream file(LBC_EXAMPLES "/dual-stack.lb");
        return std::string{std::istreambuf_iterator<char>(file), {}};
    }();
    require(!text.empty(), "the example is there");
    return text;
}

int run(test::Machine& machine, Words words, Words const& more) {
    words.insert(words.end(), more.begin(), more.end());
    int const status = machine.run(words);
    require(status == done || status == differs || status == bad_input, "it is answered", machine.err.str());
    fuzz::require_lines(machine.out.str(), "the answer", std::numeric_limits<std::size_t>::max());
    return status;
}

/// In both forms.
int answer(test::Machine& machine, Words const& words) {
    int const status = run(machine, words, {});
    require(run(machine, words, {"--json"}) == status, "both forms say the same");
    if (status != bad_input)
        fuzz::require_json(machine.out.str());
    return status;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(data, data + size);
    test::Machine machine({{"site.lb", site_text()},
                           {"dump", text},
                           {"all/edge1/iptables.rules", text},
                           {"all/edge1/ip6tables.rules", text},
                           {"all/edge2/nft.json", text}});
    Words const verify{"verify", "site.lb", "-d", "edge1", "--against", "dump"};
    if (answer(machine, verify) == bad_input)
        run(machine, verify, {"-6"});
    answer(machine, {"verify", "site.lb", "--site", "all"});
    constexpr std::array packets{"192.0.2.100:443", "[2001:db8:1::100]:8001", "192.0.2.101:10500"};
    auto const* const packet = packets[text.size() % packets.size()];
    answer(machine, {"trace", "site.lb", "-d", "edge1", "--against", "dump", "--to", packet, "-v"});
    answer(machine, {"trace", "site.lb", "-d", "edge1", "--against", "dump", "--to", packet, "--from", "edge2"});
    return 0;
}
