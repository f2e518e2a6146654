// What lbc prints, on its way out: nothing of it drives the terminal that shows it. Names that come from a kernel, from
// files, from other programs' arguments are a stranger's; whatever is not seen (grammar/utf8.hpp) leaves as `?`, but
// for lbc's own colours. One place for all that is printed, so that no printing has to remember it. Texts of a site
// have no such characters, and JSON escapes them, so both pass as they are.
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
