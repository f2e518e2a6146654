// FNV-1a (Fowler, Noll, Vo): a hash that is equal on every machine and in every run. Names and marks are derived from
// it, so it is part of lbc's output.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace lbc {

template <typename Value>
    requires std::same_as<Value, std::uint32_t> || std::same_as<Value, std::uint64_t>
class Fnv1a {
public:
    Fnv1a& add(std::string_view text) {
        for (char const c : text)
            add_byte(static_cast<std::uint8_t>(c));
        return *this;
    }
    /// Adds a number, lowest byte first.
    template <std::unsigned_integral Number>
    Fnv1a& add(Number number) {
        for (std::size_t i = 0; i < sizeof number; ++i)
            add_byte(static_cast<std::uint8_t>(number >> (8 * i)));
        return *this;
    }
    [[nodiscard]] Value value() const { return value_; }

private:
    static constexpr bool is_short = sizeof(Value) == sizeof(std::uint32_t);
    static constexpr Value prime = static_cast<Value>(is_short ? 16777619U : 1099511628211U);

    void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * prime; }

    Value value_ = static_cast<Value>(is_short ? 2166136261U : 14695981039346656037U);
};

} // namespace lbc
