#!/bin/sh
# Makes the archive of a release: clawgauge-VERSION-TARGET.tar.gz and SHA256SUMS, the same bytes for the same commit.
set -eu

usage() {
    cat <<'USAGE'
usage: release.sh [--target TRIPLE] [--binary FILE] [DIR]
       release.sh dist                                 build for this machine, statically linked where that works
       release.sh --target aarch64-apple-darwin dist   build for another one

  --target TRIPLE  what to build for, and what the archive is named by
  --binary FILE    pack this binary instead of building one
USAGE
}

say() { printf 'release: %s\n' "$*" >&2; }
wrong() { say "$* (more: $0 --help)"; exit 2; }

root=$(cd "$(dirname "$0")/.." && pwd)
target='' binary='' out=''
while [ $# -gt 0 ]; do
    case $1 in
        --target) [ $# -ge 2 ] || wrong "--target needs a value"; target=$2; shift ;;
        --binary) [ $# -ge 2 ] || wrong "--binary needs a value"; binary=$2; shift ;;
        -h | --help) usage; exit 0 ;;
        -*) wrong "there is no option $1" ;;
        *) [ -z "$out" ] || wrong "one DIR, not also $1"; out=$1 ;;
    esac
    shift
done
mkdir -p "${out:=dist}"
out=$(cd "$out" && pwd)

# Only GNU tar can be told order, owner and times.
tar=
for candidate in tar gtar; do
    case $($candidate --version 2>/dev/null || :) in *GNU*) tar=$candidate ;; esac
done
[ -n "$tar" ] || { say "needs GNU tar; on macOS: brew install gnu-tar"; exit 1; }

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
[ -n "$version" ] || { say "no version in Cargo.toml"; exit 1; }
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')
if [ -z "$target" ]; then
    target=${host:?needs --target, or rustc to tell it}
    case $host in
        *-linux-gnu)
            static=${host%-gnu}-musl
            rustup --quiet target add "$static" >&2 2>/dev/null || :
            if [ -d "$(rustc --print sysroot)/lib/rustlib/$static" ]; then target=$static
            else say "no target $static here: the binary will need the glibc of this machine, or a newer one"; fi ;;
    esac
fi

if [ -z "$binary" ]; then
    # No path of this machine may be in what others get: neither symbols nor the places of panics.
    RUSTFLAGS="--remap-path-prefix=$root=clawgauge --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
    export RUSTFLAGS CARGO_PROFILE_RELEASE_STRIP=symbols
    cargo build --release --locked --manifest-path "$root/Cargo.toml" --target-dir "$root/target/dist" --package clawgauge \
        --no-default-features --features launch \
        --target "$target" >&2
    binary=$root/target/dist/$target/release/clawgauge
fi
[ -f "$binary" ] || wrong "there is no binary $binary"

name=clawgauge-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
cp "$binary" "$work/$name/clawgauge"
cp "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$root/ci/gate.sh" "$work/$name"
chmod 644 "$work/$name"/*
chmod 755 "$work/$name/clawgauge" "$work/$name/gate.sh"

# What the binary can print about itself, if it runs here.
extra() { # FILE ARGUMENT...
    file=$work/$name/$1
    shift
    mkdir -p "${file%/*}"
    if "$work/$name/clawgauge" "$@" >"$file" 2>/dev/null && [ -s "$file" ]; then chmod 644 "$file"
    else rm -f "$file"; say "without $(basename "$file"): \`clawgauge $*\` does not print it"; fi
}
extra completions/clawgauge.bash completions bash
extra completions/_clawgauge completions zsh
extra completions/clawgauge.fish completions fish
extra man/clawgauge.1 man
find "$work/$name" -type d -empty -delete
find "$work/$name" -type d -exec chmod 755 {} +

archive=$out/$name.tar.gz
(cd "$work" && LC_ALL=C "$tar" --create --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
    --numeric-owner "$name") | gzip -n >"$archive"

# The sums of all archives in the folder, so that builds for several targets can be put together.
(cd "$out" && LC_ALL=C && export LC_ALL && { sha256sum -- *.tar.gz 2>/dev/null || shasum -a 256 -- *.tar.gz; } >SHA256SUMS)
echo "$archive"
