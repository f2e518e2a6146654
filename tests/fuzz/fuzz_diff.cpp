// Any bytes as two site files, parted by a line `%% new`: their difference in each form, with the writes and a rollout;
// a site does not differ from itself; and once the one and then the other is applied, nothing is left to write.
#include "tests/fuzz/support.hpp"
#include "tests/support/machine.hpp"

#include <cstdint>

namespace {

using namespace lbc; // NOLINT(google-build-using-namespace): a program of its own
using fuzz::require;

constexpr std::string_view border = "%% new\n";
constexpr std::size_t longest_comment = 65'536; // GitHub's

enum : int { same = 0, different = 1 };

int diff(test::Machine& machine, std::string const& before, std::string const& after,
         std::vector<std::string> const& more) {
    std::vector<std::string> words{"diff", before, after, "--exit-code"};
    words.insert(words.end(), more.begin(), more.end());
    int const status = machine.run(words);
    require(status == same || status == different, "sites without errors can be compared", machine.err.str());
    return status;
}

void compare(test::Machine& machine) {
    require(diff(machine, "old.lb", "old.lb", {}) == same, "a site does not differ from itself", machine.out.str());
    require(diff(machine, "new.lb", "new.lb", {"--format", "json"}) == same, "nor the other", machine.out.str());
    int const status = diff(machine, "old.lb", "new.lb", {"--rules"});
    require(diff(machine, "old.lb", "new.lb", {"--format", "markdown", "--rules"}) == status, "all forms agree");
    require(machine.out.str().size() < longest_comment, "a comment has room for it");
    require(diff(machine, "old.lb", "new.lb", {"--format", "json"}) == status, "all forms agree");
    fuzz::require_json(machine.out.str());
    require(diff(machine, "new.lb", "old.lb", {"--format", "json"}) == status, "what differs differs both ways");
    fuzz::require_json(machine.out.str());
}

/// Whether lbc programs all of it, so that a kernel has it at once.
bool is_applied(Site const& site) { return site.ipvs == IpvsOwner::lbc; }

void apply(test::Machine& machine, std::string const& file, std::string const& director) {
    int const status = machine.run({"apply", file, "-d", director});
    require(status == same, "a kernel that takes everything takes it", machine.err.str());
    require(machine.run({"diff", file, "-d", director, "--exit-code"}) == same, "it has what was applied",
            machine.out.str() + machine.err.str());
    auto const writes = machine.writes();
    require(machine.run({"apply", file, "-d", director, "--json"}) == same, "a second time too", machine.err.str());
    fuzz::require_json(machine.out.str());
    require(machine.writes() == writes, "a second time there is nothing to write");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(data, data + size);
    auto const at = text.find(border);
    auto const before = text.substr(0, at);
    auto const after = at == std::string::npos ? before : text.substr(at + border.size());
    auto const old_site = fuzz::read_site(before);
    auto const new_site = fuzz::read_site(after);
    for (auto const* input : {old_site.get(), new_site.get()})
        if (!input->good() || !fuzz::is_small(input->site))
            return 0;
    test::Machine machine({{"old.lb", before}, {"new.lb", after}});
    compare(machine);
    if (!is_applied(old_site->site) || !is_applied(new_site->site) || new_site->site.directors.empty())
        return 0;
    auto const& director = new_site->site.directors.front().name.value;
    if (old_site->site.find_director(director))
        apply(machine, "old.lb", director);
    apply(machine, "new.lb", director);
    require(machine.run({"remove"}) == same, "and it can be removed", machine.err.str());
    return 0;
}
