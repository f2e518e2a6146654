// Reads files from the disk and standard input. A file that the user names may be a pipe; one that a site includes must
// be a regular file in one of the site's folders. Each file is checked and read through one descriptor, so that a
// change in between, such as a folder that becomes a link, has no effect.
#pragma once

#include "backends/os/descriptor.hpp"
#include "backends/os/path_pattern.hpp"
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
    /// The folder of standard input, under any of its names, is the current one.
    [[nodiscard]] std::string folder(std::string const& path) const override;

private:
    class Tree;

    /// Whether an open file is in the site file's folder, or in any folder from which the site may include.
    [[nodiscard]] bool is_of_site(std::string const& path) const;
    [[nodiscard]] bool is_included(std::string const& path) const;
    /// Whether it may be included, or is on the way from the root to a folder of the site.
    [[nodiscard]] bool leads_to_included(std::string const& path) const;

    std::string site_folder_;               // the kernel's path of it; empty: none, and no file is in it
    std::vector<std::string> include_from_; // likewise
    std::size_t steps_ = most_pattern_steps;
};

} // namespace lbc
