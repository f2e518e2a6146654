// lbc's files under /run/lbc, which are gone when the machine starts anew, as the kernel's state is. Each belongs to a
// network namespace, as that state does.
#pragma once

#include "backends/kernel.hpp"

namespace lbc {

/// `/run/lbc/NAME-COOKIE`, where COOKIE is this network namespace's number, which no later one gets (SO_NETNS_COOKIE;
/// on a kernel before 5.14 its inode).
[[nodiscard]] std::string run_path(std::string_view name);

/// Makes /run/lbc, for root alone to write in.
[[nodiscard]] std::expected<void, SystemError> make_run_folder();

/// A record as its file has it, and back; nothing for a text that is none.
[[nodiscard]] std::string record_text(Record const& record);
[[nodiscard]] std::optional<Record> parse_record(std::string_view text);

/// Empty where there is none. A file that is no record is an error that names it.
[[nodiscard]] std::expected<Record, SystemError> read_record_file();
/// Replaces the record by rename; an empty one is removed.
[[nodiscard]] std::expected<void, SystemError> write_record_file(Record const& record);

} // namespace lbc
