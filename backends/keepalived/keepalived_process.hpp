// Implements KeepalivedDaemon with the keepalived that is installed and runs on this box.
#pragma once

#include "backends/keepalived/keepalived_daemon.hpp"

#include <memory>
#include <string>

namespace lbc {

[[nodiscard]] std::unique_ptr<KeepalivedDaemon> open_keepalived_process(std::string path);

} // namespace lbc
