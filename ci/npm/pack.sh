#!/bin/sh
# Makes the npm packages: clawgauge, which only finds and starts the binary, and one package a platform, which holds it.
set -eu

usage() {
    cat <<'USAGE'
usage: pack.sh [--out DIR] TARGET=BINARY...
       pack.sh --out dist x86_64-unknown-linux-musl=target/x86_64-unknown-linux-musl/release/clawgauge

Publish the platform packages first, then clawgauge.
USAGE
}

say() { printf 'pack: %s\n' "$*" >&2; }
wrong() { say "$* (more: $0 --help)"; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=dist
case ${1:-} in
    -h | --help) usage; exit 0 ;;
    --out) [ $# -ge 2 ] || wrong "--out needs a value"; out=$2; shift 2 ;;
esac
[ $# -ge 1 ] || wrong "which TARGET=BINARY?"
command -v npm >/dev/null || { say "needs npm"; exit 1; }
mkdir -p "$out"
out=$(cd "$out" && pwd)

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The times in the archives are npm's own fixed ones; what goes in is all that counts.
pack() {
    cp "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$1"
    (cd "$1" && npm pack --silent --ignore-scripts --pack-destination "$out" >&2)
}

for pair in "$@"; do
    target=${pair%%=*}
    binary=${pair#*=}
    case $target in
        x86_64-*-linux-*) os=linux cpu=x64 ;;
        aarch64-*-linux-*) os=linux cpu=arm64 ;;
        x86_64-apple-darwin) os=darwin cpu=x64 ;;
        aarch64-apple-darwin) os=darwin cpu=arm64 ;;
        *) wrong "there is no package for $target" ;;
    esac
    [ -f "$binary" ] || wrong "there is no binary $binary; build one: ci/release.sh --target $target"
    # A binary that needs glibc must not be chosen where there is none.
    libc=''
    case $target in *-linux-gnu) libc='
  "libc": ["glibc"],' ;; esac
    folder=$work/$os-$cpu
    mkdir -p "$folder/bin"
    cp "$binary" "$folder/bin/clawgauge"
    chmod 755 "$folder/bin/clawgauge"
    cat >"$folder/package.json" <<JSON
{
  "name": "@clawgauge/$os-$cpu",
  "version": "$version",
  "description": "The clawgauge binary for $os on $cpu",
  "license": "MIT OR Apache-2.0",
  "os": ["$os"],
  "cpu": ["$cpu"],$libc
  "files": ["bin", "LICENSE-*"],
  "preferUnplugged": true
}
JSON
    pack "$folder"
done

cp -R "$here/clawgauge" "$work/main"
chmod 755 "$work/main/bin/clawgauge.js"
cp "$root/README.md" "$work/main"
# The checkout has no version of its own here: it is the crate's.
sed "s/\"0\.0\.0\"/\"$version\"/" "$here/clawgauge/package.json" >"$work/main/package.json"
pack "$work/main"
