#!/usr/bin/env python3
"""Asks a real Prometheus every question of the dashboard and of the alert rules, about a running zhida.

Fails, with names, when a panel's expression returns nothing, when a rule cannot be evaluated, or when a series that a rule
selects does not exist (a rule about a misspelt label would never fire). It judges no values.

usage: check_dashboard.py METRICS_URL [--prometheus PATH] [--token TOKEN] [--seconds N]
"""

import argparse
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("metrics_url")
    parser.add_argument("--prometheus", default="prometheus")
    parser.add_argument("--token")
    parser.add_argument("--seconds", type=int, default=90, help="how long to wait for everything to have data")
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        with Prometheus(pathlib.Path(folder), options) as prometheus:
            wait_for(lambda: prometheus.scrapes() >= 2, deadline, "two scrapes of " + options.metrics_url)
            findings = wait_until_complete(prometheus, deadline)
    for finding in findings:
        print(finding, file=sys.stderr)
    sys.exit(1 if findings else 0)


class Prometheus:
    """A Prometheus of our own on a free loopback port, ended by its own pid."""

    def __init__(self, folder, options):
        target = urllib.parse.urlsplit(options.metrics_url)
        token = f"    authorization: {{credentials: {json.dumps(options.token)}}}\n" if options.token else ""
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: [{json.dumps(str(HERE / 'alerts' / 'zhida.rules.yml'))}]\n"
            "scrape_configs:\n"
            f"  - job_name: zhida\n    scheme: {target.scheme}\n    metrics_path: {target.path}\n{token}"
            f"    static_configs: [{{targets: [{json.dumps(target.netloc)}]}}]\n"
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        self.url = f"http://{address}/api/v1/"
        self.log = folder / "prometheus.log"
        self.command = [
            options.prometheus,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ]

    def __enter__(self):
        with self.log.open("w") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, path, **query):
        if self.process.poll() is not None:
            sys.exit("prometheus ended by itself:\n" + self.log.read_text())
        try:
            with OPENER.open(self.url + path + "?" + urllib.parse.urlencode(query), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except urllib.error.URLError as error:
            return {"status": "error", "error": str(error)}

    def samples(self, expression):
        """The samples an expression returns now; an error is raised as ValueError."""
        answer = self.get("query", query=expression)
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        return answer["data"]["result"]

    def scrapes(self):
        try:
            good = self.samples('sum_over_time(up{job="zhida"}[5m])')
        except ValueError:
            return 0  # still starting
        return int(good[0]["value"][1]) if good else 0

    def rules(self):
        groups = self.get("rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


def wait_for(condition, deadline, what):
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.2)


def wait_until_complete(prometheus, deadline):
    """Findings once there are none, or those left at the deadline: some figures come with the first payment."""
    while True:
        findings, report = examine(prometheus)
        if not findings or time.monotonic() > deadline:
            print(report)
            return findings
        time.sleep(1)


def examine(prometheus):
    findings, panels, without_value = [], 0, []
    for title, expression in dashboard_expressions():
        panels += 1
        try:
            samples = prometheus.samples(expression)
        except ValueError as error:
            findings.append(f"dashboard, {title}: {expression}: {error}")
            continue
        if not samples:
            findings.append(f"dashboard, {title}: {expression}: returns nothing")
        elif all(sample["value"][1] == "NaN" for sample in samples):
            without_value.append(title)
    rules = prometheus.rules()
    if not rules:
        findings.append("rules: none loaded")
    selectors = set()
    for rule in rules:
        if rule["health"] != "ok":
            findings.append(f"rule {rule['name']}: {rule['health']} {rule.get('lastError', '')}")
        found = re.findall(r'\b(?:zhida_\w+|up)(?:\{[^}]*\})?', rule["query"])
        selectors.update((rule["name"], selector) for selector in found)
    for name, selector in sorted(selectors):
        if not prometheus.samples(selector):
            findings.append(f"rule {name}: no series {selector}")
    quiet = f"; returned, but quiet for 5 minutes: {', '.join(without_value)}" if without_value else ""
    return findings, f"{panels} expressions of the dashboard, {len(rules)} rules, {len(selectors)} selectors{quiet}"


def dashboard_expressions():
    dashboard = json.loads((HERE / "dashboards" / "zhida.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


if __name__ == "__main__":
    main()
