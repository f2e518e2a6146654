// The readers of all kinds of blocks: each turns the statements of a block into a part of the site and reports
// mistakes. Private to the compiler.
#pragma once

#include "compiler/site/site.hpp"
#include "compiler/site/statements.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// The site around a block, as its readers need it.
struct Names {
    Site& site; // its directors are complete
    struct Pool {
        ast::Node node;
        Span name;
        bool used = false;
    };
    std::map<std::string, Pool, std::less<>> pools;
    std::size_t reals = 0;              // real servers of all services so far
    std::size_t checks = 0;             // checks of these services and real servers
    std::optional<ast::Nodes> defaults; // the block's statements

    /// The most checks of a site. The checks of a pool are copied for each service, and those of a real server for each
    /// address.
    static constexpr std::size_t most_checks = 500'000;
    /// Counts checks before they are created. Returns false if there are too many, with one message in all.
    [[nodiscard]] bool add_checks(Arguments& in, std::size_t count);
};

/// The name of a block: `director NAME`. Without a valid name, returns none after a message.
[[nodiscard]] std::optional<Located<std::string>> read_block_name(ast::Node const& node, Reading reading);

[[nodiscard]] std::optional<Director> read_director(ast::Node const& node, Reading reading);
[[nodiscard]] std::optional<Service> read_service(ast::Node const& node, Names& names, Reading reading);
/// Reports the mistakes of a pool that no service uses.
void read_unused_pool(ast::Node const& node, Names& names, Reading reading);
/// Reports the mistakes in `defaults`, including statements that every service replaces.
void read_defaults(ast::Node const& node, Names& names, Reading reading);
[[nodiscard]] std::optional<Vrrp> read_vrrp(ast::Node const& node, Site const& site, Reading reading);
[[nodiscard]] std::optional<Sync> read_sync(ast::Node const& node, Site const& site, Reading reading);

/// The words behind `check`, with the block if there is one.
[[nodiscard]] std::optional<Check> read_check(Arguments& in, Reading reading);

/// A command and its span.
[[nodiscard]] CommandText read_command(Arguments& in);

/// The words behind `forward`.
[[nodiscard]] std::optional<Forwarding> read_forwarding(Arguments& in);

/// The director that a word names. An unknown name is reported as `what`, such as "no director of this site", unless it
/// may be defined in a part of the file that could not be read.
[[nodiscard]] std::optional<DirectorId> find_director(Arguments& in, std::string_view name, Span where,
                                                      Site const& site, std::string_view what);
[[nodiscard]] std::optional<DirectorId> read_director_name(Arguments& in, Site const& site);

/// Finds a service's real servers by address and port.
class RealIndex {
public:
    /// Null if the service has none there. All calls must be for the same service.
    [[nodiscard]] RealServer const* find(Service const& service, IpAddress const& address, Port port);

private:
    std::map<std::pair<IpAddress, Port>, std::size_t> places_; // indices in `Service::reals` of its first ones
};

/// The surroundings of a real server statement, and what it inherits.
struct RealContext {
    Service& service; // its VIPs, ports and forwarding are complete
    RealIndex& index; // of the service
    Names& names;
    Reading reading;

    [[nodiscard]] Site const& site() const { return names.site; }
};

/// Reads the words behind `real` and adds the real servers to the service, one for each address.
void read_real(Arguments& in, RealContext& context);
/// Reads the words behind `sorry`.
void read_sorry(Arguments& in, RealContext& context);

/// Reads a switch: `local off` gives false, `local` alone gives true.
[[nodiscard]] bool read_switch(Arguments& in);

} // namespace lbc
