#!/bin/sh
# comment.sh github|gitlab FILE: posts FILE as a comment of the pull or merge request, or puts it in the place of the
# comment that has its first line, the marker. Without the right to post, as for a fork, it says so and is content.
#   github: gh, with GH_TOKEN, GITHUB_REPOSITORY, PULL_REQUEST
#   gitlab: curl and jq, with LBC_REVIEW_TOKEN and the variables of a merge request's pipeline
set -eu
platform=$1 file=$2
marker=$(head -n 1 "$file")

github() {
    comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments
    # The workflow's own comments alone: anybody can write the marker.
    id=$(MARKER=$marker gh api --paginate "$comments?per_page=100" --jq \
        '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith(env.MARKER))) | .id' | head -n 1)
    if [ -n "$id" ]; then
        gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@"$file"
    else
        gh api --silent --method POST "$comments" -F body=@"$file"
    fi
}

gitlab() {
    [ -n "${LBC_REVIEW_TOKEN:-}" ] || { echo 'comment.sh: no LBC_REVIEW_TOKEN here, so no comment' >&2; return; }
    api=$CI_API_V4_URL
    notes=$api/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes
    # By a file, since other processes see the words of a command.
    call() {
        printf 'header = "PRIVATE-TOKEN: %s"\n' "$LBC_REVIEW_TOKEN" |
            curl --silent --show-error --fail --config - "$@"
    }
    me=$(call "$api/user" | jq .id)
    id=$(call "$notes?sort=asc&order_by=created_at&per_page=100" | jq -r --arg marker "$marker" --argjson me "$me" \
        '[.[] | select(.author.id == $me and (.body | startswith($marker)))][0].id // empty')
    call --output /dev/null --request "$([ -n "$id" ] && echo PUT || echo POST)" --data-urlencode "body@$file" \
        "$notes${id:+/$id}"
}

case $platform in
github | gitlab) "$platform" ;;
*) echo 'usage: comment.sh github|gitlab FILE' >&2; exit 2 ;;
esac
