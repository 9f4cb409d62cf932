#!/usr/bin/env bash
# The exhaustive model check: two workers, two payouts, two crashes.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo test --quiet --package zhida-tests --test model -- --nocapture
