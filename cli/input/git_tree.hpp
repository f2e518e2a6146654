// Reads the files of a tree that git has listed. Links are followed inside the tree, patterns are matched against it,
// and the disk is never read.
#pragma once

#include "backends/os/path_pattern.hpp"
#include "grammar/files.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace lbc {

/// The error if `..` or a link leads above the root.
inline constexpr char const* out_of_repository = "it leads out of the repository";

class GitTree final : public FileReader {
public:
    /// A blob's bytes by its id, or why not; one of more than `limit` bytes is refused.
    using ReadBlob = std::function<std::expected<std::string, std::string>(std::string const& id, std::size_t limit)>;

    /// `listing` is what `git ls-tree -r -z` or `git ls-files -s -z` prints. A path is `REVISION:PATH`.
    GitTree(std::string const& revision, std::string_view listing, ReadBlob read_blob);

    [[nodiscard]] FileText read(std::string const& path, std::size_t limit) override;
    [[nodiscard]] FilePaths glob(std::string const& folder, std::string const& pattern) override;
    [[nodiscard]] std::string identity(std::string const& path) override;
    [[nodiscard]] std::string folder(std::string const& path) const override;

private:
    struct Entry {
        std::string mode; // as git writes it: 100644, 120000
        std::string id;
        bool unmerged = false;
    };
    using Path = FileText;

    [[nodiscard]] Path inside(std::string const& path) const;
    [[nodiscard]] Path locate(std::string const& path);
    [[nodiscard]] Path resolve(std::string_view path);
    [[nodiscard]] Path link_target(std::string const& link, Entry const& entry);
    [[nodiscard]] bool is_folder(std::string const& path) const;
    [[nodiscard]] std::vector<std::string> names_in(std::string const& folder, std::size_t most) const;

    class Folders;

    std::string prefix_;
    ReadBlob read_blob_;
    std::map<std::string, Entry> entries_;     // by path
    std::map<std::string, std::string> links_; // the targets that were read, by id
    std::size_t steps_ = most_pattern_steps;
};

} // namespace lbc
