// Site files as a revision of a git repository has them: `REV:PATH`. git is asked for the list of the revision's files
// once, and for the bytes of each that is read. An include in such a file is of the same revision, whatever the disk
// has.
#pragma once

#include "grammar/files.hpp"

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lbc {

/// `REV:PATH`, as `git show` takes it: PATH begins at the repository's root, or with `./` or `../` at the current
/// folder. No REV is the index.
struct RevisionPath {
    std::string revision;
    std::string path;
};

/// Nothing where the text has no form of a revision's file. What lies on the disk is not asked: a branch could have a
/// file with the name by which another revision is looked at.
[[nodiscard]] std::optional<RevisionPath> parse_revision_path(std::string_view text);

/// The files of one revision.
struct Revision {
    std::unique_ptr<FileReader> files;
    std::string name; // of the file that was asked for, as `files` takes it: `REV:PATH`, with PATH from the root
};

/// Looks the revision up: a branch that moves later does not change what is read. The error is for people.
[[nodiscard]] std::expected<Revision, std::string> open_revision(RevisionPath const& wanted);

} // namespace lbc
