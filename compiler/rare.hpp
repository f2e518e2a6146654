// Values that most things of a kind do not have, for the size of a pointer: a site of fifty thousand services has a
// hundred thousand real servers, of which few have a check or a command of their own.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace lbc {

/// A list or text that is empty for most. Reads like a `T`, of which an empty one is shared.
template <typename T>
class Rare {
public:
    Rare() = default;
    Rare(T value) { *this = std::move(value); } // NOLINT(google-explicit-constructor): it stands for a T
    Rare(Rare const& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    Rare(Rare&&) noexcept = default;
    ~Rare() = default;
    Rare& operator=(Rare const& other) {
        value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
        return *this;
    }
    Rare& operator=(Rare&&) noexcept = default;
    Rare& operator=(T value) {
        value_ = value.empty() ? nullptr : std::make_unique<T>(std::move(value));
        return *this;
    }

    [[nodiscard]] T const& get() const {
        static T const none{};
        return value_ ? *value_ : none;
    }
    operator T const&() const { return get(); } // NOLINT(google-explicit-constructor)
    /// To change it; makes an empty one where there is none.
    [[nodiscard]] T& edit() {
        if (!value_)
            value_ = std::make_unique<T>();
        return *value_;
    }

    [[nodiscard]] bool empty() const { return get().empty(); }
    [[nodiscard]] auto size() const { return get().size(); }
    [[nodiscard]] auto begin() const { return get().begin(); }
    [[nodiscard]] auto end() const { return get().end(); }
    [[nodiscard]] auto const& front() const { return get().front(); }
    [[nodiscard]] auto const& back() const { return get().back(); }
    [[nodiscard]] auto const& operator[](std::size_t index) const { return get()[index]; }

    friend bool operator==(Rare const& a, Rare const& b) { return a.get() == b.get(); }

private:
    std::unique_ptr<T> value_;
};

/// A value that most lack.
template <typename T>
class RareOptional {
public:
    RareOptional() = default;
    RareOptional(std::optional<T> value) { *this = std::move(value); } // NOLINT(google-explicit-constructor)
    RareOptional(RareOptional const& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    RareOptional(RareOptional&&) noexcept = default;
    ~RareOptional() = default;
    RareOptional& operator=(RareOptional const& other) {
        value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
        return *this;
    }
    RareOptional& operator=(RareOptional&&) noexcept = default;
    RareOptional& operator=(std::optional<T> value) {
        value_ = value ? std::make_unique<T>(std::move(*value)) : nullptr;
        return *this;
    }

    [[nodiscard]] bool has_value() const { return value_ != nullptr; }
    explicit operator bool() const { return has_value(); }
    [[nodiscard]] T const& operator*() const { return *value_; }
    [[nodiscard]] T& operator*() { return *value_; }
    [[nodiscard]] T const* operator->() const { return value_.get(); }
    [[nodiscard]] T* operator->() { return value_.get(); }
    T& emplace() { return *(value_ = std::make_unique<T>()); }
    operator std::optional<T>() const { // NOLINT(google-explicit-constructor)
        return value_ ? std::optional<T>(*value_) : std::nullopt;
    }

    friend bool operator==(RareOptional const& a, RareOptional const& b) {
        return a.has_value() == b.has_value() && (!a || *a == *b);
    }

private:
    std::unique_ptr<T> value_;
};

} // namespace lbc
