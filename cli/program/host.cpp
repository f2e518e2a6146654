#include "cli/program/environment.hpp"

#include <sys/utsname.h>

namespace lbc {
namespace {

class ThisHost final : public Host {
public:
    [[nodiscard]] std::string name() const override {
        utsname names{};
        return ::uname(&names) == 0 ? std::string(&names.nodename[0]) : std::string{};
    }

    [[nodiscard]] std::expected<std::vector<Interface>, SystemError> interfaces() const override {
        return read_interfaces();
    }
};

} // namespace

std::unique_ptr<Host> this_host() { return std::make_unique<ThisHost>(); }

} // namespace lbc
