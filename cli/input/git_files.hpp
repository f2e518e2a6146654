// Reads site files from a revision of a git repository: `REV:PATH`. git lists the revision's files once, and prints the
// bytes of each file that is read. An include in such a file is of the same revision; the files on the disk do not
// matter.
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

/// Nothing if the text does not have this form. The disk is not consulted: a branch could contain a file whose name is
/// also the `REV:PATH` of another revision's file.
[[nodiscard]] std::optional<RevisionPath> parse_revision_path(std::string_view text);

/// The files of one revision.
struct Revision {
    std::unique_ptr<FileReader> files;
    std::string name; // of the requested file, as `files` takes it: `REV:PATH`, with PATH from the root
};

/// Resolves the revision once: a branch that moves later does not change what is read. The error is for people.
[[nodiscard]] std::expected<Revision, std::string> open_revision(RevisionPath const& wanted);

} // namespace lbc
