// Filters everything that lbc prints, so that no output drives the terminal that shows it. Names from a kernel, from
// files and from other programs' arguments are not trusted. Each invisible character (grammar/utf8.hpp) is printed as
// `?`, except in lbc's own colours. All output passes here, so that no other code has to escape it. Texts of a site
// have no such characters, and JSON escapes them, so both pass unchanged.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>

namespace lbc {

class CleanBuffer final : public std::streambuf {
public:
    /// `colour`: whether what is printed has colours.
    CleanBuffer(std::ostream& to, bool colour) : to_(to), colour_(colour) {}
    ~CleanBuffer() override;

    CleanBuffer(CleanBuffer const&) = delete;
    CleanBuffer& operator=(CleanBuffer const&) = delete;

protected:
    int_type overflow(int_type byte) override;
    std::streamsize xsputn(char const* text, std::streamsize count) override;
    int sync() override;

private:
    void pass(std::size_t size);

    std::ostream& to_;
    bool colour_;
    std::string waiting_; // a character or a colour may not be whole yet
};

} // namespace lbc
