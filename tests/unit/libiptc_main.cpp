// Runs the tests of the real mangle tables in a network namespace of their own. Needs root and iptables-legacy; says so
// and ends with status 77 where they are not to be had.
#include "backends/os/descriptor.hpp"
#include "tests/support/mangle_tools.hpp"

#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

int main(int argc, char** argv) {
    auto const skip = [](char const* why) {
        std::fprintf(stderr, "skipped: %s\n", why);
        return 77;
    };
    if (::unshare(CLONE_NEWNET) != 0)
        return skip("a network namespace of its own is not permitted");
    for (lbc::Family const family : lbc::families)
        if (lbc::test::run({lbc::test::tool(family, "-save"), "-t", "mangle"}).status != 0)
            return skip("iptables-legacy cannot read the mangle tables");
    // Of its own, so that nothing else on this machine waits for a test.
    char lock_path[] = "/tmp/lbc-test-lock-XXXXXX";
    lbc::Descriptor const lock_file(::mkstemp(lock_path));
    ::setenv("XTABLES_LOCKFILE", lock_path, 1);
    int const result = doctest::Context(argc, argv).run();
    ::unlink(lock_path);
    return result;
}
