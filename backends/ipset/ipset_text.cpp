#include "backends/ipset/ipset_text.hpp"

#include "backends/ipset/ipset_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace lbc {
namespace {

constexpr std::size_t most_entries = 1'000'000;
constexpr std::size_t most_words = 32;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (words.size() < most_words) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (line.empty())
            break;
        words.push_back(line.substr(0, line.find(' ')));
        line.remove_prefix(words.back().size());
    }
    return words;
}

template <typename Number>
std::optional<Number> number(std::string_view text, int base = 10) {
    Number value{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
    return text.starts_with("0x") ? number<std::uint32_t>(text.substr(2), 16) : std::nullopt;
}

std::optional<std::uint8_t> protocol_of(std::string_view text) {
    for (auto const protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp})
        if (text == to_string(protocol))
            return static_cast<std::uint8_t>(protocol);
    return number<std::uint8_t>(text);
}

/// "192.0.2.1,tcp:80"
std::optional<SetEntry> entry_of(std::string_view key) {
    auto const comma = key.find(',');
    auto const colon = key.rfind(':');
    if (comma == std::string_view::npos || colon == std::string_view::npos || colon < comma)
        return std::nullopt;
    auto const address = IpAddress::parse(key.substr(0, comma));
    auto const protocol = protocol_of(key.substr(comma + 1, colon - comma - 1));
    auto const port = number<std::uint16_t>(key.substr(colon + 1));
    if (!address || !protocol || !port)
        return std::nullopt;
    return SetEntry{*address, *protocol, Port{*port}, {}, 0xffffffff};
}

void append_line(std::string& out, std::string_view command, std::string_view name, std::string_view rest) {
    out += ipset_prefix;
    out += command;
    out += ' ';
    out += name;
    out += rest;
    out += '\n';
}

} // namespace

void append_ipset_lines(std::string& out, MarkSet const& set) {
    auto const size = size_of_set(set.entries.size());
    auto const filled = spare_set_name(set.name);
    auto const kind =
        fmt::format(" hash:ip,port family {} hashsize {} maxelem {} skbinfo",
                    set.entries.front().address.family() == Family::ipv4 ? "inet" : "inet6", size.slots, size.most);
    append_line(out, "create", set.name, kind);
    append_line(out, "create", filled, kind);
    append_line(out, "flush", filled, {});
    for (auto const& entry : set.entries) {
        append_line(out, "add", filled,
                    fmt::format(" {},{}:{} skbmark {}", entry.address.str(), to_string(Protocol{entry.protocol}),
                                entry.port.value, entry.mark.str()));
    }
    append_line(out, "swap", filled, " " + set.name);
    append_line(out, "destroy", filled, {});
}

bool IpsetReader::is_command(std::string_view line) {
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{"create ", "add ", "flush ", "swap ", "destroy "},
        [&](std::string_view command) { return line.starts_with(command); });
}

std::expected<void, std::string> IpsetReader::take(std::string_view line) {
    auto const words = words_of(line);
    if (words.size() < 2)
        return std::unexpected(std::string("a command of ipset without a set"));
    auto const command = words[0];
    auto const name = words[1];
    if (!is_own_set(name, family_))
        return {};
    if (command == "create")
        sets_.try_emplace(std::string(name));
    else if (command == "flush")
        sets_[std::string(name)].clear();
    else if (command == "destroy")
        sets_.erase(std::string(name));
    else if (command == "swap" && words.size() == 3)
        sets_[std::string(name)].swap(sets_[std::string(words[2])]);
    else if (command == "add" && words.size() == 5 && words[3] == "skbmark")
        return add(name, words[2], words[4]);
    else
        return std::unexpected(fmt::format("no command of ipset for an own set: `{}`", line.substr(0, 60)));
    return {};
}

std::expected<void, std::string> IpsetReader::add(std::string_view name, std::string_view key, std::string_view mark) {
    auto entry = entry_of(key);
    auto const slash = mark.find('/');
    auto const value = hexadecimal(mark.substr(0, slash));
    auto const mask =
        slash == std::string_view::npos ? std::optional(~std::uint32_t{0}) : hexadecimal(mark.substr(slash + 1));
    if (!entry || !value || !mask) {
        return std::unexpected(
            fmt::format("no entry of a set: `{} skbmark {}`", key.substr(0, 60), mark.substr(0, 30)));
    }
    if (entry->address.family() != family_)
        return std::unexpected(fmt::format("`{}` is of the other family", key.substr(0, 60)));
    if (++entries_ > most_entries)
        return std::unexpected(fmt::format("the sets have more than {} entries", most_entries));
    entry->mark = Fwmark{*value};
    entry->mask = *mask;
    sets_[std::string(name)].push_back(*entry);
    return {};
}

std::vector<MarkSet> IpsetReader::sets() && {
    std::vector<MarkSet> sets;
    for (auto& [name, entries] : sets_) {
        std::ranges::sort(entries);
        sets.push_back({name, std::move(entries)});
    }
    return sets;
}

} // namespace lbc
