#include "backends/keepalived/virtual_server_blocks.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

namespace lbc {
namespace {

struct Block {
    ServiceKey key;
    std::string_view text;
};

constexpr std::string_view opening = "virtual_server fwmark ";

std::optional<ServiceKey> key_of(std::string_view block) {
    auto const* const first = block.data() + opening.size();
    auto const* const last = block.data() + block.size();
    ServiceKey key{};
    if (std::from_chars(first, last, key.mark.value).ec != std::errc())
        return std::nullopt;
    key.family = block.find("\n    ip_family inet6\n") == std::string_view::npos ? Family::ipv4 : Family::ipv6;
    return key;
}

/// The blocks that begin in a line's first column, each up to the closing brace in that column.
std::vector<Block> blocks_of(std::string_view text) {
    std::vector<Block> blocks;
    for (std::size_t at = 0; at < text.size();) {
        auto const rest = text.substr(at);
        auto size = std::min(rest.find('\n'), rest.size() - 1) + 1;
        if (rest.starts_with(opening)) {
            auto const end = rest.find("\n}\n");
            size = end == std::string_view::npos ? rest.size() : end + 3;
            if (auto const key = key_of(rest.substr(0, size)))
                blocks.push_back({*key, rest.substr(0, size)});
        }
        at += size;
    }
    return blocks;
}

} // namespace

VirtualServerBlocks blocks_that_leave(std::string_view before, std::string_view after) {
    VirtualServerBlocks leaving;
    std::set<ServiceKey> stay;
    for (auto const& block : blocks_of(after))
        stay.insert(block.key);
    for (auto const& block : blocks_of(before)) {
        if (stay.contains(block.key))
            continue;
        leaving.text += '\n';
        leaving.text += block.text;
        leaving.keys.push_back(block.key);
    }
    return leaving;
}

} // namespace lbc
