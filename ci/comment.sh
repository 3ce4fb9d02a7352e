#!/bin/sh
# Puts a report into a comment of a pull request on GitHub. The comment that this left before is updated, not repeated: it is found
# by the line that is hidden at its start.
set -eu

usage() { printf '%s\n' "usage: comment.sh REPORT.md [NAME]   needs gh, GH_TOKEN, GITHUB_REPOSITORY and PULL_REQUEST, its number"; }
say() { printf 'comment: %s\n' "$*" >&2; }
# A comment that cannot be made is no verdict: 0 in any case but wrong usage.
leave() { say "$*; no comment is made"; exit 0; }

[ $# -ge 1 ] || { usage >&2; exit 2; }
report=$1 name=${2:-clawgauge}
case $name in *[!A-Za-z0-9._-]*) say "a comment's name has letters, digits, dots, dashes and underscores, not $name"; exit 2 ;; esac
# GitHub takes no longer comment, in bytes to be safe.
most=65000
marker="<!-- clawgauge comment: $name -->"

[ -s "$report" ] || leave "there is no report $report; is markdown among the formats?"
command -v gh >/dev/null || leave "gh is not there"
number=${PULL_REQUEST:-}
case $number in '' | *[!0-9]*) leave "this is no pull request" ;; esac

body=$(mktemp "${TMPDIR:-/tmp}/clawgauge-comment-XXXXXX")
trap 'rm -f "$body"' EXIT
{
    printf '%s\n\n## clawgauge\n\n' "$marker"
    if [ "$(wc -c <"$report")" -gt "$most" ]; then
        # Whole lines only: half a character or half a table is worse than none.
        head -c "$most" "$report" | sed '$d'
        printf '\n\nCut off: the report is longer than a comment may be. The artifact of the run has all of it.\n'
    else
        cat "$report"
    fi
} >"$body"

comments=repos/$GITHUB_REPOSITORY/issues/$number/comments
mine=$(gh api --paginate "$comments?per_page=100" --jq ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$marker\"))) | .id") ||
    leave "the comments of pull request $number cannot be read"
mine=$(printf '%s\n' "$mine" | head -n 1)
if [ -n "$mine" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$mine" --field "body=@$body" --silent || leave "comment $mine cannot be updated"
    say "comment $mine of pull request $number is updated"
else
    gh api --method POST "$comments" --field "body=@$body" --silent ||
        leave "pull request $number takes no comment; the job needs permissions: pull-requests: write"
    say "pull request $number has a comment"
fi
