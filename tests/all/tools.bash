# What the scripts of this folder share; sourced, not run. Further programs are kept under the build's folder in tools/ and are
# fetched once, by the ordinary clients of their registries.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Tells tests/run that this check cannot run here, and why.
skip() {
    echo "skipped: $1"
    exit 77
}

# debian PACKAGE…: installs Debian's packages.
debian() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
    if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
        skip "$* must be installed first (Debian: apt-get install $*)"
    fi
    "${as_root[@]}" apt-get update -qq >/dev/null || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        skip "Debian's $* cannot be installed"
}

command -v python3 >/dev/null || debian python3

# The folder cargo builds into.
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

# python_packages NAME REQUIREMENT…: sets `python`, a folder of programs with these packages of PyPI.
python_packages() {
    local folder=$target/tools/$1
    shift
    python=$folder/bin
    # Written last, so that a folder that was broken off or holds other versions is made anew.
    if [ "$(cat "$folder/complete" 2>/dev/null)" = "$*" ]; then return; fi
    rm -rf "$folder"
    python3 -c 'import venv, ensurepip' 2>/dev/null || debian python3-venv
    python3 -m venv "$folder" || skip "python3 cannot make an environment of its own"
    "$python/pip" install --quiet --disable-pip-version-check "$@" || skip "the Python packages $* cannot be fetched"
    echo "$*" >"$folder/complete"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
