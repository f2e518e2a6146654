#include "backends/os/write_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

using namespace lbc;
namespace fs = std::filesystem;

namespace {

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "lbc-output-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Folder(Folder const&) = delete;
    Folder& operator=(Folder const&) = delete;
    ~Folder() {
        std::error_code error;
        fs::remove_all(path_, error);
    }
    [[nodiscard]] std::string operator/(std::string const& name) const { return (path_ / name).string(); }

private:
    fs::path path_;
};

std::string content(std::string const& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("a file is replaced whole, with its mode, and nothing is left beside it") {
    Folder const folder;
    REQUIRE(write_file(folder / "a", "one"));
    ::chmod((folder / "a").c_str(), 0640);
    REQUIRE(write_file(folder / "a", "two"));
    CHECK(content(folder / "a") == "two");
    CHECK((fs::status(folder / "a").permissions() & fs::perms::mask) == fs::perms{0640});
    CHECK(std::distance(fs::directory_iterator(folder / ""), {}) == 1);
}

TEST_CASE("a link stays a link, a device stays a device, and a pipe is written to") {
    Folder const folder;
    REQUIRE(write_file(folder / "target", "one"));
    fs::create_symlink("target", folder / "link");
    REQUIRE(write_file(folder / "link", "two"));
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(content(folder / "target") == "two");
    REQUIRE(write_file("/dev/null", "three"));
    CHECK(fs::is_character_file("/dev/null"));
    auto const full = write_file("/dev/full", "four");
    REQUIRE_FALSE(full);
    CHECK(full.error().message == "cannot write `/dev/full`: No space left on device");
}

TEST_CASE("what cannot be written says why") {
    Folder const folder;
    auto const missing = write_file(folder / "no/such/folder/a", "one");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message.ends_with("No such file or directory"));
    CHECK_FALSE(write_file(folder / "", "one"));
}
