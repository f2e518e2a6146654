#include "backends/iptables/libiptc_kernel.hpp"

#include "backends/iptables/libiptc_table.hpp"
#include "backends/iptables/xt_lock.hpp"

namespace lbc {
namespace {

class LibiptcKernel final : public Kernel {
public:
    std::expected<std::unique_ptr<XtablesLock>, SystemError> lock(std::chrono::milliseconds wait) override {
        return take_xtables_lock(wait);
    }

    std::expected<std::unique_ptr<MangleTable>, SystemError> open_mangle(Family family) override {
        return open_libiptc_mangle(family);
    }
};

} // namespace

std::unique_ptr<Kernel> make_libiptc_kernel() { return std::make_unique<LibiptcKernel>(); }

} // namespace lbc
