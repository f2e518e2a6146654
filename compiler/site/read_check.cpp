#include "compiler/site/readers.hpp"

#include <array>
#include <bit>

namespace lbc {
namespace {

constexpr std::array<std::string_view, 10> kind_words{"ping", "tcp", "udp",    "http", "https",
                                                      "smtp", "dns", "script", "bfd",  "file"};

/// A set of kinds, one bit each.
using Kinds = unsigned;
constexpr Kinds kind(Check::Kind k) { return 1U << static_cast<unsigned>(k); }
constexpr Kinds all_kinds = (1U << kind_words.size()) - 1;
constexpr Kinds timed = all_kinds & ~(kind(Check::Kind::bfd) | kind(Check::Kind::file));
constexpr Kinds connecting = timed & ~kind(Check::Kind::script);
constexpr Kinds web = kind(Check::Kind::http) | kind(Check::Kind::https);

/// An option of a check: the kinds that have it, and how its values are read.
struct Option {
    std::string_view word;
    Kinds kinds = 0;
    bool required = false;
    void (*read)(Arguments&, Check&) = nullptr;
};

template <auto member>
void read_time(Arguments& in, Check& check) {
    check.*member = in.time();
}

template <auto member>
void read_period(Arguments& in, Check& check) {
    read_time<member>(in, check);
    if (!in.failed() && check.*member == Milliseconds(0))
        in.fail(DiagId::number_range, in.last(), "this time is longer than 0");
}

void read_timeout(Arguments& in, Check& check) {
    read_period<&Check::timeout>(in, check);
    if (!in.failed() && check.kind == Check::Kind::script && check.timeout->count() % 1000 != 0)
        in.fail(DiagId::bad_time, in.last(), "keepalived times a script in whole seconds");
}

template <auto member>
void read_string(Arguments& in, Check& check) {
    if (auto value = in.string("a text"))
        check.*member = std::move(*value);
}

template <auto member>
void read_flag(Arguments& in, Check& check) {
    check.*member = read_switch(in);
}

template <auto member>
void read_address(Arguments& in, Check& check) {
    check.*member = in.value(parse_address, "an address");
}

template <auto member>
void read_name(Arguments& in, Check& check) {
    if (auto value = in.value(parse_name, "a name"))
        check.*member = std::move(*value);
}

Value<std::pair<std::uint16_t, std::uint16_t>> parse_pair(std::string_view text, NumberRange const& range) {
    auto const dash = text.find('-');
    auto const first = parse_number(text.substr(0, dash), range);
    if (!first)
        return std::unexpected(first.error());
    auto const last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1), range);
    if (!last)
        return std::unexpected(last.error());
    if (*last < *first)
        return std::unexpected(ValueError{DiagId::reversed_range, fmt::format("`{}` ends before it begins", text)});
    return std::pair{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

/// An MD5 digest, as keepalived's `genhash` prints it: 32 hex digits.
std::string read_digest(Arguments& in) {
    auto digest = in.string("a digest");
    auto const is_hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    if (!digest || (digest->size() == 32 && std::ranges::all_of(*digest, is_hex)))
        return std::move(digest).value_or("");
    in.fail(DiagId::unknown_value, in.last(), "a digest has 32 hex digits, as keepalived's `genhash` prints them");
    return {};
}

void read_path(Arguments& in, Check& check) {
    CheckPath path;
    in.begin_options();
    if (auto text = in.string("a path"))
        path.path = std::move(*text);
    while (!in.done()) {
        if (in.option("digest"))
            path.digest = read_digest(in);
        else if (in.option("regex"))
            path.regex = in.string("a regular expression").value_or("");
        else if (in.option("status"))
            in.list([&] {
                auto const status =
                    in.value([](std::string_view text) { return parse_pair(text, {"status", 100, 599}); }, "a status");
                if (status)
                    path.status.push_back({status->first, status->second});
            });
        else
            break;
    }
    check.paths.push_back(std::move(path));
}

void read_reply(Arguments& in, Check& check) {
    check.reply.emplace();
    // `reply` without digits accepts any answer.
    if (!in.done() && !in.at_comma())
        if (auto hex = in.value(parse_hex, "hex digits"))
            check.reply = std::move(*hex);
}

void read_version(Arguments& in, Check& check) {
    static constexpr std::array<std::string_view, 3> versions{"1.0", "1.1", "1.0C"};
    if (auto const index = in.choice(versions, "an HTTP version"))
        check.version = versions[*index];
}

void read_dns_type(Arguments& in, Check& check) {
    static constexpr std::array<std::string_view, 7> types{"A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA"};
    if (auto const index = in.choice(types, "a record type"))
        check.type = types[*index];
}

constexpr Kinds named = kind(Check::Kind::dns);

constexpr std::array options{
    Option{"every", timed, false, read_period<&Check::every>},
    Option{"timeout", timed, false, read_timeout},
    Option{"retries", timed, false,
           [](Arguments& in, Check& check) { check.retries = in.number({"retries", 0, 1000}); }},
    Option{"retry-delay", timed, false, read_time<&Check::retry_delay>},
    Option{"warmup", timed, false, read_time<&Check::warmup>},
    Option{"port", connecting & ~kind(Check::Kind::ping), false,
           [](Arguments& in, Check& check) { check.port = in.value(parse_port, "a port"); }},
    Option{"connect", connecting, false, read_address<&Check::connect>},
    Option{"bind", connecting, false, read_address<&Check::bind>},
    Option{"alpha", timed, false, read_flag<&Check::alpha>},
    Option{"through-vip", connecting & ~kind(Check::Kind::ping), false, read_flag<&Check::through_vip>},
    Option{"payload", kind(Check::Kind::udp), false,
           [](Arguments& in, Check& check) { check.payload = in.value(parse_hex, "hex digits").value_or(""); }},
    Option{"reply", kind(Check::Kind::udp), false, read_reply},
    Option{"reply-length", kind(Check::Kind::udp), false,
           [](Arguments& in, Check& check) {
               check.reply_length = in.value(
                   [](std::string_view text) { return parse_pair(text, {"reply length", 0, 65535}); }, "MIN-MAX");
           }},
    Option{"path", web, true, read_path},
    Option{"host", web, false, read_string<&Check::host>},
    Option{"version", web, false, read_version},
    Option{"sni", kind(Check::Kind::https), false, read_flag<&Check::sni>},
    Option{"helo", kind(Check::Kind::smtp), false, read_string<&Check::helo>},
    Option{"name", named, true, read_string<&Check::name>},
    Option{"type", named, false, read_dns_type},
    Option{"command", kind(Check::Kind::script), true,
           [](Arguments& in, Check& check) { check.command = read_command(in); }},
    Option{"dynamic", kind(Check::Kind::script), false, read_flag<&Check::dynamic>},
    Option{"user", kind(Check::Kind::script), false, read_name<&Check::user>},
    Option{"instance", kind(Check::Kind::bfd), true, read_name<&Check::instance>},
    Option{"track", kind(Check::Kind::file), true, read_name<&Check::track>},
    Option{"file", kind(Check::Kind::file), false,
           [](Arguments& in, Check& check) { check.file = in.command("a path").value_or(""); }},
    Option{"weight", kind(Check::Kind::file), false,
           [](Arguments& in, Check& check) { check.weight = in.number<int>({"weight", 0, 65535}); }},
};

std::vector<std::string_view> words_of(Kinds kinds) {
    std::vector<std::string_view> words;
    for (auto const& option : options)
        if ((option.kinds & kinds) != 0)
            words.push_back(option.word);
    return words;
}

/// The options of one check so far, to find duplicate and missing ones.
class Given {
public:
    /// Records an option of the check. Returns false, after a message, if the check cannot have it or has it already;
    /// `path` may repeat.
    bool take(Option const& option, Span span, Check const& check, Diagnostics& diagnostics) {
        auto const name = to_string(check.kind);
        if ((option.kinds & kind(check.kind)) == 0) {
            diagnostics.report(DiagId::check_option, span, "a `{}` check has no option `{}`; it has `{}`", name,
                               option.word, fmt::join(words_of(kind(check.kind)), "`, `"));
            return false;
        }
        auto const bit = std::uint64_t{1} << static_cast<std::size_t>(&option - options.data());
        if ((seen_ & bit) != 0 && option.word != "path") {
            diagnostics.report(DiagId::duplicate_statement, span, "`{}` stands here twice", option.word);
            return false;
        }
        seen_ |= bit;
        return true;
    }

    void report_missing(Check const& check, Diagnostics& diagnostics) const {
        for (auto const& option : options) {
            auto const bit = std::uint64_t{1} << static_cast<std::size_t>(&option - options.data());
            if (option.required && (option.kinds & kind(check.kind)) != 0 && (seen_ & bit) == 0)
                diagnostics.report(DiagId::check_option, check.span, "a `{}` check needs `{}`", to_string(check.kind),
                                   option.word);
        }
    }

private:
    std::uint64_t seen_ = 0;
};
static_assert(options.size() <= 64);

Option const* find_option(std::string_view word) {
    auto const found = std::ranges::find(options, word, &Option::word);
    return found == options.end() ? nullptr : &*found;
}

void read_inline_options(Arguments& in, Check& check, Given& given) {
    while (!in.done() && !in.at_comma()) {
        auto const word = in.word("an option");
        if (!word)
            return;
        auto const* option = find_option(word->text());
        if (option == nullptr) {
            in.fail(DiagId::check_option, word->span(),
                    fmt::format("a `{}` check has no option `{}`{}", to_string(check.kind), word->text(),
                                did_you_mean(word->text(), words_of(kind(check.kind)))));
            return;
        }
        if (!given.take(*option, word->span(), check, in.diagnostics())) {
            in.give_up();
            return;
        }
        option->read(in, check);
    }
}

void read_block_options(ast::Node const& owner, Check& check, Given& given, Reading reading) {
    auto const keywords = words_of(kind(check.kind));
    for (auto const& node : owner.block()) {
        auto const* option = find_option(node.keyword());
        if (option == nullptr) {
            report_unknown_statement(node, fmt::format("a `{}` check", to_string(check.kind)), keywords,
                                     reading.diagnostics);
            continue;
        }
        if (!given.take(*option, node.keyword_span(), check, reading.diagnostics) ||
            !check_block(node, Block::none, reading.diagnostics))
            continue;
        Arguments in(node, reading.lets, keywords, reading.diagnostics);
        option->read(in, check);
        in.finish();
    }
}

} // namespace

CommandText read_command(Arguments& in) {
    auto text = in.command("a command").value_or("");
    return {std::move(text), in.last()};
}

std::optional<Check> read_check(Arguments& in, Reading reading) {
    auto const index = in.choice(kind_words, "a kind of check");
    if (!index)
        return std::nullopt;
    Check check;
    check.kind = static_cast<Check::Kind>(*index);
    check.span = in.node().span();
    Given given;
    read_inline_options(in, check, given);
    if (in.node().has_block())
        read_block_options(in.node(), check, given, reading);
    if (!in.failed() && !in.node().broken())
        given.report_missing(check, reading.diagnostics);
    return check;
}

} // namespace lbc
