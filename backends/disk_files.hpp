// The disk and standard input, as files to read. What the user names may be a pipe; what a site includes is a regular
// file in one of the site's folders. Each file is looked at and read by one descriptor, so that nothing that changes
// meanwhile, such as a folder that becomes a link, changes the answer.
#pragma once

#include "backends/descriptor.hpp"
#include "backends/path_pattern.hpp"
#include "grammar/files.hpp"

#include <string>
#include <vector>

namespace lbc {

class DiskFiles final : public FileReader {
public:
    [[nodiscard]] FileText read(std::string const& path, std::size_t limit) override;
    [[nodiscard]] FileText read_below(std::string const& folder, std::string const& name, std::size_t limit) override;
    [[nodiscard]] FileText read_site(std::string const& path, std::size_t limit,
                                     std::span<std::string const> include_from) override;
    [[nodiscard]] std::expected<Included, FileProblem> read_include(std::string const& path,
                                                                    std::size_t limit) override;
    [[nodiscard]] FilePaths glob(std::string const& folder, std::string const& pattern) override;
    [[nodiscard]] std::string identity(std::string const& path) override;
    /// That of standard input, by whatever name, is the current folder.
    [[nodiscard]] std::string folder(std::string const& path) const override;

private:
    class Tree;

    /// By which of the site's folders an open file may be included.
    [[nodiscard]] bool is_of_site(std::string const& path) const;
    [[nodiscard]] bool is_included(std::string const& path) const;
    /// Or it is on the way there from the root.
    [[nodiscard]] bool leads_to_included(std::string const& path) const;

    std::string site_folder_;               // as the kernel has it; empty: none, and nothing lies in it
    std::vector<std::string> include_from_; // likewise
    std::size_t steps_ = most_pattern_steps;
};

} // namespace lbc
