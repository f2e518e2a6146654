#include "backends/keepalived/statement.hpp"

#include "compiler/base/comment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <list>
#include <map>
#include <set>
#include <utility>

namespace lbc::keepalived {
namespace {

/// keepalived takes the bytes behind the 1,023rd of a line as a new line (read_line in parser.c). `check_keepalived`
/// and the language's bounds keep every line shorter.
constexpr std::size_t longest_line = 1000;

/// One host's statements on one level of the file, by its index.
struct Level {
    std::size_t host = 0;
    std::vector<Statement> const* statements = nullptr;
};

/// The identity of a statement on its level: its text, and how many before it have the same text.
using Key = std::pair<std::string_view, std::size_t>;

/// A statement with the hosts that have it.
struct Shared {
    Key key;
    std::vector<std::pair<std::size_t, Statement const*>> owners;
};

std::vector<Key> keys_of(std::vector<Statement> const& statements) {
    std::vector<Key> keys;
    std::map<std::string_view, std::size_t> seen;
    for (auto const& statement : statements)
        keys.emplace_back(statement.text, seen[statement.text]++);
    return keys;
}

/// Merges the hosts' statements. Each host's own order stays, as far as the hosts agree on one. Statements of one host
/// alone come behind those of the hosts before it.
std::list<Shared> merge(std::span<Level const> levels) {
    std::list<Shared> merged;
    std::map<Key, std::list<Shared>::iterator> known;
    for (auto const& level : levels) {
        auto const keys = keys_of(*level.statements);
        std::set<Key> const own(keys.begin(), keys.end());
        auto at = merged.begin();
        for (std::size_t i = 0; i < keys.size(); ++i) {
            auto const [found, fresh] = known.try_emplace(keys[i]);
            if (fresh) {
                at = std::find_if(at, merged.end(), [&](Shared const& other) { return own.contains(other.key); });
                found->second = merged.insert(at, Shared{keys[i], {}});
            }
            found->second->owners.emplace_back(level.host, &(*level.statements)[i]);
            at = std::next(found->second);
        }
    }
    return merged;
}

class Writer {
public:
    explicit Writer(std::span<Configuration const> hosts) : hosts_(hosts) {}

    std::string write() {
        std::vector<Level> levels;
        for (std::size_t i = 0; i < hosts_.size(); ++i)
            levels.push_back({i, &hosts_[i].statements});
        write_common(levels, 0);
        return std::move(out_);
    }

private:
    void line(std::string_view condition, std::size_t depth, std::string_view text) {
        assert(4 * depth + condition.size() + text.size() <= longest_line);
        out_ += fmt::format("{:{}}{}{}\n", "", 4 * depth, condition, text);
    }

    /// Writes a statement that every host has once, and any other once per host that has it.
    void write_common(std::span<Level const> levels, std::size_t depth) {
        for (auto const& shared : merge(levels)) {
            if (shared.owners.size() < levels.size()) {
                for (auto const& [host, statement] : shared.owners)
                    write(*statement, fmt::format("@{} ", hosts_[host].id), depth);
                continue;
            }
            auto const& first = *shared.owners.front().second;
            if (!first.is_block) {
                line({}, depth, first.text);
                continue;
            }
            open(first, {}, depth);
            std::vector<Level> inner;
            for (auto const& [host, statement] : shared.owners)
                inner.push_back({host, &statement->block});
            write_common(inner, depth + 1);
            line({}, depth, "}");
        }
    }

    void write(Statement const& statement, std::string_view condition, std::size_t depth) {
        if (!statement.is_block) {
            line(condition, depth, statement.text);
            return;
        }
        open(statement, condition, depth);
        for (auto const& inner : statement.block)
            write(inner, condition, depth + 1);
        line(condition, depth, "}");
    }

    void open(Statement const& statement, std::string_view condition, std::size_t depth) {
        if (depth == 0)
            out_ += '\n';
        if (!statement.comment.empty())
            line({}, depth, fmt::format("# {}", comment_text(statement.comment)));
        line(condition, depth, fmt::format("{} {{", statement.text));
    }

    std::span<Configuration const> hosts_;
    std::string out_;
};

} // namespace

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string text_of(std::span<Configuration const> hosts) { return Writer(hosts).write(); }

} // namespace lbc::keepalived
