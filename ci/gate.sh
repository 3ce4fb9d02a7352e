#!/bin/sh
# Holds one gateway to the contract. Usage: gate.sh GATEWAY [RECORD]; exit code 0 go, 1 no go, others: could not tell.
set -eu
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 GATEWAY [RECORD]    for example: $0 openclaw@2026.9.6 results.json" >&2
    exit 2
fi
gateway=$1
record=${2:-clawgauge-results.json}
root=$(cd "$(dirname "$0")/.." && pwd)
clawgauge=${CLAWGAUGE:-$root/target/release/clawgauge}
if [ ! -x "$clawgauge" ]; then
    cargo build --release --quiet --manifest-path "$root/Cargo.toml" --package clawgauge || exit 3
fi
exec "$clawgauge" --root "$root" run --gateway "$gateway" --report "json=$record"
