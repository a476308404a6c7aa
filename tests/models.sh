#!/usr/bin/env bash
# Runs the models of hand-overs between threads (`models.rs` in braintrust-core) under Loom, in every order of the threads'
# steps up to a number of preemptions, which LOOM_MAX_PREEMPTIONS raises.
#
# The flag goes to the one crate only: dependencies are those of any other build.
set -euo pipefail
cd "$(dirname "$0")/.."

build=(cargo rustc --quiet --package braintrust-core --lib --profile test --message-format json)
models=$("${build[@]}" -- --cfg braintrust_loom --allow warnings | python3 -c 'import json, sys
for message in map(json.loads, sys.stdin):
    if message.get("executable"): print(message["executable"])')
"$models" models
