// The socket under /run/lbc by which `confirm` and `rollback` reach the apply that waits for them, one for each network
// namespace. Both ends are of root or of one user, and neither waits for the other without an end.
#pragma once

#include "backends/descriptor.hpp"
#include "backends/system_error.hpp"
#include "cli/run.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace lbc {

/// An error where an apply in this network namespace waits for an answer: nothing else may change the director then,
/// since that would be undone with it. To be asked under the lock, and before the first write. Does not wait.
[[nodiscard]] std::expected<void, SystemError> refuse_if_pending();

/// Says "confirm" or "rollback" to the apply that waits; its status and what it says. The error: none waits, or it does
/// not answer, and has then not done what it was told.
struct Answer {
    Status status = Status::done;
    std::string text;
};
[[nodiscard]] std::expected<Answer, std::string> answer_pending(std::string_view word);

/// The other end. Nobody listens there: that was asked, under the same lock.
[[nodiscard]] std::expected<Descriptor, SystemError> listen_for_answer();

/// A client; nothing where there is none, or it is neither root nor this user.
[[nodiscard]] Descriptor accept_client(int listener);

/// Whether what was sent has gone to somebody who is still there. Does not wait.
[[nodiscard]] bool send_now(int socket, std::string_view text);

/// Sent as soon as a word is understood, before the answer, which may take a while.
inline constexpr std::string_view heard = ".";

} // namespace lbc
