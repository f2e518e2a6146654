#include "compiler/base/shell_quote.hpp"

namespace lbc {

std::string shell_quote(std::string_view text) {
    std::string out = "'";
    for (char const c : text) {
        if (c == '\'')
            out += "'\\'";
        out += c;
    }
    return out + '\'';
}

} // namespace lbc
