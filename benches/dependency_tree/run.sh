#!/usr/bin/env bash
# What a dependency brings along: builds each program of start/ from nothing and prints crates, CPU seconds of a dev and
# of a release build, and the megabytes of the stripped release program: benches/dependency_tree/run.sh [program ...].
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=("$@")
[ $# -gt 0 ] || programs=(bare braintrust tracing tracing-otel fastrace fastrace-otel braintrust-sdk-rust)

# CPU seconds of a command, children included.
cpu_seconds() { python3 - "$@" <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{used.ru_utime + used.ru_stime:.1f}")
P
}

printf '%-20s %8s %8s %8s %8s\n' program crates dev release megabytes
for program in "${programs[@]}"; do
    build=(cargo build --quiet --package "start-$program" --target-dir "$work/$program")
    crates=$(cargo tree --quiet --package "start-$program" --edges normal,build --prefix none --format '{p}' |
        sed 's/ (\*)$//' | sort -u | wc -l)
    # Plain profiles: what somebody gets who only adds the dependency.
    dev=$(CARGO_PROFILE_DEV_DEBUG=2 cpu_seconds "${build[@]}")
    release=$(CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=true \
        cpu_seconds "${build[@]}" --release)
    bytes=$(stat --format %s "$work/$program/release/start-$program")
    printf '%-20s %8s %8s %8s %8s\n' "$program" "$crates" "$dev" "$release" \
        "$(python3 -c "print(f'{$bytes / 1e6:.2f}')")"
    rm -rf "${work:?}/$program"
done
