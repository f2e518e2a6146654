// lbc's files under /run/lbc. Like the kernel's state they are gone after a reboot, and each belongs to one network
// namespace.
#pragma once

#include "backends/os/record.hpp"
#include "backends/os/system_error.hpp"

#include <expected>
#include <string>

namespace lbc {

/// `/run/lbc/NAME-COOKIE`. COOKIE is the number of this network namespace, which no later one gets (SO_NETNS_COOKIE; on
/// a kernel before 5.14 its inode).
[[nodiscard]] std::string run_path(std::string_view name);

/// Creates /run/lbc, in which only root may write.
[[nodiscard]] std::expected<void, SystemError> make_run_folder();

/// The text of a record's file, and back; none if the text is not a record.
[[nodiscard]] std::string record_text(Record const& record);
[[nodiscard]] std::optional<Record> parse_record(std::string_view text);

/// Reads the record; empty if there is no file. A file that is not a record is an error that names it.
[[nodiscard]] std::expected<Record, SystemError> read_record_file();
/// Replaces the record through a rename; an empty one is removed.
[[nodiscard]] std::expected<void, SystemError> write_record_file(Record const& record);

} // namespace lbc
