"""The review of a pull request and its comment, without a network: review.py LBC."""
import json
import re

from repository import DIRECTORS, EXAMPLES, MORE, SITE, WEB, contains, lacks, main

NEXT = DIRECTORS + "\n" + MORE
MARKER = "<!-- lbc review of site.lb -->\n"


def review(repo, base, head, status=0, **more):
    said = repo.run("sh", str(EXAMPLES / "review.sh"), base, head, status=status, **more)
    assert status == 2 or said.startswith(MARKER), said
    return said


def a_change_is_described(repo):
    base = repo.commit({"site.lb": 'include "parts/*.lb"\n' + DIRECTORS, "parts/web.lb": WEB})
    head = repo.commit({"parts/web.lb": MORE})
    said = review(repo, base, head)
    contains(said, "\n### lbc: ", f"{base}:site.lb", "10.0.0.7")
    assert review(repo, "main~1", "main") == said


def what_others_changed_meanwhile_is_no_part(repo):
    repo.commit({"site.lb": SITE})
    repo.git("checkout", "-q", "-b", "topic")
    head = repo.commit({"site.lb": SITE.replace("real lb2", "real lb2 weight 2")})
    repo.git("checkout", "-q", "main")
    repo.commit({"site.lb": NEXT})
    lacks(review(repo, "main", head), "10.0.0.7")


def a_site_that_comes_goes_or_is_not_there(repo):
    repo.commit({"README": ""})
    repo.commit({"site.lb": SITE})
    contains(review(repo, "HEAD~1", "HEAD"), "### lbc: ", "/dev/null → ", "web")
    repo.git("rm", "-q", "site.lb")
    repo.commit({})
    contains(review(repo, "HEAD~1", "HEAD"), "### lbc: ", ":site.lb → /dev/null", "web")
    contains(review(repo, "HEAD~2", "HEAD"), "### lbc: there is no `site.lb`\n")


def mistakes_fail_and_are_quoted(repo):
    repo.commit({"site.lb": SITE})
    repo.commit({"site.lb": SITE + "\n```\n</details> @everyone <script>\n"})
    said = review(repo, "HEAD~1", "HEAD", status=1)
    contains(said, "### lbc: the site has mistakes\n")
    for line in said.splitlines()[2:]:
        assert line == "" or line.startswith("    "), said  # nothing of the file is Markdown
    repo.commit({"site.lb": NEXT})
    contains(review(repo, "HEAD~1", "HEAD"), "### lbc: the site had mistakes before, so what changes cannot be said\n")


def a_stale_tree_fails(repo):
    repo.put("site.lb", SITE)
    repo.lbc("compile", "site.lb", "--emit", "all", "-o", "compiled")
    repo.commit({})
    repo.commit({"site.lb": NEXT})
    review(repo, "HEAD~1", "HEAD")
    contains(review(repo, "HEAD~1", "HEAD", status=1, LBC_TREE="compiled"), "`compiled` is out of date:\n",
             "    rules.sh: differs\n")
    repo.lbc("compile", "site.lb", "--emit", "all", "-o", "compiled")
    repo.commit({})
    lacks(review(repo, "HEAD~2", "HEAD", LBC_TREE="compiled"), "out of date")


def a_comment_has_its_limit(repo):
    repo.commit({"site.lb": SITE})
    service = "service s%d { vip 192.0.2.10; port tcp nothing%d" + "x" * 400 + " }\n"  # no two messages alike
    repo.commit({"site.lb": SITE + "".join(service % (i, i) for i in range(300))})
    said = review(repo, "HEAD~1", "HEAD", status=1)
    assert len(said.encode()) < 65536
    contains(said, "… and more: lbc check has it.")


def bad_revisions_are_status_2(repo):
    repo.commit({"site.lb": SITE})
    review(repo, "HEAD", "none", status=2)
    review(repo, "none", "HEAD", status=2)
    review(repo, "HEAD", "--all", status=2)


def fake(repo, name, script):
    """A program that stands in for one that needs the network; what it was told is in `calls`."""
    path = repo.root.parent / "bin" / name
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{repo.root}/calls"\n{script}')
    path.chmod(0o755)


def comment(repo, platform, **environment):
    (repo.root / "calls").write_text("")
    repo.put("review.md", MARKER + "text\n")
    said = repo.run("sh", str(EXAMPLES / "comment.sh"), platform, "review.md", **environment)
    return said + (repo.root / "calls").read_text()


def a_comment_on_github_is_made_once(repo):
    variables = {"GITHUB_REPOSITORY": "a/b", "PULL_REQUEST": "7", "GH_TOKEN": "secret"}
    # What gh's own --jq would do with the answer.
    fake(repo, "gh", 'case $* in *--jq*) eval "filter=\\${$#}"; jq -r "$filter" "$ANSWER" ;; esac\n')
    own = {"login": "github-actions[bot]"}
    notes = [{"id": 1, "user": {"login": "stranger"}, "body": MARKER}, {"id": 2, "user": own, "body": "another"}]
    repo.put("answer", json.dumps(notes))
    said = comment(repo, "github", ANSWER="answer", **variables)
    contains(said, "--method POST repos/a/b/issues/7/comments -F body=@review.md")
    repo.put("answer", json.dumps([*notes, {"id": 3, "user": own, "body": MARKER + "old"}]))
    said = comment(repo, "github", ANSWER="answer", **variables)
    contains(said, "--method PATCH repos/a/b/issues/comments/3 -F body=@review.md")
    lacks(said, "POST")


def a_comment_on_gitlab_is_made_once(repo):
    variables = {"CI_API_V4_URL": "https://x/api/v4", "CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "7"}
    contains(comment(repo, "gitlab", **variables), "no LBC_REVIEW_TOKEN here")
    fake(repo, "curl", 'cat >"$ANSWER.config"\n'
                       'case $* in */user) echo "{\\"id\\": 9}" ;; *--request*) ;; *) cat "$ANSWER" ;; esac\n')
    notes = [{"id": 1, "author": {"id": 8}, "body": MARKER}, {"id": 2, "author": {"id": 9}, "body": "another"}]
    repo.put("answer", json.dumps(notes))
    url = "https://x/api/v4/projects/5/merge_requests/7/notes"
    said = comment(repo, "gitlab", ANSWER="answer", LBC_REVIEW_TOKEN="secret", **variables)
    contains(said, f"--request POST --data-urlencode body@review.md {url}\n")
    lacks(said, "secret")
    assert (repo.root / "answer.config").read_text() == 'header = "PRIVATE-TOKEN: secret"\n'
    repo.put("answer", json.dumps([*notes, {"id": 3, "author": {"id": 9}, "body": MARKER + "old"}]))
    contains(comment(repo, "gitlab", ANSWER="answer", LBC_REVIEW_TOKEN="secret", **variables),
             f"--request PUT --data-urlencode body@review.md {url}/3\n")


def the_pipelines_are_yaml(repo):
    try:
        import yaml
    except ImportError:
        print("the_pipelines_are_yaml: skipped, without python3-yaml")
        return
    for name in ("github-workflow.yml", "gitlab-ci.yml"):
        pipeline = yaml.safe_load((EXAMPLES / name).read_text())
        scripts = [step["run"] for step in pipeline["jobs"]["review"]["steps"] if "run" in step] if "jobs" in pipeline \
            else [*pipeline["lbc"]["before_script"], *pipeline["lbc"]["script"]]
        assert all(isinstance(script, str) for script in scripts), scripts
        repo.run("sh", "-n", text="\n".join(scripts))
        installed = "sh /usr/local/share/lbc/git/"
        contains("\n".join(scripts), installed + "review.sh", installed + "comment.sh")
        lacks("\n".join(scripts), "tools/")
        for step in pipeline.get("jobs", {}).get("review", {}).get("steps", []):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40)), step


main([a_change_is_described, what_others_changed_meanwhile_is_no_part, a_site_that_comes_goes_or_is_not_there,
      mistakes_fail_and_are_quoted, a_stale_tree_fails, a_comment_has_its_limit, bad_revisions_are_status_2,
      a_comment_on_github_is_made_once, a_comment_on_gitlab_is_made_once, the_pipelines_are_yaml])
