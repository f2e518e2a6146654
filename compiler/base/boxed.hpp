// Optional values stored out of line, in the size of a pointer. A site of fifty thousand services has a hundred
// thousand real servers, and few of these have a check or a command of their own.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace lbc {

/// A list or text that is mostly empty. It reads like a `T`; all empty ones share one `T`.
template <typename T>
class Boxed {
public:
    Boxed() = default;
    Boxed(T value) { *this = std::move(value); } // NOLINT(google-explicit-constructor): it stands for a T
    Boxed(Boxed const& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    Boxed(Boxed&&) noexcept = default;
    ~Boxed() = default;
    Boxed& operator=(Boxed const& other) {
        value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
        return *this;
    }
    Boxed& operator=(Boxed&&) noexcept = default;
    Boxed& operator=(T value) {
        value_ = value.empty() ? nullptr : std::make_unique<T>(std::move(value));
        return *this;
    }

    [[nodiscard]] T const& get() const {
        static T const none{};
        return value_ ? *value_ : none;
    }
    operator T const&() const { return get(); } // NOLINT(google-explicit-constructor)
    /// The value, to change it; creates an empty one first if there is none.
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

    friend bool operator==(Boxed const& a, Boxed const& b) { return a.get() == b.get(); }

private:
    std::unique_ptr<T> value_;
};

/// A value that is mostly absent.
template <typename T>
class BoxedOptional {
public:
    BoxedOptional() = default;
    BoxedOptional(std::optional<T> value) { *this = std::move(value); } // NOLINT(google-explicit-constructor)
    BoxedOptional(BoxedOptional const& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    BoxedOptional(BoxedOptional&&) noexcept = default;
    ~BoxedOptional() = default;
    BoxedOptional& operator=(BoxedOptional const& other) {
        value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
        return *this;
    }
    BoxedOptional& operator=(BoxedOptional&&) noexcept = default;
    BoxedOptional& operator=(std::optional<T> value) {
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

    friend bool operator==(BoxedOptional const& a, BoxedOptional const& b) {
        return a.has_value() == b.has_value() && (!a || *a == *b);
    }

private:
    std::unique_ptr<T> value_;
};

} // namespace lbc
