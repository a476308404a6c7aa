#!/usr/bin/env bash
# Compares braintrust with its peers: builds everything, measures everything, prints the tables and writes RESULTS.md.
# benches/run.sh [--quick] [--write] [caller|allocations|flood|start|compile|tree ...]
# With --quick, or with parts named, nothing is written but with --write.
set -euo pipefail
cd "$(dirname "$0")"
cargo build --quiet --release --workspace
exec cargo run --quiet --release --bin comparison -- "$@"
