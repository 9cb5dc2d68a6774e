"""What one process tells of the whole installation: the relay looks every few seconds, in a thread of its own.

What is not known is not told: figures that are left out are what an alert sees of a dependency that is away, besides
`laurel_dependency_up`. Two relays tell the same; alerts take the higher one.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import structlog
from django.conf import settings
from django.utils.module_loading import import_string
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import disk, facts, replica, server_time
from core.dependencies import BROKER, OK, POSTGRESQL, REPLICA, Found, Watch
from core.direct import Ask, Direct
from core.metrics import jobs, queues

log = structlog.get_logger(__name__)

LOOKS_EVERY_S: Final = 5.0
ANSWERS_WITHIN_S: Final = 1.0
OLD_AFTER_S: Final = 20.0  # what nobody has looked at since is not known any more
COUNTED_EXACTLY: Final = 10_000  # facts that a follower is behind
_LOST_AT_MOST: Final = 1  # of the parts, by a statement that took too long
_STATES: Final = {
    "active": "active",
    "idle": "idle",
    "idle in transaction": "idle_in_transaction",
    "idle in transaction (aborted)": "idle_in_transaction",
}
# Seconds between the clocks of a process and of PostgreSQL: the answer's own way is half of what it took.
_SESSIONS: Final = """
SELECT coalesce(state, ''), count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1
"""
# Whoever writes holds back every follower until he is done; who reads does not.
_SERVER: Final = """
SELECT coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
                  WHERE backend_xid IS NOT NULL), 0)::float8,
       current_setting('max_connections')::integer,
       (SELECT coalesce(last_value, 0) FROM pg_sequences
         WHERE schemaname = current_schema() AND sequencename = 'core_fact_id_seq')
"""
HEAD: Final = """
SELECT coalesce((SELECT id FROM core_fact WHERE tx < pg_snapshot_xmin(pg_current_snapshot())
                  ORDER BY tx DESC, id DESC LIMIT 1), 0)
"""
# Exact where it is little: counting millions of facts every few seconds would hold up who catches up. Ids are dense.
LAGS: Final = """
SELECT f.name, CASE WHEN few.n < $2 THEN few.n ELSE greatest($2, $3::bigint - f.fact_id) END,
       coalesce(extract(epoch FROM clock_timestamp() - next.at), 0)::float8,
       (SELECT count(*) FROM core_deadletter d WHERE d.follower = f.name AND d.replayed_at IS NULL)
  FROM core_follower f
 CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM core_fact WHERE (tx, id) > (f.tx::text::xid8, f.fact_id)
                      ORDER BY tx, id LIMIT $2) AS ahead) AS few
  LEFT JOIN LATERAL (SELECT at FROM core_fact WHERE (tx, id) > (f.tx::text::xid8, f.fact_id)
                      ORDER BY tx, id LIMIT 1) AS next ON true
 WHERE f.name = ANY($1::text[]) ORDER BY f.name
"""
_JOBS: Final = """
SELECT name, extract(epoch FROM succeeded_at)::float8 FROM core_job WHERE succeeded_at IS NOT NULL
"""
Figures = Callable[[Ask], Iterable[Metric]]


def gauge(name: str, documentation: str, values: dict[str, float] | float, label: str = "") -> Metric:
    """Return a gauge with one value, or with one for each value of its label."""
    return _filled(GaugeMetricFamily(name, documentation, labels=[label] if label else []), values)


def counter(name: str, documentation: str, values: dict[str, float] | float, label: str = "") -> Metric:
    """Return a counter likewise; `name` is without `_total`."""
    return _filled(CounterMetricFamily(name, documentation, labels=[label] if label else []), values)


def _filled(family: Any, values: dict[str, float] | float) -> Metric:
    if isinstance(values, dict):
        for labelled, value in values.items():
            family.add_metric([labelled], value)
    else:
        family.add_metric([], values)
    filled: Metric = family
    return filled


class Installation(Collector):
    """What was found the last time."""

    def __init__(self) -> None:
        """Know nothing yet, and tell from now on."""
        self._watch = Watch(within_s=ANSWERS_WITHIN_S)
        self._way = Direct(within_s=ANSWERS_WITHIN_S)
        self._ask = self._way.ask
        self._metrics: list[Metric] = []
        self._at = float("-inf")
        REGISTRY.register(self)

    def describe(self) -> list[Metric]:
        """Name nothing beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Tell what was found, if that is not long ago."""
        if time.monotonic() - self._at < OLD_AFTER_S:
            yield from self._metrics

    def close(self) -> None:
        """Let go of every connection."""
        self._watch.close()
        self._way.close()

    def look(self) -> None:
        """Look at everything once."""
        found = self._watch.look()
        metrics = [*_dependencies(found)]
        if found[POSTGRESQL].latency_s is not None:
            lost = 0
            parts: list[Figures] = [
                _clock,
                _server,
                _followers,
                _jobs,
                *map(import_string, settings.INSTALLATION_FIGURES),
            ]
            for part in parts:
                metrics += self._of(part, self._ask)
                lost += not self._way.is_open
                if lost > _LOST_AT_MOST:
                    break  # it went away meanwhile: the other parts would wait for it one by one
        if REPLICA in found and (lag := replica.lag_seconds()) is not None:
            metrics.append(gauge("laurel_replica_lag_seconds", "How far the replica is behind.", lag))
        if BROKER in found and found[BROKER].status == OK:
            metrics += self._of(queues.depths, self._ask)
        metrics += _disk()
        self._metrics, self._at = metrics, time.monotonic()

    def _of(self, part: Figures, ask: Ask) -> list[Metric]:
        try:
            return list(part(ask))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts are told
            log.warning(
                "a part of the metrics is not known", part=part.__name__, error=str(error).split("\n")[0]
            )
            return []


def _dependencies(found: dict[str, Found]) -> Iterator[Metric]:
    yield gauge(
        "laurel_dependency_up",
        "Whether a dependency answers, and PostgreSQL is as it should be.",
        {name: float(each.serves) for name, each in found.items()},
        "dependency",
    )
    yield gauge(
        "laurel_dependency_latency_seconds",
        "How long it took to answer.",
        {name: each.latency_s for name, each in found.items() if each.latency_s is not None},
        "dependency",
    )
    if found[POSTGRESQL].latency_s is not None:
        yield gauge(
            "laurel_postgresql_unsafe_settings",
            "Settings that are off by which it may lose what it has acknowledged.",
            len(found[POSTGRESQL].off),
        )
    if found[POSTGRESQL].serves:  # nobody looks at time-outs before
        yield gauge(
            "laurel_postgresql_other_time_outs",
            "Time-outs of the relay's sessions that are not those it would ask for.",
            len(found[POSTGRESQL].others),
        )


def _clock(ask: Ask) -> Iterator[Metric]:
    behind_s, _ = server_time.measure(ask)
    yield gauge("laurel_clock_skew_seconds", "By how much our clock is ahead of PostgreSQL's.", -behind_s)


def _server(ask: Ask) -> Iterator[Metric]:
    oldest_s, most, facts_written = ask(_SERVER)[0]
    yield gauge(
        "laurel_postgresql_oldest_transaction_seconds",
        "Age of the oldest transaction that writes; all followers wait for it.",
        oldest_s,
    )
    yield gauge("laurel_postgresql_connections_max", "How many connections PostgreSQL takes.", most)
    states = dict.fromkeys(("active", "idle", "idle_in_transaction", "other"), 0.0)
    for state, count in ask(_SESSIONS):
        states[_STATES.get(state, "other")] += count
    yield gauge("laurel_postgresql_connections", "Connections that PostgreSQL has.", states, "state")
    yield counter("laurel_log_facts", "Facts written since the log began.", facts_written or 0)


def _followers(ask: Ask) -> Iterator[Metric]:
    head = ask(HEAD)[0][0]
    rows = ask(LAGS, [list(facts.subscriptions()), COUNTED_EXACTLY, head])
    yield gauge(
        "laurel_follower_lag_facts",
        "Facts that a follower has not read.",
        {name: behind for name, behind, _, _ in rows},
        "follower",
    )
    yield gauge(
        "laurel_follower_lag_seconds",
        "Age of the oldest fact that a follower has not read.",
        {name: seconds for name, _, seconds, _ in rows},
        "follower",
    )
    yield gauge(
        "laurel_dead_letters",
        "Facts that a follower failed on and nobody has looked at.",
        {name: letters for name, _, _, letters in rows},
        "follower",
    )


def _jobs(ask: Ask) -> Iterator[Metric]:
    yield gauge(
        "laurel_job_last_success_timestamp_seconds",
        "When a scheduled job succeeded last.",
        {str(name): at for name, at in ask(_JOBS)},
        "job",
    )
    yield gauge("laurel_job_interval_seconds", "How often a scheduled job is due.", jobs.intervals_s(), "job")


def _disk() -> Iterator[Metric]:
    """Tell of PostgreSQL's volume where it is one of this machine (POSTGRESQL_FOLDER)."""
    if (share := disk.used_ratio()) is not None:
        yield gauge("laurel_disk_used_ratio", "How full a volume is.", {"postgresql": share}, "volume")


def begin() -> None:
    """Look from now on, until the process ends."""
    threading.Thread(target=_keep_looking, args=(Installation(),), name="installation", daemon=True).start()


def _keep_looking(installation: Installation) -> None:
    while True:
        began = time.monotonic()
        try:
            installation.look()
        except Exception:
            log.exception("the installation can't be looked at")
        time.sleep(max(0.5, LOOKS_EVERY_S - (time.monotonic() - began)))
