#include "cli/run.hpp"

#include <sys/utsname.h>

#include <filesystem>
#include <fstream>

namespace lbc {
namespace {

class ThisHost final : public Host {
public:
    [[nodiscard]] std::string name() const override {
        utsname names{};
        return ::uname(&names) == 0 ? std::string(&names.nodename[0]) : std::string{};
    }

    [[nodiscard]] std::vector<MacAddress> macs() const override {
        std::vector<MacAddress> macs;
        std::error_code error;
        for (auto const& interface : std::filesystem::directory_iterator("/sys/class/net", error)) {
            std::ifstream file(interface.path() / "address");
            std::string text;
            std::getline(file, text);
            if (auto const mac = MacAddress::parse(text); mac && !mac->is_zero())
                macs.push_back(*mac);
        }
        return macs;
    }
};

} // namespace

std::unique_ptr<Host> this_host() { return std::make_unique<ThisHost>(); }

} // namespace lbc
