#include "compiler/site/resolve.hpp"

#include "compiler/site/allocate_marks.hpp"
#include "compiler/site/readers.hpp"

#include <array>
#include <bit>
#include <functional>

namespace lbc {
namespace {

/// The top-level statements of a site, by keyword.
struct Outline {
    std::vector<ast::Node> directors;
    std::vector<ast::Node> pools;
    std::vector<ast::Node> services;
    std::vector<ast::Node> vrrps;
    std::vector<ast::Node> lets;
    std::vector<ast::Node> defaults;
    std::vector<ast::Node> sync;
    std::vector<ast::Node> marks;
    std::vector<ast::Node> guard;
    std::vector<ast::Node> ipvs;
};

struct FileRule {
    std::string_view keyword;
    std::vector<ast::Node> Outline::* nodes;
    Occurs occurs = Occurs::repeated;
    Block block = Block::none;
};

constexpr std::array file_rules{
    FileRule{"director", &Outline::directors, Occurs::repeated, Block::required},
    FileRule{"service", &Outline::services, Occurs::repeated, Block::required},
    FileRule{"pool", &Outline::pools, Occurs::repeated, Block::required},
    FileRule{"vrrp", &Outline::vrrps, Occurs::repeated, Block::required},
    FileRule{"let", &Outline::lets, Occurs::repeated, Block::none},
    FileRule{"defaults", &Outline::defaults, Occurs::once, Block::required},
    FileRule{"sync", &Outline::sync, Occurs::once, Block::required},
    FileRule{"marks", &Outline::marks, Occurs::once, Block::none},
    FileRule{"guard", &Outline::guard, Occurs::once, Block::none},
    FileRule{"ipvs", &Outline::ipvs, Occurs::once, Block::none},
};

std::vector<std::string_view> file_keywords() {
    std::vector<std::string_view> keywords{"include"};
    for (auto const& rule : file_rules)
        keywords.push_back(rule.keyword);
    return keywords;
}

/// Finds the element of a list that has a name. It is an open-addressing hash table of list indices: each is in the
/// slot of its name's hash, or in a slot after it.
class NameIndex {
public:
    /// `most` is the largest number of elements.
    explicit NameIndex(std::size_t most) : slots_(std::bit_ceil(2 * most + 1), none) {}

    /// The index of the element of `list` with the name. If there is none, the size of the list, where the caller must
    /// append the element.
    template <typename T>
    std::size_t add(std::string const& name, std::vector<T> const& list) {
        auto slot = std::hash<std::string>{}(name) % slots_.size();
        while (slots_[slot] != none && list[slots_[slot]].name.value != name)
            slot = (slot + 1) % slots_.size();
        if (slots_[slot] == none)
            slots_[slot] = static_cast<std::uint32_t>(list.size());
        return slots_[slot];
    }

private:
    static constexpr std::uint32_t none = 0xffffffff;
    std::vector<std::uint32_t> slots_;
};

class Resolver {
public:
    explicit Resolver(Diagnostics& diagnostics) : diagnostics_(diagnostics), lets_(diagnostics) {}

    Site run(Program const& program) {
        sort(program);
        for (auto const& node : outline_.lets)
            lets_.define(node);
        read_named(outline_.directors, "director", site_.directors,
                   [&](ast::Node const& node) { return read_director(node, reading()); });
        read_settings();
        read_named(outline_.vrrps, "vrrp", site_.vrrps,
                   [&](ast::Node const& node) { return read_vrrp(node, site_, reading()); });
        if (!outline_.sync.empty())
            site_.sync = read_sync(outline_.sync.front(), site_, reading());
        read_services();
        settle_guard();
        allocate_marks(site_, diagnostics_);
        lets_.report_unused();
        return std::move(site_);
    }

private:
    [[nodiscard]] Reading reading() { return {lets_, diagnostics_}; }

    void sort(Program const& program) {
        auto const keywords = file_keywords();
        for (auto const& node : program.statements) {
            auto const rule = std::ranges::find(file_rules, node.keyword(), &FileRule::keyword);
            if (rule == file_rules.end()) {
                if (node.keyword() != "include") // a broken one, which `load` left in
                    report_unknown_statement(node, "a site", keywords, diagnostics_);
                site_.incomplete = true;
                continue;
            }
            auto& nodes = outline_.*(rule->nodes);
            if (rule->occurs == Occurs::once && !nodes.empty())
                diagnostics_
                    .report(DiagId::duplicate_statement, node.keyword_span(), "`{}` stands in the site twice",
                            node.keyword())
                    .note(nodes.front().span(), "the first one");
            else if (rule->block == Block::required || check_block(node, rule->block, diagnostics_))
                nodes.push_back(node);
        }
    }

    /// Reads named blocks; reports and drops a block with a name that is taken.
    template <typename T, typename Read>
    void read_named(std::vector<ast::Node> const& nodes, std::string_view kind, std::vector<T>& out, Read read) {
        out.reserve(nodes.size());
        NameIndex index(nodes.size());
        for (auto const& node : nodes) {
            auto value = read(node);
            if (!value) {
                site_.incomplete = true;
                continue;
            }
            auto const& name = value->name;
            auto const first = index.add(name.value, out);
            if (first == out.size()) {
                out.push_back(std::move(*value));
                continue;
            }
            diagnostics_.report(DiagId::duplicate_name, name.span, "a {} has the name `{}` already", kind, name.value)
                .note(out[first].name.span, "the first one");
        }
    }

    void read_settings() {
        if (!outline_.marks.empty())
            read_marks(outline_.marks.front());
        if (!outline_.guard.empty()) {
            static constexpr std::array<std::string_view, 4> words{"local", "drop", "backup-only", "off"};
            if (auto const index = read_choice(outline_.guard.front(), words, "a kind of guard"))
                guard_ = static_cast<GuardMode>(*index);
            site_.guard_span = outline_.guard.front().span();
        }
        if (!outline_.ipvs.empty()) {
            static constexpr std::array<std::string_view, 2> words{"lbc", "keepalived"};
            if (auto const index = read_choice(outline_.ipvs.front(), words, "a program that sets up IPVS"))
                site_.ipvs = static_cast<IpvsOwner>(*index);
        }
    }

    std::optional<std::size_t> read_choice(ast::Node const& node, std::span<std::string_view const> words,
                                           std::string_view what) {
        Arguments in(node, lets_, {}, diagnostics_);
        auto const index = in.choice(words, what);
        in.finish();
        return index;
    }

    void read_marks(ast::Node const& node) {
        Arguments in(node, lets_, {}, diagnostics_);
        auto const range = in.value(
            [](std::string_view text) -> Value<MarkRange> {
                auto const dash = text.find('-');
                auto const first = parse_mark(text.substr(0, dash));
                if (!first)
                    return std::unexpected(first.error());
                auto const last = dash == std::string_view::npos ? first : parse_mark(text.substr(dash + 1));
                if (!last)
                    return std::unexpected(last.error());
                if (*last < *first)
                    return std::unexpected(ValueError{DiagId::reversed_range, "the range of marks ends before it "
                                                                              "begins"});
                return MarkRange{*first, *last};
            },
            "a range of marks such as `0x100-0xfff`");
        in.finish();
        if (range)
            site_.marks = *range;
    }

    void read_services() {
        Names names{site_, {}, 0, 0, std::nullopt};
        for (auto const& node : outline_.pools) {
            auto const name = read_block_name(node, reading());
            if (!name || !check_block(node, Block::required, diagnostics_)) {
                site_.incomplete = true;
                continue;
            }
            auto const [at, fresh] = names.pools.try_emplace(name->value, Names::Pool{node, name->span, false});
            if (!fresh)
                diagnostics_.report(DiagId::duplicate_name, name->span, "a pool has the name `{}` already", name->value)
                    .note(at->second.name, "the first one");
        }
        if (!outline_.defaults.empty() && check_block(outline_.defaults.front(), Block::required, diagnostics_)) {
            Arguments(outline_.defaults.front(), lets_, {}, diagnostics_).finish();
            names.defaults = outline_.defaults.front().block();
            read_defaults(outline_.defaults.front(), names, reading());
        }
        read_named(outline_.services, "service", site_.services,
                   [&](ast::Node const& node) { return read_service(node, names, reading()); });
        for (auto const& [name, pool] : names.pools) {
            if (pool.used)
                continue;
            if (!site_.incomplete)
                diagnostics_.report(DiagId::unused, pool.name, "no service uses pool `{}`", name);
            read_unused_pool(pool.node, names, reading());
        }
    }

    /// Without `guard` in the file, the site gets a guard if a director is a real server that is not reached by `nat`:
    /// it can receive packets that are balanced already.
    void settle_guard() {
        auto const needs_guard = [&](Service const& service) {
            return std::ranges::any_of(service.reals, [&](RealServer const& real) {
                return real.forwarding.method != Forwarding::Method::nat && director_of(site_, real);
            });
        };
        if (guard_)
            site_.guard = *guard_;
        else
            site_.guard = std::ranges::any_of(site_.services, needs_guard) ? GuardMode::local : GuardMode::off;
    }

    Diagnostics& diagnostics_;
    Lets lets_;
    Outline outline_;
    Site site_;
    std::optional<GuardMode> guard_;
};

} // namespace

Site resolve(Program const& program, Diagnostics& diagnostics) { return Resolver(diagnostics).run(program); }

Site compile(std::string const& path, FileReader& reader, Sources& sources, Diagnostics& diagnostics,
             std::vector<std::string> const& include_from) {
    auto site = resolve(load(path, reader, sources, diagnostics, include_from), diagnostics);
    check(site, diagnostics);
    return site;
}

} // namespace lbc
