// Counts the steps of a comparison of packets: the rules that it reads and the port ranges that they touch. A
// comparison that reaches the bound gives up and reports so. It reads no clock, so it ends at the same place on every
// machine.
#pragma once

#include <cstddef>

namespace lbc {

class Work {
public:
    /// A few seconds. The proof of 10,000 services takes about 5 million steps, a comparison of two such sites about 20
    /// million.
    static constexpr std::size_t most_steps = 40'000'000;

    explicit constexpr Work(std::size_t most = most_steps) : most_(most) {}

    constexpr void add(std::size_t steps) { done_ += steps; }
    [[nodiscard]] constexpr std::size_t done() const { return done_; }
    /// From then on, findings are invalid, and the search must end.
    [[nodiscard]] constexpr bool is_spent() const { return done_ > most_; }

private:
    std::size_t most_;
    std::size_t done_ = 0;
};

} // namespace lbc
