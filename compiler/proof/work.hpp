// How much a comparison of packets has cost, in steps: rules that are looked at and pieces of ports that they touch. A
// comparison that gets to the bound is given up and says so: it ends at the same place on every machine, since no clock
// is asked.
#pragma once

#include <cstddef>

namespace lbc {

class Work {
public:
    /// Some seconds. The proof of 10,000 services takes some 5 million, a comparison of two such sites some 20.
    static constexpr std::size_t most_steps = 40'000'000;

    explicit constexpr Work(std::size_t most = most_steps) : most_(most) {}

    constexpr void add(std::size_t steps) { done_ += steps; }
    [[nodiscard]] constexpr std::size_t done() const { return done_; }
    /// What is found from then on is worth nothing, and nothing more is to be looked for.
    [[nodiscard]] constexpr bool is_spent() const { return done_ > most_; }

private:
    std::size_t most_;
    std::size_t done_ = 0;
};

} // namespace lbc
