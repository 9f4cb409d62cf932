#!/usr/bin/env bash
# The README's sender in Python: its very lines, with the client library pika (PyPI), hand a signed approval to a private broker,
# and a private zhida takes it in. Ends 0 when all is well, 77 with the reason when it cannot run here.
. "$(dirname "$0")/tools.bash"

python_packages pika pika==1.3.2
cargo build --quiet
zhida=$target/debug/zhida

work=$(mktemp -d)
process=
stop() {
    [ -z "$process" ] || kill "$process" 2>/dev/null || true
    exec {input}>&-
    wait 2>/dev/null || true
    rm -rf "$work"
}
# The broker ends with its input.
mkfifo "$work/in" "$work/out"
tests/servers/rabbitmq <"$work/in" >"$work/out" &
exec {input}>"$work/in" {output}<"$work/out"
trap stop EXIT
read -r greeting <&"$output"
[[ $greeting == "ready url="* ]] || { echo "the broker did not start: $greeting"; exit 1; }
broker=${greeting#ready url=}

cat >"$work/zhida.toml" <<TOML
environment = "sandbox"
[district]
id = "pika"
[database]
url = "sqlite:$work/zhida.db"
[store]
incarnation_file = "$work/incarnation"
[queue]
url = "$broker"
[bank]
kind = "iso20022-http"
url = "http://127.0.0.1:9"
[http]
listen = "127.0.0.1:0"
[intake.trusted_keys]
review = "$("$zhida" sign --generate "$work/review.key" 2>/dev/null)"
TOML
export ZHIDA_CONFIG=$work/zhida.toml
"$zhida" migrate
"$zhida" sign --key "$work/review.key" --keyid review schemas/v1/application.approved.v1.example.json >"$work/signed.json"
awk '/^```python$/ { on = 1; next } /^```$/ { on = 0 } on' README.md |
    sed "s|amqp://guest:guest@127.0.0.1:5672/%2f|$broker|" >"$work/send.py"
grep -qF "$broker" "$work/send.py" || { echo "the README's address of the broker is another than this script looks for"; exit 1; }
(cd "$work" && "$python/python" send.py)

"$zhida" serve --only intake 2>"$work/serve.log" &
process=$!
application=$(python3 -c 'import json; print(json.load(open("schemas/v1/application.approved.v1.example.json"))["subject"])')
for _ in $(seq 120); do
    if "$zhida" trace "$application" 2>"$work/trace.log" | grep "way=amqp"; then exit 0; fi
    sleep 0.5
done
cat "$work/trace.log" "$work/serve.log"
"$zhida" quarantine list
exit 1
