#include "backends/iptables/libiptc_netfilter.hpp"

#include "backends/iptables/libiptc_handle.hpp"
#include "backends/iptables/table_blob.hpp"
#include "backends/os/read_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lbc {
namespace {

/// In the order in which an incoming packet passes them. The kernel has no others (iptable_*.c).
constexpr std::array<std::string_view, 5> known_tables{"raw", "mangle", "nat", "filter", "security"};
constexpr std::size_t largest_list = 4096;

/// The known tables among the names in the file, one a line. No file: no module of the family's tables is loaded.
template <typename Tables>
std::expected<std::vector<std::string>, SystemError> table_names() {
    auto const text = read_file(Tables::names_file, largest_list);
    if (!text && text.error() == ENOENT)
        return {};
    if (!text && text.error() == EACCES)
        return std::unexpected(
            SystemError{SystemError::Kind::permission, text.error(),
                        fmt::format("cannot read the {} tables: {}: {}; it is for root of this network namespace, or "
                                    "takes CAP_DAC_READ_SEARCH beside CAP_NET_ADMIN and CAP_NET_RAW",
                                    title(Tables::family), Tables::names_file, std::strerror(text.error()))});
    if (!text) {
        return std::unexpected(table_error(Tables::family, "read", text.error(),
                                           fmt::format("{}: {}", Tables::names_file, std::strerror(text.error())),
                                           "tables"));
    }
    std::string const lines = '\n' + *text;
    std::vector<std::string> found;
    for (std::string_view const known : known_tables)
        if (lines.contains(fmt::format("\n{}\n", known)))
            found.emplace_back(known);
    return found;
}

template <typename Tables>
std::expected<Netfilter, SystemError> read_tables() {
    auto const names = table_names<Tables>();
    if (!names)
        return std::unexpected(names.error());
    Netfilter result{Tables::family, {}};
    for (std::string const& name : *names) {
        auto const handle = TableHandle<Tables>::read(name);
        if (handle) {
            result.tables.push_back(handle->whole());
            continue;
        }
        int const code = handle.error();
        // The table may have been removed with its module since it was listed.
        if (code != ENOENT && code != ENOPROTOOPT) {
            return std::unexpected(
                table_error(Tables::family, "read", code, TableHandle<Tables>::reason(code), name + " table"));
        }
    }
    return result;
}

template <typename Tables>
std::expected<bool, SystemError> has_own_chains() {
    // Another user than root may have access to the table but not to the file.
    auto const names = table_names<Tables>();
    if (!names && names.error().kind != SystemError::Kind::permission)
        return std::unexpected(names.error());
    if (names && std::ranges::find(*names, "mangle") == names->end())
        return false;
    bool found = false;
    auto const look_at = [&](auto const& table) {
        table.each_chain(
            [&](std::string const& name, bool is_builtin) { found = found || (!is_builtin && is_own_chain(name)); });
    };
    if (auto const table = TableBlob<Tables>::read()) {
        look_at(*table);
        return found;
    }
    auto const table = TableHandle<Tables>::read();
    if (!table) {
        return std::unexpected(
            table_error(Tables::family, "read", table.error(), TableHandle<Tables>::reason(table.error())));
    }
    look_at(*table);
    return found;
}

} // namespace

std::expected<Netfilter, SystemError> read_libiptc_netfilter(Family family) {
    return family == Family::ipv4 ? read_tables<Ipv4Tables>() : read_tables<Ipv6Tables>();
}

std::expected<bool, SystemError> has_own_libiptc_chains(Family family) {
    return family == Family::ipv4 ? has_own_chains<Ipv4Tables>() : has_own_chains<Ipv6Tables>();
}

} // namespace lbc
