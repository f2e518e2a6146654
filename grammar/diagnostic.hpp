// What lbc has to say about its input. A `Diagnostic` is a value: an id that stays the same over versions, a place, a
// message, and notes to other places. `Diagnostics` collects them, one for each mistake: a second one with the same id
// at the same place is an echo and is dropped.
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
    count_, // how many there are; no message has it
};

inline constexpr std::size_t diag_count = static_cast<std::size_t>(DiagId::count_);

/// What is known of a kind of message without an occurrence.
struct DiagInfo {
    DiagId id{};
    std::string_view slug; // "port-range": what users see and search for
    Severity severity = Severity::error;
    std::string_view explanation; // Markdown: why it is one, and what to do
};

[[nodiscard]] std::span<DiagInfo const, diag_count> all_diagnostics();
[[nodiscard]] DiagInfo const& info(DiagId id);

/// A further place that belongs to a message: the other half of a conflict, the block that was never closed.
struct Note {
    Span span;
    std::string message;
};

struct Diagnostic {
    DiagId id{};
    Span span;
    std::string message; // lower case, no full stop, code in backticks, the way out behind what was seen
    std::vector<Note> notes;
    std::string_view form{}; // the message without its values, a literal; empty: unknown

    [[nodiscard]] Severity severity() const { return info(id).severity; }

    Diagnostic& note(Span where, std::string text) {
        notes.push_back({where, std::move(text)});
        return *this;
    }
};

/// Messages of one cause: errors with the same words, or warnings that differ in their values alone.
struct Gathered {
    Diagnostic first;
    std::vector<Diagnostic> more; // at further places, in their order

    /// Fewer messages than this stay apart.
    static constexpr std::size_t fewest = 4;
};

class Diagnostics {
public:
    /// Messages beyond this many are counted and not kept, so that no input fills the memory with them.
    static constexpr std::size_t max_kept = 10'000;

    /// Adds a message; its severity is its id's. Gives it back for notes; the reference is good as long as this is.
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

    /// All messages in the order of their places: files as they were read, then by offset.
    [[nodiscard]] std::vector<Diagnostic> sorted() const;
    /// These, with those of one cause behind the first of them.
    [[nodiscard]] std::vector<Gathered> gathered() const;

private:
    std::deque<Diagnostic> list_; // a deque: references that `add` gave stay good
    std::set<std::pair<Span, DiagId>> seen_;
    Diagnostic echo_; // takes the notes of a message that is not kept
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

/// How messages are printed for people.
struct TextStyle {
    bool colour = false;
};

/// One message with its source line, caret and notes, ended by a line break. What a terminal could take for a command
/// is shown as `?`.
[[nodiscard]] std::string render(Sources const& sources, Diagnostic const& diagnostic, TextStyle style);
/// The first one of them in full, and the places of a few others with the number of all.
[[nodiscard]] std::string render(Sources const& sources, Gathered const& gathered, TextStyle style);

} // namespace lbc
