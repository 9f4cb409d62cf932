#!/usr/bin/env bash
# The HTTP API against its own OpenAPI document: schemathesis (PyPI) sends what the document allows and forbids to a private
# `zhida serve` on SQLite with the sandbox's bank, every check on. Ends 0 when all is well, 77 with the reason when it cannot run here.
#
#   tests/all/schemathesis.sh --seed 7      further arguments go to schemathesis, after those below
. "$(dirname "$0")/tools.bash"

python_packages schemathesis schemathesis==4.32.5
cargo build --quiet
zhida=$target/debug/zhida

work=$(mktemp -d)
processes=()
stop() {
    [ ${#processes[@]} = 0 ] || kill "${processes[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
bank=127.0.0.1:$(free_port) api=127.0.0.1:$(free_port)
cat >"$work/zhida.toml" <<TOML
environment = "sandbox"
[district]
id = "schema"
[database]
url = "sqlite:$work/zhida.db"
[store]
incarnation_file = "$work/incarnation"
[bank]
kind = "iso20022-http"
url = "http://$bank"
[http]
listen = "$api"
api_token = "schemathesis-token"
[intake.trusted_keys]
review = "$("$zhida" sign --generate "$work/review.key" 2>/dev/null)"
TOML
"$zhida" --config "$work/zhida.toml" migrate
"$zhida" sandbox --listen "$bank" >"$work/sandbox.log" 2>&1 &
processes+=($!)
"$zhida" --config "$work/zhida.toml" serve >"$work/serve.log" 2>&1 &
processes+=($!)

# The payout of the document's example, so that reading is not all 404.
now=$(date +%Y-%m-%dT%H:%M:%S%:z)
cat >"$work/approval.json" <<JSON
{"specversion": "1.0", "id": "e-1", "source": "/review/schema", "type": "application.approved.v1", "subject": "A-2026-000123",
 "data": {"application_id": "A-2026-000123", "policy_id": "P-1", "enterprise": {"uscc": "91350100M000100Y43", "name": "示例科技有限责任公司"},
  "amount": {"currency": "CNY", "value": "200.50"}, "approved_at": "$now",
  "payee": {"account_name": "示例科技有限责任公司", "account_no": "4000020109000000001", "bank_code": "102100099996", "bank_name": "示例银行"},
  "approvals": [{"department_id": "D-1", "officer_id": "O-1", "decided_at": "$now"}]}}
JSON
"$zhida" sign --key "$work/review.key" --keyid review "$work/approval.json" >"$work/signed.json"
"$zhida" --config "$work/zhida.toml" submit "$work/signed.json"

status=0
(cd "$work" && "$python/schemathesis" --config-file /dev/null run "http://$api/v1/openapi.json" --wait-for-schema 60 \
    --header "Authorization: Bearer schemathesis-token" --checks all --seed 1 --max-examples 50 --no-color "$@") || status=$?
# That events went into quarantine is told, and is what forbidden ones are sent for; that nobody is told anything is so here; and a year
# without a calendar may be near.
grep -E '"level":"(ERROR|WARN)"' "$work/serve.log" |
    grep -vE 'events went into quarantine|no notice is sent|"kind":"calendar_missing"' >"$work/complaints" || true
if [ "$status" != 0 ] || [ -s "$work/complaints" ]; then
    echo "the service said:"
    tail -n 20 "$work/complaints"
    exit 1
fi
