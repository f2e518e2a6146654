#include "compiler/site/readers.hpp"

#include <array>

namespace lbc {
namespace {

constexpr std::array director_rules{
    StatementRule<Director>{
        "mac", Occurs::repeated, Block::none,
        [](Arguments& in, Director& director) { in.values<MacAddress>(parse_mac, "a MAC address", director.macs); }},
    StatementRule<Director>{"address", Occurs::repeated, Block::none,
                            [](Arguments& in, Director& director) {
                                in.values<IpAddress>(parse_host_address, "an address", director.addresses);
                            }},
    StatementRule<Director>{"interface", Occurs::repeated, Block::none,
                            [](Arguments& in, Director& director) {
                                in.values<InterfacePattern>(parse_interface, "an interface", director.interfaces);
                            }},
    StatementRule<Director>{"hostname", Occurs::once, Block::none,
                            [](Arguments& in, Director& director) {
                                if (auto name = in.value(parse_hostname, "a host name"))
                                    director.hostname = std::move(*name);
                            }},
};

} // namespace

std::optional<Located<std::string>> read_block_name(ast::Node const& node, Reading reading) {
    if (node.broken()) { // the mistake is already reported; the name may still be valid
        if (node.words().size() < 2 || !parse_name(node.words()[1].text()))
            return std::nullopt;
        return Located<std::string>{std::string(node.words()[1].text()), node.words()[1].span()};
    }
    Arguments in(node, reading.lets, {}, reading.diagnostics);
    auto name = in.value(parse_name, "a name");
    in.finish();
    if (!name)
        return std::nullopt;
    return Located<std::string>{std::move(*name), in.last()};
}

std::optional<Director> read_director(ast::Node const& node, Reading reading) {
    auto name = read_block_name(node, reading);
    Director director;
    director.span = node.span();
    if (!name && !node.has_block())
        return std::nullopt;
    director.incomplete = !check_block(node, Block::required, reading.diagnostics) ||
                          !read_statements<director_rules>(node.block(), node, "a director", reading, director);
    if (!name)
        return std::nullopt;
    director.name = std::move(*name);
    if (director.hostname.empty())
        director.hostname = director.name.value;
    return director;
}

std::optional<DirectorId> find_director(Arguments& in, std::string_view name, Span where, Site const& site,
                                        std::string_view what) {
    if (auto const found = site.find_director(name))
        return found;
    if (site.incomplete) {
        in.give_up();
        return std::nullopt;
    }
    std::vector<std::string_view> names;
    for (auto const& director : site.directors)
        names.push_back(director.name.value);
    in.fail(DiagId::unknown_director, where,
            fmt::format("`{}` is {}{}", name, what, did_you_mean(name, names, in.diagnostics().errors())));
    return std::nullopt;
}

std::optional<DirectorId> read_director_name(Arguments& in, Site const& site) {
    auto const word = in.word("a director");
    return word ? find_director(in, word->text(), word->span(), site, "no director of this site") : std::nullopt;
}

bool read_switch(Arguments& in) { return !in.accept("off"); }

} // namespace lbc
