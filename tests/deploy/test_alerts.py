"""What Prometheus and Grafana are told to look at: alerts can be looked up and are tried, and metrics are there.

That each fires when it should, `make rules` tries with promtool, and `make alarms` with everything running.
"""

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.children import BASE_DIR
from config.production import procfile
from tests.deploy.alarms import FAULTS

PROMETHEUS = BASE_DIR / "deploy" / "prometheus"
GRAFANA = BASE_DIR / "deploy" / "grafana"
BOARDS = sorted((GRAFANA / "boards").glob("*.json"))
PROMTOOL = shutil.which("promtool")
OPERATIONS = BASE_DIR / "docs" / "operations"
RULES = [
    rule
    for path in sorted((PROMETHEUS / "rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
_OF_A_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


def explained() -> set[str]:
    page = (OPERATIONS / "metrics.md").read_text()
    return set(re.findall(r"^\| `(laurel_[a-z_]+)`", page, re.MULTILINE))


def unknown(expression: str) -> set[str]:
    """Return the metrics of ours that an expression names and nobody tells."""
    there = explained()
    named = set(re.findall(r"\blaurel_[a-z_]+", expression))
    recorded = set(re.findall(r"\blaurel:[a-z0-9_:]+", expression))
    return {name for name in named if not {name, _OF_A_HISTOGRAM.sub("", name)} & there} | recorded - RECORDED


def expressions(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("expr"), str):
            yield part["expr"]
        for inner in part.values():
            yield from expressions(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from expressions(inner)


def test_each_alert_says_how_bad_it_is_and_where_to_look_it_up() -> None:
    headings = re.findall(r"^### (\w+)$", (OPERATIONS / "runbooks.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["labels"] == {"severity": rule["labels"]["severity"]}
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, name
        assert rule["annotations"]["runbook_url"] == f"docs/operations/runbooks.md#{name.lower()}"


def test_each_alert_is_tried_out() -> None:
    tried = "".join(path.read_text() for path in (PROMETHEUS / "tests").glob("*.yml"))
    assert {name for name in ALERTS if not re.search(rf"\b{name}\b", tried)} == set()


def test_rules_and_boards_ask_for_metrics_that_there_are() -> None:
    assert {rule["expr"]: unknown(rule["expr"]) for rule in RULES if unknown(rule["expr"])} == {}
    for path in BOARDS:
        asked = list(expressions(json.loads(path.read_text())))
        assert asked
        assert {expression: unknown(expression) for expression in asked if unknown(expression)} == {}, path


def test_boards_are_what_their_program_writes_and_ask_the_prometheus_that_is_provisioned() -> None:
    written = runpy.run_path(str(GRAFANA / "boards.py"))
    assert [path.stem for path in BOARDS] == sorted(written["BOARDS"])
    assert {path.stem for path in BOARDS if path.read_text() != written["text"](path.stem)} == set()
    sources = yaml.safe_load((GRAFANA / "datasources" / "prometheus.yaml").read_text())["datasources"]
    asked = {
        panel["datasource"]["uid"] for path in BOARDS for panel in json.loads(path.read_text())["panels"]
    }
    assert asked == {source["uid"] for source in sources}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_understands_what_boards_ask(tmp_path: Path) -> None:
    asked = {expression for path in BOARDS for expression in expressions(json.loads(path.read_text()))}
    rules = [
        {"record": f"asked:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(sorted(asked))
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    said = subprocess.run(
        [str(PROMTOOL), "check", "rules", "--lint=none", str(tmp_path / "rules.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_process_is_killed_and_every_server_frozen_for_the_proof() -> None:
    lines = {name for name, _ in procfile.lines(procfile.PROCFILE.read_text())} - {"epmd"}
    servers = {"postgres", "pgbouncer", "valkey-boards", "valkey-cache", "rabbitmq", "nginx"}
    struck = {
        kind: {name for fault in FAULTS if fault.kind == kind for name in fault.names}
        for kind in ("killed", "frozen")
    }
    assert struck["killed"] == lines
    assert struck["frozen"] >= servers
    assert {fault.alert["alertname"] for fault in FAULTS} <= ALERTS.keys()
