#!/usr/bin/env bash
# The AsyncAPI document, read by the official parser (npm package, version pinned in tests/contracts/package.json).
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v node >/dev/null && command -v npm >/dev/null || { echo "skipped: node and npm are not here"; exit 77; }
node tests/contracts/asyncapi.mjs
