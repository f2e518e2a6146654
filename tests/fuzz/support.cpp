#include "tests/fuzz/support.hpp"

#include "compiler/site/resolve.hpp"
#include "grammar/utf8.hpp"
#include "tests/support/memory_files.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace lbc::fuzz {
namespace {

constexpr std::size_t most_directors = 6;
constexpr std::size_t most_services = 60;
constexpr std::size_t most_classes = 2000;
constexpr std::size_t most_origins = 400; // interfaces, each with each MAC

std::size_t count_ports(Service const& service) {
    std::size_t count = 0;
    for (auto const& claim : service.ports)
        count += std::max<std::size_t>(claim.ports.size(), 1);
    return count;
}

} // namespace

void require(bool holds, std::string_view what, std::string_view context) {
    if (holds)
        return;
    std::cerr << "does not hold: " << what << '\n' << context << '\n' << std::flush;
    std::abort();
}

std::unique_ptr<SiteInput> read_site(std::string const& text) {
    auto input = std::make_unique<SiteInput>();
    MemoryFiles files({{"site.lb", text}});
    input->site = compile("site.lb", files, input->sources, input->diagnostics);
    return input;
}

bool is_small(Site const& site) {
    std::size_t classes = 0;
    std::size_t interfaces = 1;
    std::size_t macs = 1;
    for (auto const& director : site.directors) {
        interfaces += director.interfaces.size();
        macs += director.macs.size();
    }
    for (auto const& service : site.services) {
        interfaces += service.interfaces.size();
        macs += service.bypass.size();
        classes += service.vips.size() * count_ports(service) *
                   std::max({service.interfaces.size(), service.bypass.size(), std::size_t{1}});
    }
    return site.directors.size() <= most_directors && site.services.size() <= most_services &&
           classes <= most_classes && interfaces * macs <= most_origins;
}

void require_json(std::string_view text) {
    auto const value = nlohmann::json::parse(text, nullptr, false);
    require(!value.is_discarded(), "it is JSON", text);
}

void require_lines(std::string_view text, std::string_view what, std::size_t longest) {
    require(text.empty() || text.ends_with('\n'), "the last line is ended", what);
    for (std::size_t begin = 0; begin < text.size();) {
        auto const end = text.find('\n', begin);
        auto const line = text.substr(begin, end - begin);
        require(line.size() <= longest, what, line);
        require(find_stray(line) == line.size(), "no character that is not seen", line);
        begin = end + 1;
    }
}

} // namespace lbc::fuzz
