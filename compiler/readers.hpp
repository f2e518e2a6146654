// The readers of each kind of block. Private to the compiler.
#pragma once

#include "compiler/site.hpp"
#include "compiler/statements.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// What readers need to know of the rest of the site.
struct Names {
    Site& site; // its directors are complete
    struct Pool {
        ast::Node node;
        Span name;
        bool used = false;
    };
    std::map<std::string, Pool, std::less<>> pools;
    std::size_t reals = 0;              // of all services so far
    std::size_t checks = 0;             // of these services and real servers
    std::optional<ast::Nodes> defaults; // the block's statements

    /// A pool's are made anew for each service, and a real server's for each address.
    static constexpr std::size_t most_checks = 500'000;
    /// Counts checks before they are made; false, and one message, where they are too many.
    [[nodiscard]] bool add_checks(Arguments& in, std::size_t count);
};

/// The name of a block: `director NAME`. None, and a message, where there is none that can be one.
[[nodiscard]] std::optional<Located<std::string>> read_block_name(ast::Node const& node, Reading reading);

[[nodiscard]] std::optional<Director> read_director(ast::Node const& node, Reading reading);
[[nodiscard]] std::optional<Service> read_service(ast::Node const& node, Names& names, Reading reading);
/// Reports the mistakes of a pool that no service uses.
void read_unused_pool(ast::Node const& node, Names& names, Reading reading);
/// Reports the mistakes in `defaults`, also in what every service replaces.
void read_defaults(ast::Node const& node, Names& names, Reading reading);
[[nodiscard]] std::optional<Vrrp> read_vrrp(ast::Node const& node, Site const& site, Reading reading);
[[nodiscard]] std::optional<Sync> read_sync(ast::Node const& node, Site const& site, Reading reading);

/// The words behind `check`, with the block if there is one.
[[nodiscard]] std::optional<Check> read_check(Arguments& in, Reading reading);

/// The text of a command, with its place.
[[nodiscard]] CommandText read_command(Arguments& in);

/// The words behind `forward`.
[[nodiscard]] std::optional<Forwarding> read_forwarding(Arguments& in);

/// The director that a word names. An unknown one is reported as `what`, "no director of this site", unless the name
/// may stand in a part of the file that could not be read.
[[nodiscard]] std::optional<DirectorId> find_director(Arguments& in, std::string_view name, Span where,
                                                      Site const& site, std::string_view what);
[[nodiscard]] std::optional<DirectorId> read_director_name(Arguments& in, Site const& site);

/// Finds a service's real servers by address and port.
class RealIndex {
public:
    /// Null: the service has none there. Of one service always.
    [[nodiscard]] RealServer const* find(Service const& service, IpAddress const& address, Port port);

private:
    std::map<std::pair<IpAddress, Port>, std::size_t> places_; // in `Service::reals`, of its first ones
};

/// Where a real server statement comes from and what it inherits.
struct RealContext {
    Service& service; // its VIPs, ports and forwarding are complete
    RealIndex& index; // of the service
    Names& names;
    Reading reading;

    [[nodiscard]] Site const& site() const { return names.site; }
};

/// The words behind `real`: adds the real servers to the service, one for each address.
void read_real(Arguments& in, RealContext& context);
/// The words behind `sorry`.
void read_sorry(Arguments& in, RealContext& context);

/// Off, or on: `local` and `local off`. Gives false for `off`.
[[nodiscard]] bool read_switch(Arguments& in);

} // namespace lbc
