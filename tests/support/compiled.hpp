// A site compiled from text in a test.
#pragma once

#include "compiler/plan/plan.hpp"
#include "compiler/site/resolve.hpp"
#include "tests/support/memory_files.hpp"

#include <string>
#include <vector>

namespace lbc {

struct Compiled {
    MemoryFiles files;
    Sources sources;
    Diagnostics diagnostics;
    Site site;

    /// The file is `site.lb`.
    explicit Compiled(std::map<std::string, std::string> texts)
        : files(std::move(texts)), site(compile("site.lb", files, sources, diagnostics)) {}
    explicit Compiled(std::string text) : Compiled(std::map<std::string, std::string>{{"site.lb", std::move(text)}}) {}

    /// The ids of all messages, by place.
    [[nodiscard]] std::vector<std::string> ids() const {
        std::vector<std::string> list;
        for (auto const& diagnostic : diagnostics.sorted())
            list.emplace_back(info(diagnostic.id).slug);
        return list;
    }

    [[nodiscard]] Service const& service(std::string_view name) const {
        for (auto const& service : site.services)
            if (service.name.value == name)
                return service;
        throw std::out_of_range(std::string(name));
    }

    [[nodiscard]] Plan plan(std::string_view director) const { return make_plan(site, *site.find_director(director)); }
};

/// Two directors that are each other's real servers, to put services behind.
inline std::string const two_directors = "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1, 2001:db8::1 }\n"
                                         "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2, 2001:db8::2 }\n";

} // namespace lbc
