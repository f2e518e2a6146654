#include "cli/output/output_tree.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace lbc;
namespace fs = std::filesystem;

namespace {

bool is_any(std::string_view path) { return path != "notes.txt"; }

/// A folder that goes with it.
struct Folder {
    fs::path path;

    Folder() {
        std::string name = (fs::temp_directory_path() / "lbc-tree.XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    Folder(Folder const&) = delete;
    Folder& operator=(Folder const&) = delete;
    ~Folder() { fs::remove_all(path); }

    void put(std::string const& name, std::string const& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name) << text;
    }
    [[nodiscard]] std::string text(std::string const& name) const {
        std::ostringstream text;
        text << std::ifstream(path / name).rdbuf();
        return text.str();
    }
    [[nodiscard]] bool has(std::string const& name) const { return fs::exists(path / name); }

    /// As the command prints it; an error as it is.
    [[nodiscard]] std::string check(Files files) const {
        auto const tree = OutputTree::compare(std::move(files), path.string(), {.is_listed = is_any, .for_owner = {}});
        if (!tree)
            return tree.error();
        std::string lines;
        for (auto const& [name, difference] : tree->findings())
            lines += name + ": " + std::string(to_string(difference)) + "\n";
        return lines;
    }
    void write(Files files) const {
        auto tree = OutputTree::compare(std::move(files), path.string(), {.is_listed = is_any, .for_owner = {}});
        REQUIRE(tree.has_value());
        REQUIRE(tree->write().has_value());
    }
};

std::string const header(manifest_header);

} // namespace

TEST_CASE("a tree is written, found as it should be, and brought to the next one") {
    Folder const folder;
    Files const first{{"rules.sh", "1"}, {"lb1/iptables.rules", "2"}, {"lb2/deep/x", "3"}};
    CHECK(folder.check(first) == "MANIFEST: missing\nlb1/iptables.rules: missing\nlb2/deep/x: missing\n"
                                 "rules.sh: missing\n");
    CHECK(fs::is_empty(folder.path));
    folder.write(first);
    CHECK(folder.check(first).empty());
    CHECK(folder.text("MANIFEST") == header + "lb1/iptables.rules\nlb2/deep/x\nrules.sh\n");

    folder.put("lb1/README", "a stranger's");
    Files const second{{"rules.sh", "1!"}, {"lb3/new", "4"}};
    CHECK(folder.check(second) == "MANIFEST: differs\nlb1/iptables.rules: left over\nlb2/deep/x: left over\n"
                                  "lb3/new: missing\nrules.sh: differs\n");
    folder.write(second);
    CHECK(folder.check(second).empty());
    CHECK(folder.text("lb1/README") == "a stranger's");
    CHECK_FALSE(folder.has("lb1/iptables.rules"));
    CHECK_FALSE(folder.has("lb2"));
}

TEST_CASE("a file of a tree that is equal is not written") {
    Folder const folder;
    Files const files{{"a", "1"}, {"b", "2"}};
    folder.write(files);
    auto const long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
    for (auto const* name : {"a", "b", "MANIFEST"})
        fs::last_write_time(folder.path / name, long_ago);
    folder.put("b", "changed");
    folder.write(files);
    CHECK(fs::last_write_time(folder.path / "a") == long_ago);
    CHECK(fs::last_write_time(folder.path / "MANIFEST") == long_ago);
    CHECK(folder.text("b") == "2");
}

TEST_CASE("what a list lost is the list's difference alone") {
    Folder const folder;
    Files const files{{"a", "1"}, {"b", "2"}};
    folder.write(files);
    folder.put("MANIFEST", header + "<<<<<<< HEAD\nb\ngone\n");
    CHECK(folder.check(files) == "MANIFEST: differs\n");
    folder.write(files);
    CHECK(folder.text("MANIFEST") == header + "a\nb\n");
}

TEST_CASE("a list from a stranger names nothing out of its folder") {
    for (auto const* line : {"../x", "/etc/passwd", "a/../../x", "a//b", "a/", ".", "./a", ".git/config", "a\tb", ""}) {
        CAPTURE(line);
        auto const paths = parse_manifest(header + line + "\nfine\n");
        REQUIRE_FALSE(paths.has_value());
        CHECK(paths.error() == "has no path below its folder in line 2");
    }
    CHECK_FALSE(parse_manifest(header + std::string(2000, 'a')).has_value());
    CHECK_FALSE(parse_manifest("include *.py\n").has_value());
    CHECK(parse_manifest(header)->empty());
    CHECK(parse_manifest(header + "b\na")->size() == 2);
}

TEST_CASE("a list from a stranger removes nothing that lbc does not make") {
    Folder const folder;
    folder.put("notes.txt", "mine");
    folder.put("old", "lbc's");
    folder.put("MANIFEST", header + "notes.txt\nold\n");
    CHECK(
        folder.check({{"rules.sh", "1"}})
            .ends_with("MANIFEST` lists `notes.txt`, and lbc makes no file of that name; take the line out, or remove "
                       "the file yourself"));
    fs::remove(folder.path / "notes.txt");
    auto tree = OutputTree::compare({{"rules.sh", "1"}}, folder.path.string(), {.is_listed = is_any, .for_owner = {}});
    REQUIRE(tree.has_value());
    CHECK(tree->write().has_value());
    CHECK(tree->removed() == std::vector<std::string>{"old"});
}

TEST_CASE("a file that holds a secret is its owner's") {
    Folder const folder;
    auto tree = OutputTree::compare({{"a", "1"}, {"b/c", "2"}}, folder.path.string(), {.for_owner = {"b/c"}});
    REQUIRE(tree.has_value());
    CHECK(tree->write().has_value());
    CHECK((fs::status(folder.path / "b/c").permissions() & fs::perms::mask) == fs::perms{0600});
}

TEST_CASE("a tree is neither written nor cleaned through a symbolic link") {
    Folder const elsewhere;
    elsewhere.put("x", "a stranger's");
    Folder const folder;
    fs::create_directory_symlink(elsewhere.path, folder.path / "lb1");
    CHECK(folder.check({{"lb1/x", "new"}}).find("lb1` is a symbolic link") != std::string::npos);
    folder.put("MANIFEST", header + "lb1/x\n");
    CHECK(folder.check({{"rules.sh", "1"}}).find("lb1` is a symbolic link") != std::string::npos);
    fs::remove(folder.path / "lb1");
    fs::create_symlink(elsewhere.path / "x", folder.path / "rules.sh");
    CHECK(folder.check({{"rules.sh", "1"}}).find("rules.sh` is a symbolic link") != std::string::npos);
    fs::remove(folder.path / "MANIFEST");
    fs::create_symlink(elsewhere.path / "x", folder.path / "MANIFEST");
    CHECK(folder.check({{"a", "1"}}).find("MANIFEST` is a symbolic link") != std::string::npos);
    CHECK(elsewhere.text("x") == "a stranger's");
}

TEST_CASE("a name that is a file and a folder is refused") {
    Folder const folder;
    CHECK(folder.check({{"rules.sh", "1"}, {"rules.sh/iptables.rules", "2"}}) ==
          "`rules.sh` would be a file and a director's folder");
    CHECK(folder.check({{"MANIFEST/x", "2"}}) == "`MANIFEST` would be a file and a director's folder");
    fs::create_directory(folder.path / "rules.sh");
    CHECK(folder.check({{"rules.sh", "1"}}).ends_with("rules.sh` is no regular file"));
    folder.put("file", "");
    CHECK(folder.check({{"file/x", "1"}}).ends_with("file` is no folder"));
}

TEST_CASE("a folder without a list has nothing that is left over") {
    Folder const folder;
    folder.put("etc/other", "");
    auto tree = OutputTree::compare({{"etc/mine", "1"}}, folder.path.string(), {});
    REQUIRE(tree.has_value());
    CHECK(tree->write().has_value());
    CHECK(folder.text("etc/mine") == "1");
    CHECK_FALSE(folder.has("MANIFEST"));
}
