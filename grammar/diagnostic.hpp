// Messages about the input. A `Diagnostic` is a value: an id that is stable over versions, a span, a message, and notes
// on other spans. `Diagnostics` collects one message for each mistake: a second one with the same id and span is an
// echo and is dropped.
#pragma once

#include "grammar/source.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbc {

enum class Severity : std::uint8_t { error, warning };

/// Every kind of message. The registry in `diagnostic_registry.cpp` has one entry for each, in this order.
enum class DiagId : std::uint8_t {
    // text and files
    syntax,
    unclosed_block,
    unclosed_string,
    bad_escape,
    stray_character,
    misplaced_block,
    cannot_read,
    include_cycle,
    include_no_match,
    include_empty,
    include_outside,
    too_large,
    // statements and names
    unknown_statement,
    duplicate_statement,
    missing_statement,
    missing_value,
    extra_value,
    missing_block,
    unexpected_block,
    bad_name,
    duplicate_name,
    unknown_director,
    unknown_pool,
    unknown_vrrp,
    unknown_let,
    let_cycle,
    let_too_long,
    // values
    unknown_value,
    bad_number,
    number_range,
    port_range,
    reversed_range,
    bad_address,
    host_bits,
    bad_mac,
    bad_time,
    bad_interface,
    bad_string,
    vip_not_unicast,
    // meaning
    duplicate_vip,
    duplicate_mark,
    duplicate_mac,
    duplicate_address,
    missing_mac,
    missing_address,
    unicast_address,
    missing_mark,
    marks_full,
    no_real_server,
    real_is_vip,
    nat_to_director,
    port_translation,
    one_packet_not_udp,
    flag_scheduler,
    connection_limits,
    duplicate_real,
    check_option,
    check_port,
    guard_requires,
    packet_loop,
    duplicate_router_id,
    keepalived_limit,
    check_through_vip,
    nft_interface,
    command_not_allowed,
    // warnings
    unknown_scheduler,
    vip_not_carried,
    vip_network,
    check_not_run,
    all_drained,
    virtual_mac_unlisted,
    unused,
    foreign_mark,
    mark_collision,
    redundant_value,
    udp_failover,
    sync_marks_differ,
    tunnel_guard,
    stale_loop,
    not_in_output,
    // a file and the machine that is a director of it
    machine_peer_mac,
    machine_mac,
    machine_director,
    machine_interface,
    machine_vrrp_interface,
    machine_address,
    count_, // the number of ids; no message has it
};

inline constexpr std::size_t diag_count = static_cast<std::size_t>(DiagId::count_);

/// The registry's entry for one kind of message.
struct DiagInfo {
    DiagId id{};
    std::string_view slug; // "port-range": what users see and search for
    Severity severity = Severity::error;
};

[[nodiscard]] std::span<DiagInfo const, diag_count> all_diagnostics();
[[nodiscard]] DiagInfo const& info(DiagId id);
/// Markdown: why it is a mistake, and what to do. It stands in docs/messages.md, which is built into the program.
[[nodiscard]] std::string_view explanation(DiagInfo const& entry);
/// That page, whole.
[[nodiscard]] std::string_view all_explanations();

/// A further place that belongs to a message: the other half of a conflict, or a block that is never closed.
struct Note {
    Span span;
    std::string message;
};

struct Diagnostic {
    DiagId id{};
    Span span;
    std::string message; // lower case, no full stop, code in backticks; first what was seen, then the way out
    std::vector<Note> notes;
    std::string_view form{}; // the literal format string of the message; empty: unknown

    [[nodiscard]] Severity severity() const { return info(id).severity; }

    Diagnostic& note(Span where, std::string text) {
        notes.push_back({where, std::move(text)});
        return *this;
    }
};

/// Messages with one cause: errors with equal text, or warnings that differ only in their values.
struct Gathered {
    Diagnostic first;
    std::vector<Diagnostic> more; // at further places, in the order of those

    /// Fewer messages than this stay separate.
    static constexpr std::size_t fewest = 4;
};

class Diagnostics {
public:
    /// Further messages are counted but not kept, so that no input fills the memory with them.
    static constexpr std::size_t max_kept = 10'000;

    /// Adds a message; the id decides the severity. Returns the message so that notes can be added; the reference is
    /// valid as long as this object.
    Diagnostic& add(DiagId id, Span span, std::string message);

    template <typename... Args>
    Diagnostic& report(DiagId id, Span span, fmt::format_string<Args...> format, Args&&... args) {
        auto& added = add(id, span, fmt::format(format, std::forward<Args>(args)...));
        fmt::string_view const form = format;
        added.form = {form.data(), form.size()};
        return added;
    }

    [[nodiscard]] bool has_errors() const { return errors_ > 0; }
    [[nodiscard]] std::size_t errors() const { return errors_; }
    [[nodiscard]] std::size_t warnings() const { return warnings_; }
    [[nodiscard]] std::size_t omitted() const { return errors_ + warnings_ - list_.size(); }

    /// All kept messages, ordered by file (in the order of reading), then by offset.
    [[nodiscard]] std::vector<Diagnostic> sorted() const;
    /// The same list, in which messages with one cause are gathered behind the first of them.
    [[nodiscard]] std::vector<Gathered> gathered() const;

private:
    std::deque<Diagnostic> list_; // a deque: references that `add` returned stay valid
    std::set<std::pair<Span, DiagId>> seen_;
    Diagnostic echo_; // receives the notes of a message that is not kept
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

struct TextStyle {
    bool colour = false;
    std::size_t width = 168; // columns that an excerpt may take
};

/// One message with its source line, caret and notes, ended by a line break. Characters that could control a terminal
/// are shown as `?`.
[[nodiscard]] std::string render(Sources const& sources, Diagnostic const& diagnostic, TextStyle style);
/// The first message in full, then the places of a few others and the number of all others.
[[nodiscard]] std::string render(Sources const& sources, Gathered const& gathered, TextStyle style);

} // namespace lbc
