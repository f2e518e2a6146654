// Where something is written: a name in a folder that is open. The way there is walked once, folder by folder, and what
// is done afterwards is done in that folder, whatever its path leads to by then. A link on the way is followed where it
// and the folder it stands in belong to this user or to root; any other would let its owner choose what is written.
#pragma once

#include "backends/descriptor.hpp"
#include "backends/system_error.hpp"

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lbc {

struct Place {
    Descriptor folder; // open by O_PATH
    std::string name;  // in it; `.` for the folder itself
    /// What the path names is this process's own open file, as /dev/stdout and `>(cat)` are: written to as it is.
    std::optional<int> own;
};

/// The error says what is in the way, without the path.
[[nodiscard]] std::expected<Place, SystemError> find_place(std::string const& path);

enum class Missing { fails, is_made };

/// Opens a folder, and makes it and those that it lies in, if told so. The code is ENOENT where it is missing.
[[nodiscard]] std::expected<Descriptor, SystemError> open_folder(std::string const& path, Missing missing);

/// A folder that is open, with its name for messages.
struct OpenFolder {
    Descriptor const& descriptor;
    std::string_view name;
};

/// A folder below an open one, reached through no link; none where one on the way is missing and is not to be made.
/// `path` is relative and without `..`, and may be empty. The error names what is in the way.
[[nodiscard]] std::expected<Descriptor, SystemError> enter_below(OpenFolder folder, std::string_view path,
                                                                 Missing missing);

/// The same for a file: a regular one, or none. Without a folder where one on the way is missing.
[[nodiscard]] std::expected<Place, SystemError> find_below(OpenFolder folder, std::string_view path, Missing missing);

/// errno as an error, in the system's words.
[[nodiscard]] std::unexpected<SystemError> system_refusal(int code);
/// A refusal of lbc's own.
[[nodiscard]] std::unexpected<SystemError> refusal(std::string words);

} // namespace lbc
