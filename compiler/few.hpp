// Lists that mostly hold few values: up to `own` of them stand in the list itself, more in a vector. A service has one
// VIP, one range of ports and one or two directors; a block of memory for each costs more than what is in it.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace lbc {

/// Reads like a vector. A `T` is cheap to make; those that are left of a list's own hold nothing that anyone reads.
template <typename T, std::size_t own>
class Few {
public:
    using value_type = T; // NOLINT(readability-identifier-naming): the library's name

    Few() = default;
    Few(std::initializer_list<T> values) {
        for (auto const& value : values)
            push_back(value);
    }
    Few(Few const& other)
        : own_(other.own_), size_(other.size_), more_(other.more_ ? std::make_unique<More>(*other.more_) : nullptr) {}
    Few(Few&& other) noexcept
        : own_(std::move(other.own_)), size_(std::exchange(other.size_, 0)), more_(std::move(other.more_)) {}
    Few& operator=(Few other) noexcept {
        own_ = std::move(other.own_);
        size_ = other.size_;
        more_ = std::move(other.more_);
        return *this;
    }
    ~Few() = default;

    [[nodiscard]] std::size_t size() const { return more_ ? more_->size() : size_; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] T* data() { return more_ ? more_->data() : own_.data(); }
    [[nodiscard]] T const* data() const { return more_ ? more_->data() : own_.data(); }
    [[nodiscard]] T* begin() { return data(); }
    [[nodiscard]] T* end() { return data() + size(); }
    [[nodiscard]] T const* begin() const { return data(); }
    [[nodiscard]] T const* end() const { return data() + size(); }
    [[nodiscard]] T& operator[](std::size_t index) { return data()[index]; }
    [[nodiscard]] T const& operator[](std::size_t index) const { return data()[index]; }
    [[nodiscard]] T& front() { return data()[0]; }
    [[nodiscard]] T const& front() const { return data()[0]; }
    [[nodiscard]] T& back() { return data()[size() - 1]; }
    [[nodiscard]] T const& back() const { return data()[size() - 1]; }

    void push_back(T value) {
        if (!more_ && size_ < own) {
            own_[size_++] = std::move(value);
            return;
        }
        if (!more_) {
            more_ = std::make_unique<More>();
            more_->reserve(2 * own);
            std::ranges::move(own_, std::back_inserter(*more_));
        }
        more_->push_back(std::move(value));
    }
    void clear() {
        size_ = 0;
        more_.reset();
    }
    /// Leaves the first ones.
    void shrink(std::size_t size) {
        assert(size <= this->size());
        if (more_)
            more_->erase(more_->begin() + static_cast<std::ptrdiff_t>(size), more_->end());
        else
            size_ = static_cast<std::uint32_t>(size);
    }

    friend bool operator==(Few const& a, Few const& b) { return std::ranges::equal(a, b); }
    friend bool operator==(Few const& a, std::span<T const> b) { return std::ranges::equal(a, b); }

private:
    using More = std::vector<T>;

    std::array<T, own> own_{};
    std::uint32_t size_ = 0;     // of those in `own_`
    std::unique_ptr<More> more_; // where it is, all are in it
};

} // namespace lbc
