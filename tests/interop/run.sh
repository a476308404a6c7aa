#!/usr/bin/env bash
# Exchanges slugs and headers with the official SDKs; see README.md. Skips with a message what can't be had.
# Packages are installed into $BRAINTRUST_INTEROP_DIR if that is set, and else into a folder that is removed again.
set -euo pipefail
cd "$(dirname "$0")"

skip() {
    echo "interop: skipped: $*"
    exit 0
}

command -v python3 >/dev/null || skip "python3 is not installed, and the exchange is written in it"

if [[ -n ${BRAINTRUST_INTEROP_DIR:-} ]]; then
    packages=$BRAINTRUST_INTEROP_DIR
    mkdir -p "$packages"
else
    packages=$(mktemp -d)
    trap 'rm -rf "$packages"' EXIT
fi

# The versions that were checked last, so that a new release fails nobody's change.
PYTHON_SDK=0.47.0
NODE_SDK=3.35.0

# These are called where `set -e` doesn't hold, so they check each step themselves.
install_python() {
    [[ -x $packages/venv/bin/python ]] || python3 -m venv "$packages/venv" || return 1
    "$packages/venv/bin/python" -c 'import braintrust' 2>/dev/null ||
        "$packages/venv/bin/pip" install --quiet --disable-pip-version-check "braintrust==$PYTHON_SDK"
}

install_node() {
    if ! command -v node || ! command -v npm; then
        echo "node or npm is not installed"
        return 1
    fi
    mkdir -p "$packages/node"
    if [[ ! -d $packages/node/node_modules/braintrust ]]; then
        npm install --prefix "$packages/node" --loglevel=error --no-fund --no-audit "braintrust@$NODE_SDK" || return 1
    fi
    cp node/peer.mjs "$packages/node/"
}

install_python >"$packages/python.log" 2>&1 ||
    skip "PyPI's braintrust can't be installed: $(tail -n1 "$packages/python.log")"
peers=(rust python)
if install_node >"$packages/node.log" 2>&1; then
    peers+=(node)
else
    echo "interop: without node: npm's braintrust can't be installed: $(tail -n1 "$packages/node.log")"
fi

target=${CARGO_TARGET_DIR:-$PWD/../../target}
cargo build --quiet --manifest-path rust/Cargo.toml --target-dir "$target"

export BRAINTRUST_INTEROP_RUST="$target/debug/braintrust-interop"
export BRAINTRUST_INTEROP_PYTHON="$packages/venv/bin/python $PWD/python/peer.py"
export BRAINTRUST_INTEROP_NODE="node $packages/node/peer.mjs"
"$packages/venv/bin/python" exchange.py "${peers[@]}"
