#!/usr/bin/env bash
# Monitoring against the real thing: the alert rules' unit tests in promtool, then every expression of the dashboard and of the
# rules in a Prometheus that scrapes a running zhida. Ends 0 when all is well, 77 with the reason when it cannot run here.
#
# ZHIDA_METRICS_URL=http://127.0.0.1:8080/metrics   uses a zhida that runs already (ZHIDA_METRICS_TOKEN if it asks for one)
. "$(dirname "$0")/tools.bash"

# ── the running zhida: the demo, which serves its console until it is ended ──
demo_pid=
start_zhida() {
    local port
    port=$(free_port)
    cargo build -q
    # A process group of its own, so that cargo and the program it starts end together.
    setsid cargo run -q -- demo --listen "127.0.0.1:$port" --dir "$work/demo" >"$work/demo.log" 2>&1 &
    demo_pid=$!
    metrics_url="http://127.0.0.1:$port/metrics"
    ZHIDA_METRICS_TOKEN=demo-token
}
stop_zhida() {
    [ -z "$demo_pid" ] || kill -- "-$demo_pid" 2>/dev/null || true
}

# ── Prometheus: Debian's package, unpacked beside the build; installing it would start a service on this machine ──
prometheus_version=2.42.0
find_prometheus() {
    local tools=$target/tools/prometheus-$prometheus_version
    if [ ! -x "$tools/usr/bin/promtool" ]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "no apt-get to fetch Prometheus $prometheus_version with"
        [ "$(id -u)" != 0 ] || apt-get update -qq >"$work/apt.log" 2>&1 || true
        (cd "$work" && apt-get download -q "prometheus=$prometheus_version*" >>apt.log 2>&1) ||
            skip "Prometheus $prometheus_version is not to be had from this machine's package sources"
        mkdir -p "$tools" && dpkg-deb -x "$work"/prometheus_*.deb "$tools"
    fi
    PATH=$tools/usr/bin:$PATH
}
work=$(mktemp -d)
trap 'stop_zhida; rm -rf "$work"' EXIT
find_prometheus

promtool check rules monitoring/alerts/zhida.rules.yml >"$work/rules.log" 2>&1 || { cat "$work/rules.log"; exit 1; }
promtool test rules monitoring/alerts/zhida.rules.test.yml >"$work/rules.log" 2>&1 || { cat "$work/rules.log"; exit 1; }

metrics_url=${ZHIDA_METRICS_URL:-}
[ -n "$metrics_url" ] || start_zhida
report=$(python3 monitoring/check_dashboard.py "$metrics_url" --seconds 120 ${ZHIDA_METRICS_TOKEN:+--token "$ZHIDA_METRICS_TOKEN"}) || {
    echo "$report"
    [ -z "$demo_pid" ] || tail -20 "$work/demo.log"
    exit 1
}
echo "ok monitoring (Prometheus $prometheus_version): $report"
