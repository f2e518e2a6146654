// Loads and stores values in xtables entries. Only the bytes of an entry state its length, so every load is checked
// against the end of the bytes.
#pragma once

#include <linux/netfilter/x_tables.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lbc::xt {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<std::byte const>;

/// The header of matches and targets; xt_entry_match and xt_entry_target have the same shape.
struct ExtensionHead {
    std::uint16_t size; // of the whole match or target
    char name[XT_EXTENSION_MAXNAMELEN];
    std::uint8_t revision;
};
static_assert(sizeof(ExtensionHead) == sizeof(xt_entry_match) && sizeof(ExtensionHead) == sizeof(xt_entry_target));

template <typename T>
concept Plain = std::is_trivially_copyable_v<T>;

/// `size` rounded up to the next boundary at which a match or target may begin.
[[nodiscard]] constexpr std::size_t aligned(std::size_t size) { return XT_ALIGN(size); }

template <Plain T>
[[nodiscard]] std::optional<T> load(ByteView bytes, std::size_t offset = 0) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
        return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/// `bytes` must hold the value.
template <Plain T>
void store(Bytes& bytes, std::size_t offset, T const& value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// Appends a match or target with the data `info`. `name` is shorter than XT_EXTENSION_MAXNAMELEN.
template <Plain Info>
void append_extension(Bytes& out, std::string_view name, std::uint8_t revision, Info info) {
#if __has_builtin(__builtin_clear_padding)
    __builtin_clear_padding(&info); // the kernel keeps and returns the bytes between the fields
#endif
    std::size_t const begin = out.size();
    std::size_t const size = aligned(sizeof(ExtensionHead) + sizeof info);
    ExtensionHead head{static_cast<std::uint16_t>(size), {}, revision};
    std::memcpy(head.name, name.data(), name.size());
    out.resize(begin + size);
    store(out, begin, head);
    store(out, begin + sizeof head, info);
}

/// A match's or target's data, if it has the size of an `Info`.
template <Plain Info>
[[nodiscard]] std::optional<Info> load_info(ByteView extension) {
    if (extension.size() != aligned(sizeof(ExtensionHead) + sizeof(Info)))
        return std::nullopt;
    return load<Info>(extension, sizeof(ExtensionHead));
}

/// The text of a fixed-size field, which hostile bytes may leave without a NUL.
template <std::size_t size>
[[nodiscard]] std::string_view text(char const (&field)[size]) {
    return {field, ::strnlen(field, size)};
}

[[nodiscard]] std::string hex(ByteView bytes);

template <Plain T>
[[nodiscard]] bool all_zero(T const& value) {
    static constexpr T zero{};
    return std::memcmp(&value, &zero, sizeof value) == 0;
}

} // namespace lbc::xt
