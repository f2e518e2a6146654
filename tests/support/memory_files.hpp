// Files in memory, for tests.
#pragma once

#include "grammar/files.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

class MemoryFiles final : public FileReader {
public:
    MemoryFiles() = default;
    explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

    [[nodiscard]] FileText read(std::string const& path, std::size_t limit) override {
        auto const found = files_.find(path);
        if (found == files_.end())
            return std::unexpected(FileProblem("No such file or directory", FileProblem::Kind::missing));
        if (found->second.size() > limit)
            return std::unexpected("too large");
        return found->second;
    }

    /// Knows one form of pattern, `PREFIX*SUFFIX`.
    [[nodiscard]] FilePaths glob(std::string const& folder, std::string const& last) override {
        auto const pattern = folder + last;
        auto const star = pattern.find('*');
        auto const suffix = pattern.substr(star + 1);
        std::vector<std::string> matches;
        for (auto const& [path, text] : files_)
            if (path.starts_with(pattern.substr(0, star)) && path.ends_with(suffix))
                matches.push_back(path);
        return matches;
    }

    [[nodiscard]] std::string identity(std::string const& path) override { return path; }

private:
    std::map<std::string, std::string> files_;
};

} // namespace lbc
