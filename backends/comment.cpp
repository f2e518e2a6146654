#include "backends/comment.hpp"

#include <algorithm>

namespace lbc {

std::string comment_text(std::string_view text) {
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return out;
}

} // namespace lbc
