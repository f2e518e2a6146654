#include "compiler/proof/prove.hpp"

#include "compiler/layout.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

Netfilter netfilter(Ruleset rules) { return {rules.family, {std::move(rules)}}; }

Proof proof_of(Plan const& plan, Ruleset rules) { return prove(plan.marks, own_marks(plan), netfilter(std::move(rules))); }

} // namespace

TEST_CASE("proof: a layout gives every packet its mark") {
    Compiled const compiled(two_directors + "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }");
    auto const plan = compiled.plan("lb1");
    auto const rules = layout_linear(compiled.site, plan.marks, Family::ipv4);
    auto const proof = proof_of(plan, rules);
    CHECK(proof.holds());
    CHECK(proof.pieces > 10);
}

TEST_CASE("proof: each rule that goes is missed") {
    Compiled const compiled(two_directors + "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }");
    auto const plan = compiled.plan("lb1");
    auto const rules = layout_linear(compiled.site, plan.marks, Family::ipv4);
    for (std::size_t chain = 0; chain < rules.chains.size(); ++chain)
        for (std::size_t rule = 0; rule < rules.chains[chain].rules.size(); ++rule) {
            auto mutant = rules;
            auto& of_chain = mutant.chains[chain].rules;
            auto const text = to_string(of_chain[rule]);
            of_chain.erase(of_chain.begin() + static_cast<std::ptrdiff_t>(rule));
            CAPTURE(text);
            CHECK_FALSE(proof_of(plan, mutant).holds());
        }
}
