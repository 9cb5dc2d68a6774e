"""Grafana's boards as code: `make boards` writes deploy/grafana/boards, a test holds those against this."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "boards"
_DATASOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
_WIDE: Final = 24  # columns of Grafana's grid
_TALL: Final = 8
_RATE: Final = "[$__rate_interval]"


@dataclass(frozen=True)
class Panel:
    """A panel: queries by their legends.

    Attributes:
        unit: as Grafana names it.
        limits: from which value on it is orange, and red.
        kind: timeseries, or stat for what is read as one number.
        says: what an operator should know of it; empty where the title says it.

    """

    title: str
    queries: dict[str, str]
    unit: str = "short"
    limits: tuple[float, float] | None = None
    kind: str = "timeseries"
    says: str = ""
    width: int = 8


def _quantiles(of: str, **among: str) -> dict[str, str]:
    """Return a histogram's p50, p95 and p99."""
    chosen = ",".join(f'{label}="{value}"' for label, value in among.items())
    buckets = f"sum by (le) (rate({of}_bucket{{{chosen}}}{_RATE}))"
    return {f"p{share}": f"histogram_quantile(0.{share}, {buckets})" for share in (50, 95, 99)}


def _by(label: str, expression: str, how: str = "max") -> dict[str, str]:
    return {f"{{{{{label}}}}}": f"{how} by ({label}) ({expression})"}


def _rates(label: str, counter: str) -> dict[str, str]:
    return _by(label, f"rate({counter}{_RATE})", "sum")


BOARDS: Final[dict[str, tuple[str, tuple[Panel, ...]]]] = {
    "overview": (
        "Laurel: overview",
        (
            Panel(
                "Alerts that fire",
                {"{{alertname}}": 'sum by (alertname) (ALERTS{alertstate="firing"})'},
                kind="stat",
                limits=(1, 1),
                width=12,
            ),
            Panel(
                "How fast budgets go",
                {"{{slo}}": "laurel:slo_burn:1h"},
                limits=(1, 14.4),
                says="1: the budget lasts exactly its 30 days (docs/operations/slos.md). Mean of an hour.",
                width=12,
            ),
            Panel("Requests", _rates("class", "laurel_http_requests_total"), "reqps"),
            Panel(
                "Errors",
                {
                    "{{class}} {{status}}": "sum by (class, status)"
                    f' (rate(laurel_http_requests_total{{status=~"5xx|503|429"}}{_RATE}))'
                },
                "reqps",
                says="503: refused, since there is too much to do or PostgreSQL is away. 429: more than was agreed.",
            ),
            Panel("Unlocks", _rates("result", "laurel_unlocks_total"), "ops"),
            Panel(
                "How long unlocks take",
                _quantiles("laurel_http_request_seconds", **{"class": "unlocks"}),
                "s",
                (0.01, 0.025),
            ),
            Panel(
                "How long everything takes, p95",
                {
                    "{{class}}": "histogram_quantile(0.95,"
                    f" sum by (class, le) (rate(laurel_http_request_seconds_bucket{_RATE})))"
                },
                "s",
            ),
            Panel(
                "Requests inside",
                _by("state", "laurel_requests", "sum")
                | {"refused {{sort}}": f"sum by (sort) (rate(laurel_shed_total{_RATE}))"},
                says="Those that wait for their turn at the door, and what is refused there in a second.",
            ),
            Panel(
                "What it stands on",
                _by("dependency", "laurel_dependency_up"),
                limits=None,
                says="1: it answers within a second.",
            ),
            Panel("Processes that answer", {"{{job}}": 'sum by (job) (up{job=~"laurel-.+|nginx"})'}),
            Panel(
                "Memory", {"{{job}} {{instance}}": 'process_resident_memory_bytes{job=~"laurel-.+"}'}, "bytes"
            ),
        ),
    ),
    "followers": (
        "Laurel: followers, queues, jobs",
        (
            Panel(
                "How far behind, in seconds",
                _by("follower", "laurel_follower_lag_seconds"),
                "s",
                (30, 60),
                width=12,
            ),
            Panel("How far behind, in facts", _by("follower", "laurel_follower_lag_facts"), width=12),
            Panel("Facts written", {"facts": f"max(rate(laurel_log_facts_total{_RATE}))"}, "ops"),
            Panel("Facts followed", _rates("follower", "laurel_follower_facts_total"), "ops"),
            Panel(
                "How long a batch takes, p95",
                {
                    "{{follower}}": "histogram_quantile(0.95,"
                    f" sum by (follower, le) (rate(laurel_follower_batch_seconds_bucket{_RATE})))"
                },
                "s",
            ),
            Panel("Tasks that wait", _by("queue", "laurel_queue_depth"), limits=(100, 1000)),
            Panel("Hints", _rates("follower", "laurel_hints_total"), "ops"),
            Panel("Dead letters", _by("follower", "laurel_dead_letters"), limits=(1, 1)),
            Panel(
                "Jobs: since the last success",
                {
                    "{{exported_job}}": "time() - max by (exported_job) (laurel_job_last_success_timestamp_seconds)"
                },
                "s",
                says="Some run every second, some once a day.",
            ),
            Panel(
                "Jobs that failed", _by("exported_job", f"increase(laurel_job_failures_total{_RATE})", "sum")
            ),
            Panel(
                "Since beat looked",
                {"beat": "time() - max(laurel_beat_last_tick_timestamp_seconds)"},
                "s",
                (30, 60),
            ),
        ),
    ),
    "postgresql": (
        "Laurel: PostgreSQL and pools",
        (
            Panel(
                "How long it takes to answer",
                _by(
                    "dependency",
                    'laurel_dependency_latency_seconds{dependency=~"postgresql|pgbouncer|replica"}',
                ),
                "s",
                (0.05, 0.2),
            ),
            Panel(
                "Connections",
                _by("state", "laurel_postgresql_connections")
                | {"most": "max(laurel_postgresql_connections_max)"},
            ),
            Panel(
                "Oldest transaction that writes",
                {"age": "max(laurel_postgresql_oldest_transaction_seconds)"},
                "s",
                (10, 60),
                says="Every follower waits for it.",
            ),
            Panel(
                "Pools",
                {
                    "{{job}} {{state}}": "sum by (job, state) (laurel_db_pool_connections)",
                    "{{job}} most": "sum by (job) (laurel_db_pool_max)",
                },
            ),
            Panel(
                "Who waits for a pool",
                {
                    "{{job}}, now": "sum by (job) (laurel_db_pool_waiting)",
                    "{{job}}, on average": f"sum by (job) (rate(laurel_db_pool_wait_seconds_total{_RATE}))",
                    "{{job}}, in vain": f"sum by (job) (increase(laurel_db_pool_timeouts_total{_RATE}))",
                },
                limits=(1, 5),
            ),
            Panel(
                "Statements over 100 ms",
                {"{{job}}": f"sum by (job) (rate(laurel_slow_queries_total{_RATE}))"},
                "ops",
                (0.1, 1),
            ),
            Panel("The replica is behind by", {"replica": "max(laurel_replica_lag_seconds)"}, "s", (5, 10)),
            Panel("Its volume", _by("volume", "laurel_disk_used_ratio"), "percentunit", (0.8, 0.95)),
            Panel("Clocks are apart by", {"{{instance}}": "laurel_clock_skew_seconds"}, "s"),
        ),
    ),
    "valkey": (
        "Laurel: Valkey, caches, broker",
        (
            Panel("Who answers", _by("dependency", 'laurel_dependency_up{dependency=~"valkey_.+|broker"}')),
            Panel(
                "How long it takes to answer",
                _by("dependency", 'laurel_dependency_latency_seconds{dependency=~"valkey_.+|broker"}'),
                "s",
                (0.02, 0.2),
            ),
            Panel(
                "Entries of boards that were mended",
                {"mended": "max(increase(laurel_board_entries_mended_total[1h]))"},
                limits=(1, 1),
            ),
            Panel(
                "Found in caches",
                {
                    "{{cache}}": f'sum by (cache) (rate(laurel_cache_requests_total{{result="hit"}}{_RATE}))'
                    f" / sum by (cache) (rate(laurel_cache_requests_total{_RATE}))"
                },
                "percentunit",
                width=12,
            ),
            Panel(
                "Looks into caches that failed",
                {"{{cache}}": f'sum by (cache) (rate(laurel_cache_requests_total{{result="error"}}{_RATE}))'},
                "ops",
                (0.1, 1),
                width=12,
            ),
            Panel(
                "Requests refused with 429", _rates("class", "laurel_rate_limited_total"), "reqps", width=12
            ),
            Panel("Looks into caches", _rates("cache", "laurel_cache_requests_total"), "ops", width=12),
        ),
    ),
    "live": (
        "Laurel: live and pushes",
        (
            Panel("Open connections", _by("kind", "laurel_live_connections", "sum")),
            Panel("From an unlock to an open page", _quantiles("laurel_push_seconds"), "s", (0.15, 0.5)),
            Panel("Pushes", {"pushes": f"sum(rate(laurel_pushes_total{_RATE}))"}, "ops"),
            Panel(
                "Connections that were closed", _rates("reason", "laurel_live_dropped_total"), "ops", width=12
            ),
            Panel(
                "Memory for a connection",
                {
                    "{{instance}}": 'sum by (instance) (process_resident_memory_bytes{job="laurel-live"})'
                    " / (sum by (instance) (laurel_live_connections) > 100)"
                },
                "bytes",
                width=12,
            ),
        ),
    ),
    "webhooks": (
        "Laurel: webhooks",
        (
            Panel("Attempts", _rates("outcome", "laurel_webhook_attempts_total"), "ops"),
            Panel(
                "How long attempts take",
                _quantiles("laurel_webhook_attempt_seconds"),
                "s",
                says="What studios' servers take; one that hangs is let go after 15 s.",
            ),
            Panel(
                "Delivered, of all attempts",
                {
                    "delivered": f'sum(rate(laurel_webhook_attempts_total{{outcome="delivered"}}{_RATE}))'
                    f" / sum(rate(laurel_webhook_attempts_total{_RATE}))"
                },
                "percentunit",
            ),
            Panel("Due, and not sent", {"due": "max(laurel_webhooks_due)"}, width=12),
            Panel(
                "The oldest is due for",
                {"oldest": "max(laurel_webhook_oldest_due_seconds)"},
                "s",
                (30, 60),
                width=12,
            ),
        ),
    ),
}


def board(name: str) -> dict[str, Any]:
    """Return a board as Grafana reads it."""
    title, panels = BOARDS[name]
    return {
        "uid": f"laurel-{name}",
        "title": title,
        "tags": ["laurel"],
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "schemaVersion": 39,
        "links": [{"type": "dashboards", "tags": ["laurel"], "title": "Laurel", "asDropdown": True}],
        "panels": list(_placed(panels)),
    }


def _placed(panels: Iterable[Panel]) -> Iterator[dict[str, Any]]:
    """Lay panels in rows, from left to right."""
    x = y = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _WIDE:
            x, y = 0, y + _TALL
        yield {"id": number, "gridPos": {"x": x, "y": y, "w": panel.width, "h": _TALL}, **_drawn(panel)}
        x += panel.width


def _drawn(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.unit == "percentunit":
        defaults |= {"min": 0, "max": 1}
    if panel.limits:
        colours = zip(("green", "orange", "red"), (None, *panel.limits), strict=True)
        steps = [{"color": colour, "value": value} for colour, value in colours]
        defaults |= {"thresholds": {"mode": "absolute", "steps": steps}}
        if panel.kind == "timeseries":
            defaults |= {"custom": {"thresholdsStyle": {"mode": "line"}}}
    return {
        "type": panel.kind,
        "title": panel.title,
        **({"description": panel.says} if panel.says else {}),
        "datasource": _DATASOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "expr": expression,
                "legendFormat": legend,
                "datasource": _DATASOURCE,
            }
            for number, (legend, expression) in enumerate(panel.queries.items())
        ],
    }


def text(name: str) -> str:
    """Return a board's file."""
    return json.dumps(board(name), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in BOARDS:
        (FOLDER / f"{each}.json").write_text(text(each))
