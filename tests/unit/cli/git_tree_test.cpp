#include "cli/input/git_tree.hpp"

#include "cli/input/git_files.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

/// A listing as git prints it, and the blobs by their ids, which here are what they hold.
GitTree tree(std::vector<std::string> const& lines, std::string const& revision = "HEAD") {
    std::string listing;
    for (auto const& line : lines)
        listing += line + '\0';
    return {revision, listing, [](std::string const& id, std::size_t) { return id; }};
}

GitTree site() {
    return tree({"100644 blob A\tsite/a.lb", "100644 blob B\tsite/b.lb", "100755 blob C\tsite/inner/c.lb",
                 "100644 blob H\tsite/.hidden.lb", "100644 blob X\tsite/[x].lb", "120000 blob a.lb\tsite/link.lb",
                 "120000 blob site\tfolder", "120000 blob /etc/passwd\tsite/out", "120000 blob ../../x\tsite/up",
                 "120000 blob loop\tloop", "160000 commit 12\tmodule", "100644 blob R\troot.lb"});
}

std::string text_of(GitTree& files, std::string const& path) {
    auto const text = files.read(path, 100);
    return text ? *text : "error: " + text.error().words;
}

using Paths = std::vector<std::string>;

} // namespace

TEST_CASE("files of a revision are read by their path from the root") {
    auto files = site();
    CHECK(text_of(files, "HEAD:root.lb") == "R");
    CHECK(text_of(files, "HEAD:site/inner/../a.lb") == "A");
    CHECK(text_of(files, "HEAD:site//./a.lb") == "A");
    CHECK(text_of(files, "HEAD:site/none.lb") == "error: No such file or directory");
    CHECK(text_of(files, "HEAD:none/../root.lb") == "error: No such file or directory");
    CHECK(text_of(files, "HEAD:root.lb/x") == "error: Not a directory");
    CHECK(text_of(files, "HEAD:site") == "error: Is a directory");
    CHECK(text_of(files, "HEAD:") == "error: Is a directory");
    CHECK(text_of(files, "HEAD:module") == "error: it is a submodule");
    CHECK(text_of(files, "HEAD:site/../../root.lb") == "error: it leads out of the repository");
    CHECK(text_of(files, "/etc/hosts").starts_with("error: it is no path inside of the repository"));
}

TEST_CASE("links of a revision are followed inside of it") {
    auto files = site();
    CHECK(text_of(files, "HEAD:site/link.lb") == "A");
    CHECK(text_of(files, "HEAD:folder/inner/c.lb") == "C");
    CHECK(text_of(files, "HEAD:folder/../root.lb") == "R");
    CHECK(text_of(files, "HEAD:site/out") == "error: `site/out` is a symbolic link out of the repository");
    CHECK(text_of(files, "HEAD:site/up") == "error: it leads out of the repository");
    CHECK(text_of(files, "HEAD:loop") == "error: Too many levels of symbolic links");
    CHECK(files.identity("HEAD:folder/link.lb") == files.identity("HEAD:site/a.lb"));
    CHECK(files.identity("HEAD:site/none") != files.identity("HEAD:site/a.lb"));
}

TEST_CASE("patterns are matched against a revision") {
    auto files = site();
    CHECK(files.glob("HEAD:", "*.lb") == Paths{"HEAD:root.lb"});
    CHECK(files.glob("HEAD:", "site/?.lb") == Paths{"HEAD:site/a.lb", "HEAD:site/b.lb"});
    CHECK(files.glob("HEAD:", "site/[b-c].lb") == Paths{"HEAD:site/b.lb"});
    CHECK(files.glob("HEAD:", "site/.h*") == Paths{"HEAD:site/.hidden.lb"});
    CHECK(files.glob("HEAD:", "site/\\[x\\].l*") == Paths{"HEAD:site/[x].lb"});
    CHECK(files.glob("HEAD:", "*/i*/c.lb").error() == "Too many levels of symbolic links");
    CHECK(files.glob("HEAD:", "[fs]*/i*/c.lb") == Paths{"HEAD:folder/inner/c.lb", "HEAD:site/inner/c.lb"});
    CHECK(files.glob("HEAD:", "site/o*") == Paths{"HEAD:site/out"});
    CHECK(files.glob("HEAD:", "site/../r*") == Paths{"HEAD:site/../root.lb"});
    CHECK(files.glob("HEAD:", "none/*") == Paths{});
    CHECK(files.glob("HEAD:", "root.lb/*") == Paths{});
    CHECK(files.glob("HEAD:", "../*").error() == "it leads out of the repository");
    CHECK_FALSE(files.glob("", "/etc/*").has_value());
}

TEST_CASE("a pattern among links in circles ends") {
    auto files = tree({"120000 blob .\ta", "120000 blob .\tb", "100644 blob R\troot.lb"});
    std::string pattern;
    for (int i = 0; i < 30; ++i)
        pattern += "*/";
    auto const found = files.glob("HEAD:", pattern + "none*");
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().kind == FileProblem::Kind::too_many);
    // The bound is of all patterns together.
    CHECK(files.glob("HEAD:", "*").error().kind == FileProblem::Kind::too_many);
}

TEST_CASE("the index is a revision without a name, and what is unmerged has no text") {
    auto files = tree({std::string("100644 A 0\tsite.lb"), "100644 B 1\tboth.lb", "100644 C 2\tboth.lb"}, "");
    CHECK(text_of(files, ":site.lb") == "A");
    CHECK(text_of(files, ":both.lb") == "error: it is unmerged in the index");
}

TEST_CASE("includes are of the revision that includes, whatever its name") {
    for (std::string const revision : {"HEAD", "origin/main", "HEAD^{/[fix]*: a?}", ""}) {
        auto const id = [](char const* text) { return std::string("100644 blob ") + text; };
        auto files = tree({id("include \"more/*.lb\"\tsite.lb"), id("include \"../last.lb\"\tmore/web.lb"),
                           id("service web {}\tlast.lb")},
                          revision);
        Sources sources;
        Diagnostics diagnostics;
        auto const site = compile(revision + ":site.lb", files, sources, diagnostics);
        CHECK(site.directors.empty());
        REQUIRE_FALSE(diagnostics.sorted().empty());
        for (auto const& diagnostic : diagnostics.sorted())
            CHECK(sources[diagnostic.span.file].name() == revision + ":more/../last.lb");
    }
}

TEST_CASE("REV:PATH is told from a path") {
    for (auto const* path : {"site.lb", "-", "./HEAD:site.lb", "../a:b", "/a:b", "HEAD^{/a:b}"})
        CHECK_FALSE(parse_revision_path(path).has_value());
    auto const parsed = [](std::string_view text) {
        auto const both = parse_revision_path(text);
        return both ? both->revision + " and " + both->path : "none";
    };
    CHECK(parsed("HEAD~1:site/site.lb") == "HEAD~1 and site/site.lb");
    CHECK(parsed("HEAD^{/fix: a}:a:b") == "HEAD^{/fix: a} and a:b");
    CHECK(parsed(":./site.lb") == " and ./site.lb");
}

TEST_CASE("a name of a revision is no option of git") {
    CHECK(open_revision({.revision = "--all", .path = "site.lb"}).error() == "`--all` is not a revision");
    CHECK(open_revision({.revision = "HEAD", .path = "/site.lb"}).error().find("without a `/`") != std::string::npos);
}
