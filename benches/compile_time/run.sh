#!/usr/bin/env bash
# Compares what attributes cost the compiler: the same crate of 200 functions without one, under `#[traced]`, and under
# `#[tracing::instrument(ret)]`. Prints CPU seconds of rustc for each, the least of several rounds: benches/compile_time/run.sh [rounds].
set -euo pipefail
# What fails within `$(..)` fails here too.
shopt -s inherit_errexit
cd "$(dirname "$0")"
rounds=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Half of the functions are async; each has two arguments, one of them a struct, and a result.
write_crate() { # name, attribute, dependency
    mkdir -p "$work/$1/src"
    printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\nserde = { version = "1", features = ["derive"] }\n%s\n[workspace]\n' \
        "$1" "$3" >"$work/$1/Cargo.toml"
    {
        printf '#[derive(Debug, Clone, serde::Serialize)]\npub struct Request { pub id: u64, pub text: String }\n'
        for n in $(seq 1 100); do
            printf '%s\npub fn sync_%s(request: &Request, count: usize) -> Result<String, std::fmt::Error> {\n    if count > 3 { return Err(std::fmt::Error); }\n    Ok(format!("{} {count}", request.text))\n}\n' "$2" "$n"
            printf '%s\npub async fn async_%s(request: &Request, count: usize) -> Result<String, std::fmt::Error> {\n    if count > 3 { return Err(std::fmt::Error); }\n    Ok(format!("{} {count}", request.text))\n}\n' "$2" "$n"
        done
    } >"$work/$1/src/lib.rs"
}

write_crate none '' ''
write_crate braintrust '#[braintrust::traced]' "braintrust = { path = \"$(cd ../.. && pwd)\" }"
write_crate tracing '#[tracing::instrument(ret)]' 'tracing = "0.1"'

# CPU seconds that one command takes, children included.
cpu_seconds() { python3 - "$@" <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{used.ru_utime + used.ru_stime:.2f}")
P
}

measure() { # crate, cargo command
    cargo "$2" --quiet --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1/target" 2>/dev/null
    for _ in $(seq 1 "$rounds"); do
        # Alone: the dependencies are built, and what is incremental is thrown away.
        cargo clean --quiet --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1/target" -p "$1" 2>/dev/null
        cpu_seconds cargo "$2" --quiet --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1/target"
    done | sort -n | head -n 1
}

# Builds again after one function has changed.
measure_change() { # crate, cargo command
    for round in $(seq 1 "$rounds"); do
        sed -i "0,/count > [0-9]*/s//count > $((round + 3))/" "$work/$1/src/lib.rs"
        cpu_seconds cargo "$2" --quiet --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1/target"
    done | sort -n | head -n 1
}

printf '%-12s %12s %12s %12s %12s\n' crate build 'build again' check 'check again'
for crate in none braintrust tracing; do
    build=$(measure $crate build)
    build_again=$(measure_change $crate build)
    check=$(measure $crate check)
    check_again=$(measure_change $crate check)
    printf '%-12s %12s %12s %12s %12s\n' "$crate" "$build" "$build_again" "$check" "$check_again"
done
