#include "tests/support/fake_kernel.hpp"

#include <algorithm>
#include <cerrno>

namespace lbc::test {
namespace {

std::vector<std::string> set_names(Ruleset const& rules) {
    std::vector<std::string> names;
    for (Chain const& chain : rules.chains) {
        for (Rule const& rule : chain.rules)
            if (auto const* map = std::get_if<MapMark>(&rule.then))
                names.push_back(map->set);
    }
    return names;
}

} // namespace

bool FakeKernel::has_sets_of(Ruleset const& rules) const {
    auto const& kept = sets[static_cast<std::size_t>(rules.family)];
    return std::ranges::all_of(set_names(rules), [&](std::string const& name) {
        return std::ranges::find(kept, name, &MarkSet::name) != kept.end();
    });
}

std::expected<std::vector<MarkSet>, SystemError> FakeKernel::read_sets(Family family) {
    auto const& found = sets[static_cast<std::size_t>(family)];
    if (found.empty())
        return found; // a kernel without sets gets no call
    auto done = call("read sets", family);
    if (!done)
        return std::unexpected(std::move(done.error()));
    return found;
}

std::expected<void, SystemError> FakeKernel::write_set(MarkSet const& set) {
    auto done = call("write set " + set.name);
    if (done) {
        auto& kept = sets[static_cast<std::size_t>(set.entries.front().address.family())];
        auto const place = std::ranges::lower_bound(kept, set.name, {}, &MarkSet::name);
        if (place != kept.end() && place->name == set.name)
            *place = set;
        else
            kept.insert(place, set);
    }
    return done;
}

std::expected<void, SystemError> FakeKernel::destroy_set(std::string const& name) {
    auto done = call("destroy set " + name);
    if (!done)
        return done;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        auto const asked = set_names(tables[i]);
        if (std::ranges::find(asked, name) != asked.end())
            return std::unexpected(SystemError{SystemError::Kind::failed, EBUSY, "a rule uses the set"});
        std::erase_if(sets[i], [&](MarkSet const& set) { return set.name == name; });
    }
    return done;
}

std::expected<std::size_t, SystemError> FakeKernel::count_set_uses(std::string const& name) {
    std::size_t uses = used_by_others.contains(name) ? 1 : 0;
    for (auto const& table : tables)
        uses += static_cast<std::size_t>(std::ranges::count(set_names(table), name));
    return uses;
}

} // namespace lbc::test
