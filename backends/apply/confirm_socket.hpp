// The socket under /run/lbc through which `confirm` and `rollback` reach the apply that waits for them, one for each
// network namespace. Each end accepts only root or its own user, and every wait is bounded.
#pragma once

#include "backends/os/descriptor.hpp"
#include "backends/os/exit_status.hpp"
#include "backends/os/system_error.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace lbc {

/// Returns an error if an apply in this network namespace waits for an answer: nothing else may change the director
/// then, since a rollback would undo that too. Call it under the lock and before the first write. Does not wait.
[[nodiscard]] std::expected<void, SystemError> refuse_if_pending();

/// The answer of the apply that waits: its status and its text.
struct Answer {
    Status status = Status::done;
    std::string text;
};
/// Sends "confirm" or "rollback" to the apply that waits, and returns its answer. The error: none waits; it does not
/// reply, and has then not obeyed; or it ended without an answer.
[[nodiscard]] std::expected<Answer, std::string> answer_pending(std::string_view word);

/// Opens the end of the apply. The caller has checked, under the same lock, that no other apply listens there.
[[nodiscard]] std::expected<Descriptor, SystemError> listen_for_answer();

/// A client; nothing if there is none, or if it is neither root nor this user.
[[nodiscard]] Descriptor accept_client(int listener);

/// Sends a text. False if the other end is gone or does not take all of it now. Does not wait.
[[nodiscard]] bool send_now(int socket, std::string_view text);

/// Sent as soon as a word is understood, before the answer, which may take a while.
inline constexpr std::string_view heard = ".";

} // namespace lbc
