// The mangle table as the kernel's xt entry blob, in which a jump is the offset of a chain's first rule. It finds and
// compares rules in a fraction of the time that libiptc's lists take. The bytes are read as hostile. Only for the
// sources of this folder.
#pragma once

#include "backends/iptables/libiptc_family.hpp"
#include "backends/iptables/xt_rule.hpp"

#include <expected>
#include <vector>

namespace lbc {

/// The chain with this name, or null; `chains` are sorted by name.
[[nodiscard]] Chain const* find_chain(std::vector<Chain> const& chains, std::string_view name);

/// A chain as numbers of its entries. Entries count from 0 through the whole table.
struct BlobChain {
    std::string_view name;
    bool is_builtin = false;
    std::uint32_t head = 0;  // the entry with the chain's name; in a built-in chain the first rule
    std::uint32_t first = 0; // the first rule, where jumps lead; `last` if there is none
    std::uint32_t last = 0;  // the entry that ends it: a policy, or RETURN
};

struct BlobEntry {
    xt::ByteView bytes;
    std::size_t target = 0;       // its offset in `bytes`
    std::string_view target_name; // a verdict, an extension, or the chain it leads to; empty: goes on to the next rule
};

template <typename Tables>
class TableBlob {
public:
    static constexpr Family family = Tables::family;

    /// Reads the table from the kernel. The error is errno; EBADMSG if the answer is not a table. Creates the table if
    /// it is missing and the kernel can.
    [[nodiscard]] static std::expected<TableBlob, int> read();

    /// `answer` is a Tables::GetEntries with `info.size` bytes of entries behind it. EBADMSG as above.
    [[nodiscard]] static std::expected<TableBlob, int> index(typename Tables::Info const& info, xt::Bytes answer);

    [[nodiscard]] typename Tables::Info const& info() const { return info_; }
    [[nodiscard]] xt::ByteView answer() const { return answer_; }
    /// The offset of an entry, in bytes from the first one.
    [[nodiscard]] std::uint32_t offset(std::uint32_t number) const { return offsets_[number]; }
    /// In the order of the table: the built-in ones first.
    [[nodiscard]] std::span<BlobChain const> chains() const { return chains_; }
    /// Null if there is none.
    [[nodiscard]] BlobChain const* find(std::string_view name) const;
    [[nodiscard]] BlobEntry entry(std::uint32_t number) const;

    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(offsets_.size()); }

    /// Like those of TableHandle.
    template <typename Visitor>
    void each_chain(Visitor visit) const {
        for (BlobChain const& chain : chains_)
            visit(std::string(chain.name), chain.is_builtin);
    }
    template <typename Visitor>
    void each_rule(std::string_view name, Visitor visit) const {
        auto const* const chain = find(name);
        for (auto number = chain->first; number < chain->last; ++number) {
            BlobEntry const rule = entry(number);
            visit(rule.bytes, rule.target_name);
        }
    }

    /// The rules of a chain as lbc reads them.
    [[nodiscard]] Chain read(BlobChain const& chain) const;
    [[nodiscard]] Rule read(BlobEntry const& entry) const;
    /// Whether the rules are, byte for byte, what lbc writes for `wanted`. Rules that another program wrote may mean
    /// the same and differ in their bytes.
    [[nodiscard]] bool has(BlobChain const& chain, Chain const& wanted) const;
    /// The same for all own rules of the table.
    [[nodiscard]] bool has(Ruleset const& wanted) const;

private:
    TableBlob(typename Tables::Info const& info, xt::Bytes answer) : info_(info), answer_(std::move(answer)) {}

    [[nodiscard]] bool find_entries();
    [[nodiscard]] bool find_builtins();
    [[nodiscard]] bool find_chains();
    [[nodiscard]] bool index_names();
    [[nodiscard]] bool check_verdicts() const;
    [[nodiscard]] bool is_rule(std::uint32_t number, Rule const& wanted, xt::Bytes& buffer) const;
    [[nodiscard]] BlobChain const* chain_at(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t end_of(std::uint32_t number) const {
        return number + 1 < count() ? offsets_[number + 1] : info_.size;
    }
    [[nodiscard]] xt::ByteView entries() const {
        return xt::ByteView(answer_).subspan(sizeof(typename Tables::GetEntries));
    }

    typename Tables::Info info_;
    xt::Bytes answer_;
    std::vector<std::uint32_t> offsets_; // of the entries
    std::vector<BlobChain> chains_;
    std::vector<std::uint32_t> by_name_; // chains
};

extern template class TableBlob<Ipv4Tables>;
extern template class TableBlob<Ipv6Tables>;

} // namespace lbc
