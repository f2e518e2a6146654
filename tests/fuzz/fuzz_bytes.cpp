// Bytes that a kernel, a repository or a folder has, as hostile ones, each to the reader that the first byte chooses: a
// value or a refusal, never a read beyond them; and what was understood is the same when it is written and read again.
#include "backends/ipset/ipset_message.hpp"
#include "backends/iptables/blob_writer.hpp"
#include "backends/ipvs/ipvs_message.hpp"
#include "backends/nft/nft_element_message.hpp"
#include "backends/os/state_files.hpp"
#include "cli/input/git_tree.hpp"
#include "cli/output/output_tree.hpp"
#include "compiler/site/resolve.hpp"
#include "tests/fuzz/support.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace {

using namespace lbc; // NOLINT(google-build-using-namespace): a program of its own
using fuzz::require;

using Bytes = std::vector<std::uint8_t>; // of their exact size, so that a read beyond them is seen

std::string_view text_of(Bytes const& bytes) { return {reinterpret_cast<char const*>(bytes.data()), bytes.size()}; }

void read_manifest(Bytes const& bytes) {
    static_cast<void>(parse_manifest(text_of(bytes)));
    auto const paths = parse_manifest(std::string(manifest_header).append(text_of(bytes)));
    if (!paths)
        return;
    std::string again(manifest_header);
    for (auto const& path : *paths) {
        require(!path.starts_with('/') && !('/' + path + '/').contains("/."), "a path is below its folder", path);
        again += path + '\n';
    }
    require(parse_manifest(again) == paths, "a list is the same when it is written again", again);
}

void read_record(Bytes const& bytes) {
    auto const record = parse_record(text_of(bytes));
    require(!record || parse_record(record_text(*record)) == record, "a record is the same when it is written again");
}

/// A listing, and behind a byte 0xff the blob that every entry has.
void read_git_tree(Bytes const& bytes) {
    auto const border = std::ranges::find(bytes, std::uint8_t{0xff});
    std::string const listing(bytes.begin(), border);
    std::string const blob(border == bytes.end() ? border : border + 1, bytes.end());
    GitTree tree("r", listing,
                 [&](std::string const& /*id*/, std::size_t limit) -> std::expected<std::string, std::string> {
                     if (blob.size() > limit)
                         return std::unexpected("too large");
                     return blob;
                 });
    for (auto const* path : {"r:site.lb", "r:a/b", "r:../x", "r:", "elsewhere"}) {
        static_cast<void>(tree.read(path, bytes.size()));
        static_cast<void>(tree.identity(path));
        static_cast<void>(tree.folder(path));
    }
    for (auto const* pattern : {"*", "*/*", "a/[a-z]*/../*", "**/x"})
        if (auto const paths = tree.glob("r:", pattern))
            for (auto const& path : *paths)
                require(path.starts_with("r:"), "a match is in the tree", path);
    Sources sources;
    Diagnostics diagnostics;
    static_cast<void>(compile("r:site.lb", tree, sources, diagnostics));
}

/// Whatever the run is, its index leads to places within it.
template <typename Tables>
void read_blob(Bytes const& bytes) {
    typename Tables::Info info{};
    if (bytes.size() < sizeof info)
        return;
    std::memcpy(&info, bytes.data(), sizeof info);
    auto const entries = std::span(bytes).subspan(sizeof info);
    info.size = static_cast<unsigned>(entries.size());
    xt::Bytes answer(sizeof(typename Tables::GetEntries) + entries.size());
    if (!entries.empty())
        std::memcpy(answer.data() + sizeof(typename Tables::GetEntries), entries.data(), entries.size());
    auto const run = TableBlob<Tables>::index(info, std::move(answer));
    if (!run) {
        require(run.error() == EBADMSG, "a run of bytes that is no table is a bad message");
        return;
    }
    Ruleset wanted{Tables::family, {}, {}};
    for (auto const& chain : run->chains()) {
        auto read = run->read(chain);
        require(read.rules.size() == chain.last - chain.first, "each entry is a rule");
        for (auto const& rule : read.rules)
            require(!to_string(rule).empty() || rule == Rule{}, "a rule has words");
    }
    wanted.chains.push_back({"LBC", {Rule{{}, SetMark{Fwmark{3}}, {}}}});
    wanted.entry_jumps.push_back({"PREROUTING", Rule{{}, Jump{"LBC"}, {}}});
    static_cast<void>(run->has(wanted));
    static_cast<void>(rewrite(*run, wanted));
}

nlattr* attributes_in(Bytes& bytes) { return reinterpret_cast<nlattr*>(bytes.data()); }

void read_ipvs(Bytes bytes) {
    auto* const first = attributes_in(bytes);
    int const length = static_cast<int>(bytes.size());
    if (auto const service = read_service(first, length))
        require(service->key.mark != Fwmark{}, "a service that is found by its mark has one");
    static_cast<void>(read_address(first, length));
    static_cast<void>(read_daemon(first, length));
    for (auto const family : families)
        static_cast<void>(read_real(first, length, family));
}

void read_ipset(Bytes bytes) {
    auto* const first = attributes_in(bytes);
    int const length = static_cast<int>(bytes.size());
    static_cast<void>(name_in(first, length));
    for (auto const family : families) {
        std::vector<SetEntry> entries;
        add_entries_in(first, length, family, entries);
        require(entries.size() <= bytes.size(), "an entry has bytes");
    }
}

/// Sets of the shapes that lbc makes, and of others.
NftSet set_of(std::uint8_t shape) {
    static std::array<NftKey, 6> const keys{
        NftKey{NftField::destination4}, NftKey{NftField::destination4, NftField::protocol, NftField::port},
        NftKey{NftField::destination6}, NftKey{NftField::destination6, NftField::protocol, NftField::port},
        NftKey{NftField::source_mac},   NftKey{NftField::protocol, NftField::port}};
    NftSet set{"s", keys[shape % keys.size()]};
    set.is_map = (shape & 0x40U) != 0;
    set.has_intervals = (shape & 0x80U) != 0;
    return set;
}

/// The shape of a set, and a message's bytes behind its header.
void read_nft_elements_in(Bytes const& bytes) {
    if (bytes.empty())
        return;
    auto const set = set_of(bytes.front());
    std::vector<std::uint8_t> message(sizeof(nlmsghdr) + bytes.size() - 1);
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(message.size());
    std::memcpy(message.data(), &header, sizeof header);
    std::copy(bytes.begin() + 1, bytes.end(), message.begin() + sizeof header);
    NftElementDump dump;
    take_elements(*reinterpret_cast<nlmsghdr const*>(message.data()), dump);
    static_cast<void>(elements_of(std::move(dump.raw), set));
}

/// The shape of a set, and keys one behind the other; what is understood has the same bytes again.
void read_nft_keys(Bytes const& bytes) {
    if (bytes.empty())
        return;
    auto const set = set_of(bytes.front());
    std::vector<NftRawElement> raw;
    for (std::size_t at = 1; at + 66 <= bytes.size(); at += 66) {
        auto& one = raw.emplace_back();
        one.key.size = bytes[at] % (one.key.bytes.size() + 1);
        std::copy_n(&bytes[at + 1], one.key.bytes.size(), one.key.bytes.begin());
        if ((bytes[at + 33] & 1U) != 0) {
            one.key_end.emplace().size = one.key.size;
            std::copy_n(&bytes[at + 34], one.key_end->bytes.size(), one.key_end->bytes.begin());
        }
        one.ends_interval = (bytes[at + 33] & 2U) != 0;
        if (set.is_map && !one.ends_interval)
            one.mark = Fwmark{bytes[at + 33]};
    }
    auto const elements = elements_of(raw, set);
    if (!elements)
        return;
    std::vector<NftRawElement> again;
    for (auto const& element : *elements)
        append_raw(again, element, set);
    auto const read = elements_of(again, set);
    require(read.has_value(), "elements can be read again");
    auto sorted = *elements;
    auto back = *read;
    std::ranges::sort(sorted);
    std::ranges::sort(back);
    require(back == sorted, "elements are the same when they are written again");
}

constexpr std::array<void (*)(Bytes const&), 9> readers{
    read_manifest,
    read_record,
    read_git_tree,
    read_blob<Ipv4Tables>,
    read_blob<Ipv6Tables>,
    [](Bytes const& bytes) { read_ipvs(bytes); },
    [](Bytes const& bytes) { read_ipset(bytes); },
    read_nft_elements_in,
    read_nft_keys,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size > 0)
        readers[data[0] % readers.size()](Bytes(data + 1, data + size));
    return 0;
}
