#!/usr/bin/env bash
# The AsyncAPI document, read by the official parser (npm package, version pinned in tests/contracts/package.json).
. "$(dirname "$0")/tools.bash"

command -v node >/dev/null && command -v npm >/dev/null || debian nodejs npm
node tests/contracts/asyncapi.mjs "$target/tools/asyncapi"
