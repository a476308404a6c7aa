#!/usr/bin/env bash
# Fuzzes every target for some seconds each, ten minutes unless told: fuzz/run.sh [seconds].
# Needs a nightly toolchain and `cargo install cargo-fuzz`.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-600}
for seeds in seeds/*/; do
    target=$(basename "$seeds")
    # Findings of the run go to the corpus, which is not kept; the seeds are read only.
    mkdir -p "corpus/$target"
    cargo +nightly fuzz run "$target" "corpus/$target" "$seeds" -- -max_total_time="$seconds" -max_len=16384
done
