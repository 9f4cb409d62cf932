#!/usr/bin/env bash
# The chaos test at full length: three processes killed at random beside broker and database, 5,000 approvals, each paid once.
. "$(dirname "$0")/tools.bash"

ZHIDA_CHAOS_APPROVALS=${ZHIDA_CHAOS_APPROVALS:-5000} \
    cargo test --quiet --workspace --test chaos three_processes_killed_at_random -- --nocapture
