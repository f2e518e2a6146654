"""The pre-commit hook: hook.py LBC."""
import shutil

from repository import DIRECTORS, SITE, contains, lacks, main, service

MAIL = service("mail", "192.0.2.11", "10.0.0.8")


def install(repo, tree=None):
    repo.use_examples()
    hook = repo.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.symlink_to(repo.installed / "pre-commit")
    if tree:
        repo.git("config", "lbc.tree", tree)


def try_commit(repo, status, **more):
    return repo.git("commit", "-m", "change", status=status, **more)


def stage(repo, files):
    for name, text in files.items():
        repo.put(name, text)
    repo.git("add", "-A")


def a_good_commit_passes(repo):
    install(repo)
    repo.commit({"site.lb": SITE})
    stage(repo, {"site.lb": 'include "parts/*.lb"\n\n' + SITE, "parts/mail.lb": MAIL})
    try_commit(repo, 0)
    stage(repo, {"README": "not lbc's"})
    try_commit(repo, 0)


def a_mistake_is_refused(repo):
    install(repo)
    stage(repo, {"site.lb": SITE.replace("tcp 80", "tcp 70000")})
    contains(try_commit(repo, 1), ":site.lb:15:14: error: port 70000 is out of range")
    # One that no file has by itself.
    stage(repo, {"site.lb": 'include "parts/*.lb"\n\n' + SITE, "parts/web.lb": MAIL.replace("mail", "web")})
    contains(try_commit(repo, 1), ":site.lb:15:9: error: a service has the name `web` already",
             ":parts/web.lb:1:9: note: ")


def another_layout_is_refused(repo):
    install(repo)
    stage(repo, {"site.lb": SITE, "pa rts/má il.lb": MAIL.replace("    port", "  port")})
    said = try_commit(repo, 1)
    contains(said, "il.lb\": not in the layout of lbc fmt")
    lacks(said, "site.lb: not in the layout")
    stage(repo, {"pa rts/má il.lb": MAIL})
    try_commit(repo, 0)


def a_stale_tree_is_refused(repo):
    install(repo, tree="compiled/")
    repo.put("site.lb", SITE)
    repo.lbc("compile", "site.lb", "--emit", "all", "-o", "compiled")
    repo.git("add", "-A")
    try_commit(repo, 0)
    stage(repo, {"site.lb": SITE + "\n" + MAIL})
    contains(try_commit(repo, 1), "compiled is not what site.lb means:\n", "    rules.sh: differs\n",
             "to mend it: lbc compile :site.lb --emit all -o compiled && git add -A compiled")
    repo.lbc("compile", ":site.lb", "--emit", "all", "-o", "compiled")
    contains(try_commit(repo, 1), "rules.sh: differs")  # nothing of it is staged
    repo.git("add", "-A", "compiled")
    try_commit(repo, 0)


def the_index_counts_not_the_work_tree(repo):
    install(repo, tree="compiled")
    repo.put("site.lb", SITE)
    repo.lbc("compile", "site.lb", "--emit", "all", "-o", "compiled")
    repo.git("add", "-A")
    repo.put("site.lb", "broken")
    shutil.rmtree(repo.root / "compiled")
    try_commit(repo, 0)
    # And the other way round.
    repo.git("checkout", "-q", ".")
    stage(repo, {"site.lb": "broken"})
    repo.put("site.lb", SITE)
    try_commit(repo, 1)
    # A commit of a part has an index of its own.
    repo.git("commit", "-m", "part", "README", status=1)
    repo.put("README", "new")
    repo.git("add", "README")
    repo.git("commit", "-m", "part", "README")


def the_site_may_be_elsewhere_or_nowhere(repo):
    install(repo)
    stage(repo, {"lvs/site.lb": DIRECTORS + "\n" + service("web", "192.0.2.10", "lb3")})
    try_commit(repo, 0)
    repo.git("config", "lbc.site", "lvs/site.lb")
    stage(repo, {"more": ""})
    contains(try_commit(repo, 1, cwd="lvs"), "`lb3` is no address and no director")
    repo.git("rm", "-rq", "--cached", "lvs")
    try_commit(repo, 0)


def files_with_odd_names_are_looked_at(repo):
    install(repo)
    for name in ("-x.lb", "new\nline.lb", "$(touch made).lb", "[*.lb", " .lb"):
        stage(repo, {name: " " + MAIL})
        contains(try_commit(repo, 1), "not in the layout")
        repo.git("rm", "-qf", "--", f":(literal){name}")
    assert not (repo.root / "made").exists()


main([a_good_commit_passes, a_mistake_is_refused, another_layout_is_refused, a_stale_tree_is_refused,
      the_index_counts_not_the_work_tree, the_site_may_be_elsewhere_or_nowhere, files_with_odd_names_are_looked_at])
