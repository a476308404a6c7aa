#!/usr/bin/env bash
# The long forms of the tests that a change runs in short: faults, crash, soak, loom, miri; or all of them.
#
#   tests/long/run.sh [faults|crash|soak|loom|miri|all]...
#
# faults  the fault matrix, five times over                               about 5 minutes
# crash   200 programs killed at random moments and started again        about 5 minutes
# soak    ten million spans through a loopback server                    about 5 minutes
# loom    every hand-over between threads, with up to four preemptions   about 2 minutes
# miri    undefined behaviour and data races in what Miri can run        about 10 minutes; needs nightly with miri
set -euo pipefail
cd "$(dirname "$0")/../.."

step() { printf '\n== %s\n' "$*"; "$@"; }

faults() {
    for _ in 1 2 3 4 5; do step cargo test --release --test faults; done
}

crash() {
    BRAINTRUST_TEST_CRASHES=200 step cargo test --release --test crash -- --nocapture
}

soak() {
    BRAINTRUST_TEST_SOAK=10000000 step cargo test --release --test soak
}

loom() {
    LOOM_MAX_PREEMPTIONS=4 step tests/models.sh
}

# What else there is speaks to the system as Miri does not know it, or takes it hours.
miri_modules=(callsite:: clock:: container:: context:: fields:: ids:: record:: escape::)

miri() (
    # With the instructions that a processor may have, where it is asked for them.
    export RUSTFLAGS="${RUSTFLAGS:-} -Ctarget-feature=+avx2" MIRIFLAGS=-Zmiri-disable-isolation
    step cargo +nightly miri test --package braintrust-core --lib --all-features -- "${miri_modules[@]}"
)

[ $# -gt 0 ] || set -- all
for part in "$@"; do
    case $part in
    faults | crash | soak | loom | miri) "$part" ;;
    all) faults && crash && soak && loom && miri ;;
    *) sed -n '2,5p' "$0" >&2 && exit 2 ;;
    esac
done
