#!/bin/sh
# Holds a gateway to the contract in somebody's pipeline: gets clawgauge, runs it, keeps the reports in a folder.
# The exit code is clawgauge's own: 0 go, 1 no go, anything else could not tell.
set -eu

usage() {
    cat <<'USAGE'
usage: gate.sh [OPTION]... GATEWAY [RECORD]
       gate.sh ./openclaw.mjs                    an entry point; reports go to clawgauge-reports/
       gate.sh openclaw@2026.9.6 results.json    a release from npm; the record goes to results.json

GATEWAY is what `clawgauge run --gateway` takes. Each option has a variable, and an option wins over its variable.

  --gateway REF        CLAWGAUGE_GATEWAY       the gateway, instead of the argument; several: one a line
  --scenarios GLOB     CLAWGAUGE_SCENARIOS     only these cells, such as chat-completions or 'endpoints/**'
  --where EXPR         CLAWGAUGE_WHERE         only these values, such as profile=token,none
  --reports DIR        CLAWGAUGE_REPORTS       folder of the reports [clawgauge-reports]
  --formats LIST       CLAWGAUGE_FORMATS       what to write there [json junit sarif ctrf markdown html]
  --fail-on WHAT       CLAWGAUGE_FAIL_ON       deviates, or known: what makes it no go
  --known-issues HOW   CLAWGAUGE_KNOWN_ISSUES  off judges as if there were none
  --baseline RECORD    CLAWGAUGE_BASELINE      an earlier record: only what is new since then counts
  --severity LEVEL     CLAWGAUGE_SEVERITY      cosmetic, shape, severe or blocker: what is less does not count
  --retries N          CLAWGAUGE_RETRIES       how often a cell that could not run is tried again
  --may-skip NAMES     CLAWGAUGE_MAY_SKIP      what this machine may lack, such as 'nginx openai-node'; else exit code 4
  --config FILE        CLAWGAUGE_CONFIG        a clawgauge.toml
  --shard K/N          CLAWGAUGE_SHARD         only the K-th of N parts; auto takes it from the pipeline's variables
  --merge DIR          CLAWGAUGE_MERGE         run nothing: merge the shards' results.json below DIR, and judge the whole
  --image IMAGE        CLAWGAUGE_IMAGE         run inside this container image; GATEWAY is a path in it
  -- ARGUMENT...       CLAWGAUGE_ARGS          more arguments of `clawgauge run`

Where clawgauge comes from, the first that there is: $CLAWGAUGE; --archive; beside this script; the PATH; this checkout.

  --archive FILE|URL   CLAWGAUGE_ARCHIVE       a release archive; {target} in it is this machine's triple
  --sha256 HEX         CLAWGAUGE_SHA256        its checksum [else from SHA256SUMS beside it]
                       CLAWGAUGE_TARGET        build the checkout for this triple
                       CLAWGAUGE_ROOT          folder with scenarios/, snapshots/ and fixtures/, instead of what it carries

  --install DIR        only put clawgauge and this script into DIR
  --cache-key          only print what a pipeline's cache needs, as NAME=VALUE lines
USAGE
}

say() { printf 'gate: %s\n' "$*" >&2; }
# 2 wrong usage, 4 nothing ran: the codes that clawgauge has for it.
wrong() { say "$* (more: $0 --help)"; exit 2; }
stop() { say "$*"; exit 4; }

newline='
'
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
gateways='' scenarios='' where='' record='' scratch='' task=run outputs=''
reports=${CLAWGAUGE_REPORTS:-clawgauge-reports}
formats=${CLAWGAUGE_FORMATS:-json junit sarif ctrf markdown html}
fail_on=${CLAWGAUGE_FAIL_ON:-} known_issues=${CLAWGAUGE_KNOWN_ISSUES:-} baseline=${CLAWGAUGE_BASELINE:-}
severity=${CLAWGAUGE_SEVERITY:-} retries=${CLAWGAUGE_RETRIES:-} may_skip=${CLAWGAUGE_MAY_SKIP:-} config=${CLAWGAUGE_CONFIG:-}
archive=${CLAWGAUGE_ARCHIVE:-} sha256=${CLAWGAUGE_SHA256:-} image=${CLAWGAUGE_IMAGE:-} shard=${CLAWGAUGE_SHARD:-} merge=${CLAWGAUGE_MERGE:-} data=${CLAWGAUGE_ROOT:-}
target=${CLAWGAUGE_TARGET:-} clawgauge=${CLAWGAUGE:-} words=${CLAWGAUGE_ARGS:-}

# Later steps of a workflow read how it ended, also if it never came to a run.
# shellcheck disable=SC2317,SC2329  # the trap calls it
at_exit() {
    code=$?
    [ -z "$scratch" ] || rm -rf "$scratch"
    [ -n "${GITHUB_OUTPUT:-}" ] && [ "$task" = run ] || return 0
    case $code in 0) verdict=go ;; 1) verdict=no-go ;; *) verdict=could-not-tell ;; esac
    printf '%s\n' "exit-code=$code" "verdict=$verdict" "reports=$reports" "clawgauge=$clawgauge" >>"$GITHUB_OUTPUT"
    [ -z "$outputs" ] || [ ! -f "$outputs" ] || cat "$outputs" >>"$GITHUB_OUTPUT"
}
trap at_exit EXIT

# A value, or the words that say which option has none.
need() { [ "$2" -ge 2 ] || wrong "$1 needs a value"; }

# --- options

while [ $# -gt 0 ]; do
    case $1 in
        --gateway) need "$1" $#; gateways=${gateways:+$gateways$newline}$2; shift ;;
        --scenarios) need "$1" $#; scenarios="$scenarios $2"; shift ;;
        --where) need "$1" $#; where="$where $2"; shift ;;
        --reports) need "$1" $#; reports=$2; shift ;;
        --formats) need "$1" $#; formats=$2; shift ;;
        --fail-on) need "$1" $#; fail_on=$2; shift ;;
        --known-issues) need "$1" $#; known_issues=$2; shift ;;
        --baseline) need "$1" $#; baseline=$2; shift ;;
        --severity) need "$1" $#; severity=$2; shift ;;
        --retries) need "$1" $#; retries=$2; shift ;;
        --may-skip) need "$1" $#; may_skip="$may_skip $2"; shift ;;
        --config) need "$1" $#; config=$2; shift ;;
        --shard) need "$1" $#; shard=$2; shift ;;
        --merge) need "$1" $#; merge=$2; shift ;;
        --image) need "$1" $#; image=$2; shift ;;
        --archive) need "$1" $#; archive=$2; shift ;;
        --sha256) need "$1" $#; sha256=$2; shift ;;
        --install) need "$1" $#; task=install; install=$2; shift ;;
        --cache-key) task='cache-key' ;;
        -h | --help) task=help; usage; exit 0 ;;
        --) shift; break ;;
        -*) wrong "there is no option $1; arguments for \`clawgauge run\` go behind --" ;;
        *)
            if [ -z "$gateways" ]; then gateways=$1
            elif [ -z "$record" ]; then record=$1
            else wrong "one GATEWAY and one RECORD, not also $1"; fi ;;
    esac
    shift
done
# What is left in "$@" goes to `clawgauge run` as it is.
gateways=${gateways:-${CLAWGAUGE_GATEWAY:-}}
scenarios=${scenarios:-${CLAWGAUGE_SCENARIOS:-}}
where=${where:-${CLAWGAUGE_WHERE:-}}
# They are read; the run shall not read them a second time in its own way.
unset CLAWGAUGE CLAWGAUGE_GATEWAY CLAWGAUGE_SCENARIOS CLAWGAUGE_WHERE CLAWGAUGE_REPORTS CLAWGAUGE_FORMATS CLAWGAUGE_FAIL_ON \
    CLAWGAUGE_KNOWN_ISSUES CLAWGAUGE_BASELINE CLAWGAUGE_SEVERITY CLAWGAUGE_RETRIES CLAWGAUGE_MAY_SKIP CLAWGAUGE_CONFIG CLAWGAUGE_ARCHIVE \
    CLAWGAUGE_SHA256 CLAWGAUGE_IMAGE CLAWGAUGE_SHARD CLAWGAUGE_MERGE CLAWGAUGE_ROOT CLAWGAUGE_TARGET CLAWGAUGE_ARGS

case $fail_on in '' | deviates | known) ;; *) wrong "--fail-on is deviates or known, not $fail_on" ;; esac
case $severity in '' | cosmetic | shape | severe | blocker) ;; *) wrong "--severity is cosmetic, shape, severe or blocker, not $severity" ;; esac
case $retries in *[!0-9]*) wrong "--retries is a number, not $retries" ;; esac
[ -n "$reports" ] && [ -n "$formats" ] || wrong "--reports and --formats cannot be empty"
for file in "$baseline" "$config"; do
    [ -z "$file" ] || [ -r "$file" ] || wrong "there is no file $file here ($(pwd))"
done
if [ "$task" = run ]; then
    if [ -n "$merge" ]; then
        [ -z "$gateways$scenarios$where$shard$image" ] || wrong "--merge runs nothing: no gateway, cells, shard or image goes with it"
        [ -d "$merge" ] || wrong "there is no folder $merge here ($(pwd))"
    fi
    [ -n "$gateways$merge" ] || { usage | head -n 3 >&2; wrong "which GATEWAY? for example: $0 openclaw@2026.9.6"; }
fi

# --- clawgauge

cache=${XDG_CACHE_HOME:-${HOME:-${TMPDIR:-/tmp}}/.cache}
tools=$cache/clawgauge-gate

if command -v sha256sum >/dev/null; then sum() { sha256sum | cut -d ' ' -f 1; }
elif command -v shasum >/dev/null; then sum() { shasum -a 256 | cut -d ' ' -f 1; }
elif command -v openssl >/dev/null; then sum() { openssl dgst -sha256 -r | cut -d ' ' -f 1; }
else stop "needs sha256sum, shasum or openssl"; fi

triple() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo x86_64-unknown-linux-musl ;;
        Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
        Darwin-x86_64) echo x86_64-apple-darwin ;;
        Darwin-arm64) echo aarch64-apple-darwin ;;
        *) stop "no release for $(uname -s) $(uname -m); build one: cargo install --path harness/clawgauge" ;;
    esac
}

# What the checkout's binary is made of, as one word.
sources() {
    (
        cd "$root"
        find Cargo.toml Cargo.lock harness fixtures scenarios snapshots -path harness/clawgauge/tests -prune -o -type f -exec cksum {} + |
            LC_ALL=C sort | sum | cut -c 1-16
    )
}

in_checkout() { [ -f "$root/Cargo.lock" ] && [ -d "$root/harness/clawgauge/src" ]; }

fetch() {
    case $1 in
        http://* | https://*)
            command -v curl >/dev/null || stop "needs curl to fetch $1; or download it and give the file"
            curl --fail --silent --show-error --location --retry 3 --output "$2" "$1" || stop "cannot fetch $1" ;;
        *) [ -f "$1" ] || stop "there is no archive $1"; cp "$1" "$2" ;;
    esac
}

# Unpacked once: the folder is named by the checksum and moved into place when it is whole.
from_archive() {
    case $archive in *'{target}'*) archive=${archive%%'{target}'*}$(triple)${archive#*'{target}'} ;; esac
    if [ -n "$sha256" ] && [ -x "$tools/$sha256/clawgauge" ]; then
        clawgauge=$tools/$sha256/clawgauge
        return
    fi
    mkdir -p "$tools"
    scratch=$(mktemp -d "$tools/.new-XXXXXX")
    fetch "$archive" "$scratch/archive"
    if [ -z "$sha256" ]; then
        fetch "${archive%/*}/SHA256SUMS" "$scratch/sums"
        sha256=$(while read -r hex name; do [ "${name#\*}" != "${archive##*/}" ] || echo "$hex"; done <"$scratch/sums")
        [ -n "$sha256" ] || stop "SHA256SUMS does not name ${archive##*/}; give its checksum: --sha256 HEX"
    fi
    found=$(sum <"$scratch/archive")
    [ "$found" = "$sha256" ] || stop "$archive is not what it should be: sha256 $found, not $sha256"
    mkdir "$scratch/whole"
    tar -xzf "$scratch/archive" -C "$scratch/whole" || stop "cannot unpack $archive"
    mkdir -p "$tools/$sha256"
    mv "$scratch/whole"/*/clawgauge "$tools/$sha256/clawgauge" || stop "there is no clawgauge in $archive"
    clawgauge=$tools/$sha256/clawgauge
}

from_checkout() {
    kept=$tools/$(sources)${target:+-$target}
    clawgauge=$kept/clawgauge
    [ ! -x "$clawgauge" ] || return 0
    command -v cargo >/dev/null ||
        stop "no clawgauge, and no cargo to build one; give a release: --archive FILE|URL, or its path: CLAWGAUGE=..."
    say "building clawgauge from $root (some minutes; kept in $kept)"
    # One of the two is there to be run in images, so it must bring its libc along.
    if [ -n "$target" ] && command -v rustup >/dev/null; then rustup --quiet target add "$target" >&2 || true; fi
    cargo build --release --locked --quiet --manifest-path "$root/Cargo.toml" --target-dir "$root/target" --package clawgauge \
        --no-default-features --features launch \
        ${target:+--target "$target"} >&2 ||
        stop "clawgauge does not build here, see above; an old Rust? rustup update stable; or give a release: --archive FILE|URL"
    mkdir -p "$kept"
    cp "$root/target/${target:+$target/}release/clawgauge" "$kept/.new"
    mv "$kept/.new" "$clawgauge"
}

find_clawgauge() {
    if [ -n "$clawgauge" ]; then
        [ -x "$clawgauge" ] || stop "CLAWGAUGE=$clawgauge cannot be run"
    elif [ -n "$archive" ]; then from_archive
    elif [ -x "$here/clawgauge" ]; then clawgauge=$here/clawgauge
    elif [ -z "$target" ] && command -v clawgauge >/dev/null; then clawgauge=$(command -v clawgauge)
    elif in_checkout; then from_checkout
    else stop "no clawgauge here; put it on the PATH, or give a release: --archive FILE|URL"; fi
}

if [ "$task" = cache-key ]; then
    # The binary and the installed releases change at different times, so each has a key of its own.
    system=$(uname -s)-$(uname -m)
    if [ -n "$clawgauge" ]; then tool=''
    elif [ -n "$archive" ]; then tool=$(printf '%s %s' "$archive" "$sha256" | sum | cut -c 1-16)
    elif in_checkout; then tool=$(sources)${target:+-$target}${image:+-image}
    else tool=''; fi
    releases=''
    case $gateways in
        *openclaw@* | *npm:*)
            # A name that moves, such as latest, must not hit what it meant last month.
            versions=$gateways
            case $gateways in *@latest*) versions=$versions$(npm view openclaw@latest version 2>/dev/null || :) ;; esac
            releases=$(printf %s "$versions" | sum | cut -c 1-16) ;;
    esac
    printf '%s\n' "tool-path=$tools" "tool=${tool:+clawgauge-$system-$tool}" "releases-path=$cache/clawgauge" \
        "releases=${releases:+clawgauge-releases-$system-$releases}"
    exit 0
fi

if [ -n "$image" ]; then
    command -v docker >/dev/null || stop "--image needs docker; without it, run this script inside the image"
    case $gateways in *openclaw@* | *npm:*) wrong "with --image, GATEWAY is a path in the image, not a release from npm" ;; esac
    [ -n "$target" ] || target=$(triple)
fi
find_clawgauge
case $clawgauge in /*) ;; *) clawgauge=$(cd "$(dirname "$clawgauge")" && pwd)/${clawgauge##*/} ;; esac
version=$("$clawgauge" --version) || stop "$clawgauge does not run on this machine"
say "$version ($clawgauge)"

if [ "$task" = install ]; then
    mkdir -p "$install"
    cp "$clawgauge" "$here/gate.sh" "$install"
    exit 0
fi

# --- the run

mkdir -p "$reports" || wrong "cannot make the folder $reports"
reports=$(cd "$reports" && pwd)
set -f
for glob in $scenarios; do set -- "$@" "$glob"; done
for expression in $where; do set -- "$@" --where "$expression"; done
[ -n "$merge" ] || for name in $may_skip; do set -- "$@" --may-skip "$name"; done
for word in $words; do set -- "$@" "$word"; done
IFS=", $newline"
for format in $formats; do
    case $format in
        json) file=${record:-$reports/results.json} ;;
        junit) file=$reports/junit.xml ;;
        sarif) file=$reports/results.sarif ;;
        ctrf) file=$reports/ctrf.json ;;
        tap) file=$reports/results.tap ;;
        markdown) file=$reports/report.md ;;
        html) file=$reports/report.html ;;
        annotations) file=- ;;
        *) file=$reports/report.$format ;;
    esac
    # What an earlier run left must not pass for the report of this one.
    [ "$file" = - ] || rm -f "$file"
    set -- "$@" --report "$format=$file"
done
if [ -n "${GITHUB_OUTPUT:-}" ]; then
    # Counts and names for the steps that follow.
    outputs=$reports/outputs.txt
    rm -f "$outputs"
    set -- "$@" --report "outputs=$outputs"
fi
IFS=$newline
for gateway in $gateways; do set -- --gateway "$gateway" "$@"; done
if [ -n "$merge" ]; then
    found=$(find "$merge" -type f -name results.json | LC_ALL=C sort)
    [ -n "$found" ] || stop "no results.json below $merge: did no shard leave its record?"
    for file in $found; do set -- "$@" "$file"; done
    # What makes it fail stands in the records.
    fail_on='' severity='' known_issues='' retries=''
fi
unset IFS
set +f
[ -z "$shard" ] || set -- --shard "$shard" "$@"
[ -z "$fail_on" ] || set -- --fail-on "$fail_on" "$@"
[ -z "$known_issues" ] || set -- --known-issues "$known_issues" "$@"
[ -z "$baseline" ] || set -- --baseline "$baseline" "$@"
[ -z "$severity" ] || set -- --severity "$severity" "$@"
[ -z "$retries" ] || set -- --retries "$retries" "$@"
[ -z "$config" ] || set -- --config "$config" "$@"
if [ -n "$merge" ]; then set -- merge "$@"; else set -- run "$@"; fi
[ -z "$data" ] || set -- --root "$data" "$@"

if [ -n "$image" ]; then
    # The same paths inside as outside, no network but loopback, and the reports belong to whoever runs this.
    set -- --entrypoint "$clawgauge" "$image" "$@"
    for folder in "$(pwd)" "$reports" ${data:+"$data"}; do set -- --volume "$folder:$folder" "$@"; done
    [ -z "${GITHUB_STEP_SUMMARY:-}" ] || set -- --volume "$GITHUB_STEP_SUMMARY:$GITHUB_STEP_SUMMARY" "$@"
    set -- docker run --rm --init --network none --user "$(id -u):$(id -g)" --workdir "$(pwd)" \
        --volume "$clawgauge:$clawgauge:ro" --env HOME=/tmp --env CI --env NO_COLOR --env GITHUB_ACTIONS \
        --env GITHUB_STEP_SUMMARY "$@"
else
    set -- "$clawgauge" "$@"
fi

# In the background, so that a signal is passed on at once and the run can stop what it started.
"$@" &
run=$!
trap 'kill -TERM "$run" 2>/dev/null || :' TERM HUP
trap 'kill -INT "$run" 2>/dev/null || :' INT
code=0
while :; do
    wait "$run" && code=0 || code=$?
    # A signal ends the wait, not the run.
    kill -0 "$run" 2>/dev/null || break
done
exit "$code"
