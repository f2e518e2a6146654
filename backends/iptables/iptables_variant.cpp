#include "backends/iptables/iptables_variant.hpp"

#include "backends/os/find_program.hpp"

#include <filesystem>
#include <system_error>

namespace lbc {

bool is_iptables_nft() {
    auto const found = find_program("iptables");
    std::error_code error;
    auto const program = found ? std::filesystem::canonical(*found, error) : std::filesystem::path();
    return !error && program.filename().string().starts_with("xtables-nft");
}

} // namespace lbc
