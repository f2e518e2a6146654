// A place to write to: a name in an open folder. The path is walked once, folder by folder. Later operations use the
// open folder, whatever the path leads to by then. A link on the path is followed only if the link and its folder
// belong to this user or to root, because another owner could choose what is written.
#pragma once

#include "backends/os/descriptor.hpp"
#include "backends/os/system_error.hpp"

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lbc {

struct Place {
    Descriptor folder; // opened with O_PATH
    std::string name;  // in the folder; `.` for the folder itself
    /// The descriptor, if the path names an open file of this process, as /dev/stdout and `>(cat)` do. It is written to
    /// as it is.
    std::optional<int> own;
};

/// The error names the obstacle, without the path.
[[nodiscard]] std::expected<Place, SystemError> find_place(std::string const& path);

enum class Missing { fails, is_made };

/// Opens a folder. With `Missing::is_made` it creates the folder and its parents. The code is ENOENT if it is missing.
[[nodiscard]] std::expected<Descriptor, SystemError> open_folder(std::string const& path, Missing missing);

/// An open folder, with its name for messages.
struct OpenFolder {
    Descriptor const& descriptor;
    std::string_view name;
};

/// Opens a folder below an open one, through no link. Returns an empty descriptor if a folder on the way is missing and
/// is not to be created. `path` is relative, without `..`, and may be empty. The error names the obstacle.
[[nodiscard]] std::expected<Descriptor, SystemError> enter_below(OpenFolder folder, std::string_view path,
                                                                 Missing missing);

/// The same for a file, which must be regular or missing. The place has no folder if one on the way is missing.
[[nodiscard]] std::expected<Place, SystemError> find_below(OpenFolder folder, std::string_view path, Missing missing);

/// errno as an error, with the system's text.
[[nodiscard]] std::unexpected<SystemError> system_refusal(int code);
/// A refusal that is not from the system.
[[nodiscard]] std::unexpected<SystemError> refusal(std::string words);

} // namespace lbc
