#!/usr/bin/env bash
# Counts the instructions of each hot path under callgrind and compares them with counts.txt: a rise of more than a tenth
# fails. Instructions don't depend on how busy the machine is, but on the compiler: under another rustc than that of
# counts.txt they are printed and not compared. benches/instructions/run.sh [--store] writes counts.txt anew.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v valgrind >/dev/null; then
    echo "valgrind is not installed, so instructions cannot be counted"
    exit 1
fi
cargo build --quiet --release --package instructions
program=$(cargo build --quiet --release --package instructions --message-format json |
    python3 -c 'import json,sys
for line in sys.stdin:
    built = json.loads(line)
    if built.get("target", {}).get("name") == "instructions" and built.get("executable"): print(built["executable"])')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One run for each side. The C library's way of copying depends on the processor; one that all have is chosen.
for side in caller exporter; do
    GLIBC_TUNABLES=glibc.cpu.hwcaps=-ERMS,-FSRM BRAINTRUST_API_KEY='' \
        valgrind --quiet --tool=callgrind --fair-sched=yes --callgrind-out-file="$work/$side.out" \
        "$program" "$side" "$work/folder-$side" >/dev/null
    callgrind_annotate --auto=no --inclusive=yes --threshold=100 "$work/$side.out" >"$work/$side.txt"
done

python3 - "$work" "${1:-}" "$(rustc --version) on $(rustc -vV | sed -n 's/^host: //p')" <<'P'
import pathlib, re, sys

work, store, compiler = pathlib.Path(sys.argv[1]), sys.argv[2] == "--store", sys.argv[3]
stored_at = pathlib.Path("counts.txt")
TIMES = 10_000
LARGE_TIMES = 100
ALLOWED = 1.10
# What is counted, on which side, by the names of which functions, and how often it was done.
PATHS = {
    "call, off": ("caller", ["instructions::call_off"], TIMES),
    "async call, off": ("caller", ["instructions::async_call_off"], TIMES),
    "poll": ("caller", ["instructions::poll"], TIMES),
    "async call": ("caller", ["instructions::async_call"], TIMES),
    "span": ("caller", ["instructions::span"], TIMES),
    "root span": ("caller", ["instructions::root_span"], TIMES),
    "remote span": ("caller", ["instructions::remote_span"], TIMES),
    "span by hand": ("caller", ["instructions::span_by_hand"], TIMES),
    "argument by Debug": ("caller", ["instructions::debug"], TIMES),
    "remote 651 bytes": ("caller", ["instructions::remote_payload"], TIMES),
    "651 bytes captured": ("caller", ["instructions::payload"], TIMES),
    "64 KiB captured": ("caller", ["instructions::prompt"], LARGE_TIMES),
    "join and row": ("exporter", [f"braintrust_core::export::join::Joiner::{part}" for part in ("begin", "join")], TIMES),
    "all that the exporter does": ("exporter", ["braintrust_core::export::worker::Worker::export::{{closure}}"], TIMES),
}

def count(side, function):
    pattern = re.compile(r"^\s*([\d,]+) \([^)]*\)\s+\S*?:?" + re.escape(function) + r"(?:'\d+)?(?: \[.*\])?$")
    found = [pattern.match(line) for line in (work / f"{side}.txt").read_text().splitlines()]
    counts = [int(match.group(1).replace(",", "")) for match in found if match]
    if not counts:
        sys.exit(f"callgrind has seen no function `{function}`; is it inlined, or has it another name?")
    return max(counts)

counts = {
    name: sum(count(side, function) for function in functions) / times
    for name, (side, functions, times) in PATHS.items()
}
if store:
    lines = [f"# Instructions for each operation, by callgrind, under {compiler}.\n"]
    stored_at.write_text("".join(lines + [f"{count:9.1f}  {name}\n" for name, count in counts.items()]))
    print(stored_at.read_text(), end="")
    sys.exit()

header, *lines = stored_at.read_text().splitlines()
stored = {name: float(count) for count, name in (line.split(maxsplit=1) for line in lines)}
same_compiler = header.endswith(f"under {compiler}.")
risen = []
print(f"{'':20} {'now':>9} {'stored':>9}")
for name, count in counts.items():
    before = stored.get(name, float("nan"))
    print(f"{name:20} {count:9.1f} {before:9.1f}")
    if not count <= before * ALLOWED:
        risen.append(name)
if not same_compiler:
    print(f"not compared: the stored counts are of another compiler ({header.lstrip('# ')})")
elif risen:
    sys.exit(f"more than {ALLOWED - 1:.0%} more instructions than stored: {', '.join(risen)}; make them fewer, "
             "or, if they are worth it, store them with `benches/instructions/run.sh --store`")
P
