// libiptc's copy of a table: reads its rules, and edits them before a commit. Throws `Refused` for what libiptc
// refuses; no function of the folder's public headers lets it pass. Only for the sources of this folder.
#pragma once

#include "backends/iptables/libiptc_family.hpp"
#include "backends/iptables/mangle_table.hpp"
#include "backends/iptables/xt_rule.hpp"

#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace lbc {

struct Refused {
    SystemError error;
};

/// `action` is "read" or "change". `reason` is iptc_strerror's text. `what` is the object of the action, without its
/// family.
[[nodiscard]] SystemError table_error(Family family, std::string_view action, int code, std::string_view reason,
                                      std::string_view what = "mangle table");

template <typename Tables>
class TableHandle {
public:
    static constexpr Family family = Tables::family;

    /// Reads a table; the error is errno. Creates the table if it is missing and the kernel can.
    [[nodiscard]] static std::expected<TableHandle, int> read(std::string const& table = std::string(mangle_table));

    /// Calls `visit(name, is_builtin)` for each chain.
    template <typename Visitor>
    void each_chain(Visitor visit) const {
        for (std::string const& name : chains())
            visit(name, is_builtin(name));
    }
    /// Calls `visit(bytes, target)` for each rule; `target` is the name of its verdict, chain or extension.
    template <typename Visitor>
    void each_rule(std::string const& chain, Visitor visit) const {
        for (auto const* entry = Tables::first_rule(chain.c_str(), handle_.get()); entry != nullptr;
             entry = Tables::next_rule(entry, handle_.get())) {
            char const* const target = Tables::target(entry, handle_.get());
            visit(xt::ByteView{reinterpret_cast<std::byte const*>(entry), entry->next_offset},
                  std::string_view(target != nullptr ? target : ""));
        }
    }

    /// Every chain of the table. Names of foreign chains are the kernel's bytes, any but NUL.
    [[nodiscard]] Ruleset whole() const;

    void create_chain(std::string const& name);
    void flush(std::string const& chain);
    /// Appends every entry of `entries`, as `xt::append_rule` makes them.
    void append(std::string const& chain, xt::ByteView entries);
    /// `number` from 1; a number past the end is the end.
    void insert(std::string const& builtin, unsigned number, xt::ByteView entry);
    void remove_rule(std::string const& builtin, unsigned number);
    /// Removes an empty chain. Refuses if a rule still leads to it, and names that rule's chain.
    void remove_chain(std::string const& name);

    /// Gives the table to the kernel. Returns 0 or errno. The handle must not be used afterwards.
    [[nodiscard]] int commit();
    [[nodiscard]] static std::string reason(int code) { return Tables::strerror(code); }

private:
    struct Free {
        void operator()(xtc_handle* handle) const { Tables::free(handle); }
    };

    TableHandle(xtc_handle* handle, std::string table) : handle_(handle), table_(std::move(table)) {}

    [[nodiscard]] std::vector<std::string> chains() const;
    void keep_policies();
    [[nodiscard]] std::string referrer(std::string const& name) const;
    [[nodiscard]] bool is_builtin(std::string const& name) const {
        return Tables::is_builtin(name.c_str(), handle_.get()) != 0;
    }
    void check(int done, std::string_view what, std::string const& chain) const;

    std::unique_ptr<xtc_handle, Free> handle_;
    std::string table_;
};

extern template class TableHandle<Ipv4Tables>;
extern template class TableHandle<Ipv6Tables>;

} // namespace lbc
