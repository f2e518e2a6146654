"""A compiled tree that is committed: tree.py LBC."""
import os
import shutil

from repository import SITE, Repository, contains, main, service

MANY = SITE + service("mail", "192.0.2.11", "10.0.0.8")


def changes(repo: Repository):
    return repo.git("status", "--short", "-uall", "compiled").split()


def compile_tree(repo, site=SITE, **more):
    repo.put("site.lb", site)
    return repo.lbc("compile", "site.lb", "--emit", "all", "-o", "compiled", **more)


def check(repo, status):
    return repo.lbc("compile", "site.lb", "--check", "-o", "compiled", status=status)


def a_second_run_changes_nothing(repo):
    compile_tree(repo)
    repo.commit({})
    compile_tree(repo)
    assert changes(repo) == []
    assert check(repo, 0) == ""


def what_is_no_longer_made_goes(repo):
    compile_tree(repo)
    repo.commit({"compiled/lb2/README": "a stranger's"})
    site = SITE[:SITE.index("director lb2")] + service("web", "192.0.2.10", "lb1")
    repo.put("site.lb", site)
    assert "lb2/iptables.rules: left over\n" in check(repo, 1)
    assert changes(repo) == []
    compile_tree(repo, site)
    assert check(repo, 0) == ""
    assert sorted(path.name for path in (repo.root / "compiled/lb2").iterdir()) == ["README"]
    assert not (repo.root / "compiled/real/lb2").exists()


def every_difference_is_one_line(repo):
    compile_tree(repo)
    repo.put("compiled/rules.sh", "another")
    os.unlink(repo.root / "compiled/site.json")
    repo.put("compiled/notes.txt", "a stranger's")
    assert check(repo, 1) == "rules.sh: differs\nsite.json: missing\n"
    shutil.rmtree(repo.root / "compiled")
    assert check(repo, 1).startswith("MANIFEST: missing\n")
    assert not (repo.root / "compiled").exists()


def one_file_is_checked_too(repo):
    repo.put("site.lb", SITE)
    words = ("compile", "site.lb", "--emit", "ipvsadm", "-d", "lb1", "-o", "out/lb1.rules")
    assert repo.lbc(*words, "--check", status=1) == "out/lb1.rules: missing\n"
    (repo.root / "out").mkdir()
    repo.lbc(*words)
    assert repo.lbc(*words, "--check") == ""
    repo.put("site.lb", SITE.replace("    real lb2\n", ""))
    assert repo.lbc(*words, "--check", status=1) == "out/lb1.rules: differs\n"


def mistakes_touch_nothing(repo):
    compile_tree(repo)
    repo.commit({})
    compile_tree(repo, SITE + "service web {}\n", status=2)
    check(repo, 2)
    repo.git("checkout", "-q", "site.lb")
    for line in ("../outside", "/etc/hosts", ".git/config", "lb1/../../outside", "a//b"):
        list_before = (repo.root / "compiled/MANIFEST").read_text()
        repo.put("compiled/MANIFEST", list_before + line + "\n")
        contains(compile_tree(repo, MANY, status=3), "has no path below its folder in line")
        check(repo, 3)
        repo.git("checkout", "-q", ".")
        assert changes(repo) == []
    repo.put("compiled/MANIFEST", "include *.py\n")
    contains(compile_tree(repo, status=3), "is not a list that lbc made")


def links_are_not_followed(repo):
    compile_tree(repo)
    outside = repo.root.parent / "outside"
    outside.mkdir()
    (outside / "iptables.rules").write_text("a stranger's")
    shutil.rmtree(repo.root / "compiled/lb1")
    (repo.root / "compiled/lb1").symlink_to(outside)
    contains(compile_tree(repo, status=3), "compiled/lb1` is a symbolic link")
    contains(check(repo, 3), "compiled/lb1` is a symbolic link")
    assert (outside / "iptables.rules").read_text() == "a stranger's"


def what_cannot_be_read_is_status_3(repo):
    compile_tree(repo)
    (repo.root / "compiled/rules.sh").chmod(0)
    if not os.access(repo.root / "compiled/rules.sh", os.R_OK):  # root reads all
        contains(check(repo, 3), "cannot read `compiled/rules.sh`")
    (repo.root / "compiled/site.json").unlink()
    (repo.root / "compiled/site.json").mkdir()
    contains(check(repo, 3), "`compiled/site.json` is no regular file")


main([a_second_run_changes_nothing, what_is_no_longer_made_goes, every_difference_is_one_line, one_file_is_checked_too,
      mistakes_touch_nothing, links_are_not_followed, what_cannot_be_read_is_status_3])
