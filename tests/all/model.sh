#!/usr/bin/env bash
# The model check in full: what tests/run visits, and two payouts with workers that linger and with messages refused whole.
set -euo pipefail
cd "$(dirname "$0")/../.."
ZHIDA_MODEL=full cargo test --quiet --package zhida-tests --test model -- --nocapture
