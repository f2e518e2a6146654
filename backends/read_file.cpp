#include "backends/read_file.hpp"

#include "backends/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace lbc {

std::expected<std::string, int> read_file(std::string const& path, std::size_t largest, int flags) {
    Descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
    if (!file)
        return std::unexpected(errno);
    std::string text;
    std::array<char, 65536> part{};
    while (text.size() <= largest) {
        auto const count = ::read(file.get(), part.data(), part.size());
        if (count < 0 && errno != EINTR)
            return std::unexpected(errno);
        if (count == 0)
            return text;
        text.append(part.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return std::unexpected(EFBIG);
}

} // namespace lbc
