"""The drivers of git's own diff, and the aliases: diff.py LBC."""
from repository import DIRECTORS, MORE, SITE, WEB, contains, lacks, main

NEXT = DIRECTORS + "\n" + MORE


def two_commits(repo, first=None, second=None):
    repo.use_examples()
    repo.commit(first or {"site.lb": SITE}, "first")
    repo.commit(second or {"site.lb": NEXT}, "second")


def the_log_shows_the_meaning(repo):
    two_commits(repo)
    said = repo.git("log", "-p", "-1", "--", "site.lb")
    contains(said, "+++ b/site.lb", "@@ == lb1/ip", "+-a -f 401 -r 10.0.0.7:0 -g -w 1")
    lacks(said, "+    real 10.0.0.7", "*mangle", "ip6tables")
    assert said.count("+-a -f 401 -r 10.0.0.7:0") == 2  # on two directors
    contains(repo.git("show", "HEAD:site.lb"), "real 10.0.0.7")
    contains(repo.git("log", "-p", "--reverse", "--", "site.lb"), "new file mode", "+== lb1/iptables.rules")
    repo.git("rm", "-q", "site.lb")
    repo.commit({}, "third")
    contains(repo.git("show", "HEAD"), "deleted file mode", "-== lb2/ipvsadm.rules")


def another_layout_has_no_meaning(repo):
    two_commits(repo, second={"site.lb": "# of another layout\n" + SITE.replace("\n    ", "\n  ")})
    lacks(repo.git("log", "-p", "-1", "--", "site.lb"), "@@")


def what_is_no_whole_site_is_text(repo):
    two_commits(repo, {"site.lb": 'include "*/web.lb"\n' + DIRECTORS, "parts/web.lb": WEB, "bad.lb": "broken {\n"},
                {"site.lb": 'include "parts/web.lb"\n' + DIRECTORS, "parts/web.lb": MORE, "bad.lb": "broken [\n"})
    for said in (repo.git("log", "-p", "-1"), repo.git("diff", "HEAD~1", "HEAD")):
        contains(said, '-include "*/web.lb"', '+include "parts/web.lb"', "+    real 10.0.0.7", "-broken {", "+broken [")
        lacks(said, "== lb1")


def nothing_of_the_work_tree_is_looked_at(repo):
    two_commits(repo, {"site.lb": 'include "web.lb"\n' + DIRECTORS, "web.lb": WEB},
                {"site.lb": 'include "web.lb"\n\n' + DIRECTORS, "web.lb": MORE})
    lacks(repo.git("log", "-p", "-1", "--", "site.lb"), "== lb1")
    repo.put("site.lb", 'include "web.lb"\n# changed\n' + DIRECTORS)
    contains(repo.git("diff"), "diff --lbc a/site.lb b/site.lb", "+# changed")


def git_diff_prints_what_lbc_diff_does(repo):
    two_commits(repo)
    wanted = "diff --lbc a/site.lb b/site.lb\n" + repo.lbc("diff", "HEAD~1:site.lb", "HEAD:site.lb")
    contains(wanted, "10.0.0.7")
    assert repo.git("diff", "HEAD~1", "HEAD") == wanted
    contains(repo.git("log", "-p", "-1", "--ext-diff"), wanted)
    repo.git("checkout", "-q", "HEAD~1", "--", "site.lb")
    assert repo.git("diff", "--cached", "-R") == wanted
    repo.git("reset", "-q")
    assert repo.git("diff", "-R") == wanted
    (repo.root / "inner").mkdir()
    assert repo.git("diff", "-R", cwd="inner") == wanted


def git_diff_of_added_and_deleted_files(repo):
    two_commits(repo, {"old.lb": SITE}, {"new.lb": NEXT})
    repo.git("rm", "-q", "old.lb")
    repo.commit({})
    said = repo.git("diff", "--no-renames", "HEAD~2", "HEAD")
    contains(said, "diff --lbc a/old.lb b/old.lb\n" + repo.lbc("diff", "HEAD~2:old.lb", "/dev/null"),
             "diff --lbc a/new.lb b/new.lb\n" + repo.lbc("diff", "/dev/null", "HEAD:new.lb"))
    repo.commit({"part.lb": MORE})
    contains(repo.git("diff", "HEAD~1", "HEAD"), "+    real 10.0.0.7")


def git_diff_of_odd_names(repo):
    names = ("-x.lb", "a b.lb", "HEAD:site.lb", "$(touch made).lb", "ä'\".lb")
    two_commits(repo, {name: SITE for name in names}, {name: NEXT for name in names})
    said = repo.git("diff", "HEAD~1", "HEAD")
    assert said.count("10.0.0.7") >= len(names)
    for name in names:
        contains(said, f"diff --lbc a/{name} b/{name}")
        repo.put(name, SITE)
    assert repo.git("diff").count("diff --lbc ") == len(names)
    assert not (repo.root / "made").exists()


def git_diff_in_a_conflict(repo):
    two_commits(repo)
    repo.git("checkout", "-q", "-b", "other", "HEAD~1")
    repo.commit({"site.lb": SITE.replace("real lb2", "real 10.0.0.9")})
    repo.git("merge", "main", status=1)
    contains(repo.git("diff", "--no-textconv"), "++<<<<<<< HEAD", " +    real 10.0.0.9", "+     real 10.0.0.7")
    contains(repo.git("diff", "--cached"), "* Unmerged path site.lb")


def without_lbc_the_text_is_shown(repo):
    two_commits(repo)
    for words in (("log", "-p", "-1"), ("diff", "HEAD~1", "HEAD")):
        contains(repo.git(*words, LBC="/nowhere/lbc"), "+    real 10.0.0.7")


def the_aliases_see_the_whole_site(repo):
    repo.use_examples()
    repo.git("config", "lbc.site", "lvs/site.lb")
    site = 'include "parts/*.lb"\n\n' + DIRECTORS
    repo.commit({"lvs/site.lb": site}, "no service")
    repo.commit({"lvs/parts/web.lb": WEB}, "a service")
    repo.commit({"README": ""}, "not lbc's")
    repo.put("lvs/parts/web.lb", MORE)
    contains(repo.git("lbc-diff"), "10.0.0.7")
    contains(repo.git("lbc-diff", "HEAD~1", cwd="lvs"), "10.0.0.7")
    lacks(repo.git("lbc-diff", "HEAD~1", "HEAD"), "10.0.0.7")
    contains(repo.git("lbc-diff", "HEAD~2", "HEAD"), "web")
    said = repo.git("lbc-log", cwd="lvs")
    contains(said, "    a service\n", "    no service\n")
    lacks(said, "not lbc's")
    for words in (("-1", "HEAD"), ("-1",)):
        said = repo.git("lbc-log", *words)
        contains(said, "    a service\n")
        lacks(said, "no service")


main([the_log_shows_the_meaning, another_layout_has_no_meaning, what_is_no_whole_site_is_text,
      nothing_of_the_work_tree_is_looked_at, git_diff_prints_what_lbc_diff_does, git_diff_of_added_and_deleted_files,
      git_diff_of_odd_names, git_diff_in_a_conflict, without_lbc_the_text_is_shown, the_aliases_see_the_whole_site])
