"""REV:PATH in place of a file: revisions.py LBC."""
import os

from repository import DIRECTORS, SITE, WEB, contains, main, service

PARTS = {"lvs/site.lb": 'include "directors.lb"\ninclude "services/*.lb"\n', "lvs/directors.lb": DIRECTORS,
         "lvs/services/web.lb": WEB}


def counts(repo, name, **more):
    text = repo.lbc("check", "-v", name, **more)
    line = text.splitlines()[0]
    assert line.startswith(name + ": "), text
    return [int(word.split()[-1]) for word in line[len(name) + 2:].split(", ")]


def includes_are_of_the_revision(repo):
    repo.commit(PARTS)
    repo.commit({"lvs/services/mail.lb": service("mail", "192.0.2.11", "10.0.0.8")})
    repo.put("lvs/directors.lb", "broken")
    assert counts(repo, "HEAD:lvs/site.lb")[:2] == [2, 2]
    assert counts(repo, "HEAD~1:lvs/site.lb")[:2] == [2, 1]
    assert counts(repo, "main@{0}:./site.lb", cwd="lvs")[:2] == [2, 2]
    assert counts(repo, "HEAD:../site.lb", cwd="lvs/services")[:2] == [2, 2]
    repo.git("tag", "v1")
    repo.git("branch", "team/topic", "HEAD~1")
    for name in ("v1", "team/topic", "HEAD^{/change}", "HEAD^{tree}", repo.git("rev-parse", "--short", "HEAD").strip()):
        assert counts(repo, f"{name}:lvs/site.lb")[0] == 2, name
    assert repo.lbc("compile", "HEAD~1:lvs/site.lb") != repo.lbc("compile", "HEAD:lvs/site.lb")


def the_index_is_a_revision(repo):
    repo.commit(PARTS)
    repo.put("lvs/services/mail.lb", service("mail", "192.0.2.11", "10.0.0.8"))
    assert counts(repo, ":lvs/site.lb")[1] == 1
    repo.git("add", "-A")
    repo.put("lvs/services/mail.lb", "broken")
    assert counts(repo, ":lvs/site.lb")[1] == 2
    assert counts(repo, ":./site.lb", cwd="lvs")[1] == 2


def messages_name_the_revision(repo):
    repo.commit({**PARTS, "lvs/services/web.lb": WEB.replace("tcp 80", "tcp 70000")})
    contains(repo.lbc("check", "HEAD:lvs/site.lb", status=2),
             "HEAD:lvs/services/web.lb:3:14: error: port 70000 is out of range")
    repo.commit({"lvs/services/web.lb": 'include "../site.lb"\ninclude "/etc/hosts"\ninclude "../../../x*.lb"\n'})
    contains(repo.lbc("check", "HEAD:lvs/site.lb", status=2),
             "HEAD:lvs/services/web.lb:1:9: error: `HEAD:lvs/services/../site.lb` includes itself",
             "HEAD:lvs/services/web.lb:2:9: error: cannot read `/etc/hosts`: it is no path inside of the repository",
             "HEAD:lvs/services/web.lb:3:9: error: cannot look for `HEAD:lvs/services/../../../x*.lb`: it leads out of")


def links_lead_inside(repo):
    repo.commit(PARTS)
    os.symlink("lvs/site.lb", repo.root / "site.lb")
    os.symlink("lvs", repo.root / "other")
    os.symlink("/etc/hosts", repo.root / "hosts.lb")
    os.symlink("../outside.lb", repo.root / "outside.lb")
    os.symlink("loop.lb", repo.root / "loop.lb")
    repo.commit({})
    assert counts(repo, "HEAD:other/site.lb")[:2] == [2, 1]
    # As on the disk, names in a file are put behind the path by which it was reached.
    contains(repo.lbc("check", "HEAD:site.lb", status=2), "cannot read `HEAD:directors.lb`: No such file")
    contains(repo.lbc("check", "HEAD:hosts.lb", status=2), "`hosts.lb` is a symbolic link out of the repository")
    contains(repo.lbc("check", "HEAD:outside.lb", status=2), "it leads out of the repository")
    contains(repo.lbc("check", "HEAD:loop.lb", status=2), "Too many levels of symbolic links")


def bad_revisions_are_messages(repo):
    before = repo.lbc("check", "HEAD:site.lb", status=2)
    contains(before, "cannot read `HEAD:site.lb`: `HEAD` is not a revision of this repository: ")
    repo.commit(PARTS)
    for name, words in {"HEAD~9:x.lb": "`HEAD~9` is not a revision of this repository: Needed a single revision",
                        "HEAD..main:x.lb": "is not a revision of this repository", "HEAD:none.lb": "No such file or directory",
                        "HEAD:lvs": "Is a directory", "HEAD:": "Is a directory", "HEAD:/lvs/site.lb": "without a `/`",
                        "HEAD:../../x.lb": "it leads out of the repository", ":none.lb": "No such file or directory",
                        "$(touch made):x.lb": "is not a revision of this repository", "HEAD;touch made:x.lb": "is not a revision of this repository",
                        "HEAD\n:x.lb": "is not a revision of this repository"}.items():
        contains(repo.lbc("check", name, status=2), words, "[cannot-read]")
    for name in ("--all:x.lb", "--output=made:x.lb", "-h:x.lb"):
        contains(repo.lbc("check", "--", name, status=2), "is not a revision [cannot-read]")
    assert not (repo.root / "made").exists()
    contains(repo.lbc("check", "HEAD:lvs/site.lb", cwd="..", status=2), "not a git repository")
    contains(repo.lbc("check", "HEAD:lvs/site.lb", status=2, PATH="/nowhere"), "git is not installed on this box")


def no_file_on_the_disk_is_taken_for_a_revision(repo):
    repo.commit({"site.lb": SITE, "HEAD:site.lb": DIRECTORS, "ä *[:b.lb": SITE})
    contains(repo.lbc("check", "-v", "HEAD:site.lb"), "services 1")
    contains(repo.lbc("check", "-v", "./HEAD:site.lb"), "services 0")
    contains(repo.lbc("check", "-v", "HEAD:HEAD:site.lb"), "services 0")
    contains(repo.lbc("check", "-v", "HEAD:ä *[:b.lb"), "services 1")
    contains(repo.lbc("check", "-v", "./ä *[:b.lb"), "services 1")
    contains(repo.lbc("check", "ä *[:b.lb", status=2), "the file of this name is `./ä *[:b.lb`")


def links_and_names_are_bounded(repo):
    """What no checkout could have; each made lbc work for minutes."""
    for i in range(10):
        (repo.root / f"l{i}").symlink_to("x/../" * 800 + (f"l{i + 1}" if i < 9 else "d"))
    repo.commit({"x/a.lb": DIRECTORS, **{f"d/f{i}.lb": "# empty\n" for i in range(200)},
                 "site.lb": 'include "l0/*.lb"\n' + SITE})
    contains(repo.lbc("check", "HEAD:site.lb", status=2), "the links on the way have too many parts [too-large]")
    blob = repo.git("rev-parse", "HEAD:x/a.lb").strip()
    repo.git("update-index", "--index-info",
             text="".join(f"100644 {blob} 0\td/{'a' * 100_000}{i}\n" for i in range(10)))
    repo.git("commit", "-q", "-m", "names")
    repo.commit({"site.lb": 'include "d/a*"\n' + SITE})
    contains(repo.lbc("check", "HEAD:site.lb"), "no file matches")


def hostile_names_are_names(repo):
    names = ["new\nline.lb", "tab\t.lb", "-x.lb", 'quo"te.lb', "a\\b.lb", "[b]*.lb"]
    repo.commit({"site.lb": 'include "parts/*.lb"\n' + DIRECTORS,
                 **{f"parts/{name}": service(f"s{i}", f"192.0.2.{i + 1}", "lb1") for i, name in enumerate(names)}})
    assert counts(repo, "HEAD:site.lb")[1] == len(names)
    assert counts(repo, ":site.lb")[1] == len(names)


def what_is_no_file_has_no_text(repo):
    inner = repo.commit({"site.lb": SITE})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{inner},module.lb")
    contains(repo.lbc("check", ":module.lb", status=2), "it is a submodule")
    repo.git("read-tree", "HEAD")
    blob = repo.git("rev-parse", "HEAD:site.lb").strip()
    repo.git("update-index", "--index-info", text=f"0 {'0' * 40}\tsite.lb\n100644 {blob} 1\tsite.lb\n")
    contains(repo.lbc("check", ":site.lb", status=2), "it is unmerged in the index")
    with open(repo.root / "large.lb", "w", encoding="ascii") as file:
        file.truncate(33 << 20)
    repo.commit({})
    contains(repo.lbc("check", "HEAD:large.lb", status=2), "larger than 32 MiB")


def a_repository_runs_nothing(repo):
    repo.commit({"site.lb": SITE, ".gitattributes": "*.lb filter=x diff=x\n"})
    for key in ("core.fsmonitor", "core.pager", "filter.x.smudge", "diff.x.textconv", "diff.external"):
        repo.git("config", key, "touch made;")
    for name in ("HEAD:site.lb", ":site.lb"):
        assert counts(repo, name)[1] == 1
    assert not (repo.root / "made").exists()


main([includes_are_of_the_revision, the_index_is_a_revision, messages_name_the_revision, links_lead_inside,
      bad_revisions_are_messages, no_file_on_the_disk_is_taken_for_a_revision, links_and_names_are_bounded,
      hostile_names_are_names, what_is_no_file_has_no_text,
      a_repository_runs_nothing])
