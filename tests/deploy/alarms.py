"""Proves that whatever dies or hangs is told of: `python -m tests.deploy.alarms`, which is what `make alarms` calls.

Runs Procfile.production with a real Prometheus that has the rules of deploy/prometheus; kills each process and holds it
down, freezes each server, one after the other, and waits for the alert of that name to fire, and to be gone again.
"""

import argparse
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import ProxyHandler, build_opener

import yaml

from config import open_files, var_dir
from config.children import BASE_DIR
from config.processes import CannotStart, Process
from config.production.place import HOST
from tests.storm.production import Production

FIRES_WITHIN_S: Final = 60.0
CLEARS_WITHIN_S: Final = 120.0
_QUIET_WITHIN_S: Final = 180.0
_LOOKS_EVERY_S: Final = 0.5
_RULES: Final = BASE_DIR / "deploy" / "prometheus"
_DIRECTLY: Final = build_opener(ProxyHandler({}))  # a proxy of the environment has no say in that
_Labels = dict[str, str]


@dataclass(frozen=True)
class Fault:
    """What happens, and the labels of the alert that has to tell of it."""

    names: tuple[str, ...]
    kind: str
    alert: _Labels

    def __str__(self) -> str:
        """Say it in a few words."""
        return f"{' and '.join(self.names)} {self.kind}"


def _fault(kind: str, *names: str, alert: str, **labels: str) -> Fault:
    return Fault(names, kind, {"alertname": alert, **labels})


def _servers(kind: str) -> Iterator[Fault]:
    yield _fault(kind, "postgres", alert="PostgreSQLDown")
    yield _fault(kind, "pgbouncer", alert="PgBouncerDown")
    yield _fault(kind, "valkey-boards", alert="ValkeyDown", dependency="valkey_boards")
    yield _fault(kind, "valkey-cache", alert="ValkeyDown", dependency="valkey_cache")
    yield _fault(kind, "rabbitmq", alert="BrokerDown")
    yield _fault(kind, "nginx", alert="NginxDown")


# epmd is not among them: once RabbitMQ runs, it does without.
FAULTS: Final = (
    _fault("killed", "web", alert="WebDown"),
    _fault("killed", "live", alert="LiveDown"),
    _fault("killed", "relay-1", alert="RelayMissing"),
    _fault("killed", "relay-1", "relay-2", alert="RelayDown"),
    _fault("killed", "send_webhooks", alert="WebhookSenderDown"),
    _fault("killed", "worker-live", alert="WorkerDown", queue="live"),
    _fault("killed", "worker-facts", alert="WorkerDown", queue="facts"),
    _fault("killed", "worker-bulk", alert="WorkerDown", queue="bulk"),
    _fault("killed", "beat", alert="BeatDown"),
    *_servers("killed"),
    *_servers("frozen"),
)


@dataclass(frozen=True)
class Told:
    """How it went: seconds until the alert fired and until it was gone, and which others fired meanwhile."""

    fault: Fault
    fired_s: float | None
    cleared_s: float | None
    others: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Say whether both came in time."""
        return self.fired_s is not None and self.cleared_s is not None

    def __str__(self) -> str:
        """Say it as a row of a table."""
        fired, cleared = (
            "never" if seconds is None else f"{seconds:.0f}" for seconds in (self.fired_s, self.cleared_s)
        )
        alert = " ".join(self.fault.alert.values())
        return f"| {self.fault} | {alert} | {fired} | {cleared} | {', '.join(self.others)} |"


class Watched:
    """Production's processes and the Prometheus that watches them."""

    def __init__(self, folder: Path, prometheus: str) -> None:
        """Choose a port; nothing is started."""
        self._folder, self._program = folder, prometheus
        self._platform = Production(folder)
        self._held: set[str] = set()
        self._port = var_dir.free_ports()
        self._prometheus: Process | None = None

    def start(self) -> None:
        """Start everything, and wait until Prometheus reaches it. Raises CannotStart."""
        self._platform.start()
        self._prometheus = self._watcher()
        self._prometheus.start()
        if self._wait(self._asks_everybody, within_s=_QUIET_WITHIN_S) is None:
            raise CannotStart("Prometheus does not reach everybody.")

    def stop(self) -> None:
        """Stop everything, in order."""
        if self._prometheus is not None:
            self._prometheus.stop()
        for name in self._held:
            self._platform.process(name).thaw()
        self._platform.stop()

    def try_out(self, fault: Fault) -> Told:
        """Let it happen, and take the time."""
        self._wait(self._is_quiet, within_s=_QUIET_WITHIN_S)
        self._held.update(fault.names)
        for name in fault.names:
            self._platform.process(name).freeze() if fault.kind == "frozen" else self._platform.kill(name)
        fired = self._wait(lambda: self._fires(fault), within_s=FIRES_WITHIN_S)
        others = {_named(labels) for labels in self._firing() if not _is(labels, fault.alert)}
        for name in fault.names:
            process = self._platform.process(name)
            process.thaw() if fault.kind == "frozen" else process.launch()
        self._held.clear()
        cleared = self._wait(lambda: not self._fires(fault), within_s=CLEARS_WITHIN_S)
        return Told(fault, fired, cleared, tuple(sorted(others)))

    def _fires(self, fault: Fault) -> bool:
        return any(_is(labels, fault.alert) for labels in self._firing())

    def _is_quiet(self) -> bool:
        """Say whether nobody is woken; tickets may stay, as that there is no backup here."""
        return not any(labels["severity"] == "page" for labels in self._firing())

    def _firing(self) -> list[_Labels]:
        alerts = self._asked("alerts")["alerts"]
        return [alert["labels"] for alert in alerts if alert["state"] == "firing"]

    def _asks_everybody(self) -> bool:
        targets = self._asked("targets")["activeTargets"]
        return bool(targets) and all(target["health"] == "up" for target in targets)

    def _asked(self, what: str) -> Any:
        with _DIRECTLY.open(f"http://{HOST}:{self._port}/api/v1/{what}", timeout=10) as answer:
            return json.load(answer)["data"]

    def _wait(self, condition: Callable[[], bool], *, within_s: float) -> float | None:
        """Return after how many seconds it held, or None; start again what ends by itself, as a supervisor does."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > within_s:
                return None
            for name in self._platform.names:
                process = self._platform.process(name)
                if name not in self._held and not process.alive:
                    process.sweep()
                    process.launch()
            time.sleep(_LOOKS_EVERY_S)
        return time.monotonic() - began

    def _watcher(self) -> Process:
        """Return Prometheus with the rules and times of deploy/, asking at this machine's ports."""
        told = yaml.safe_load((_RULES / "prometheus.yml").read_text())
        told["rule_files"] = [str(_RULES / "rules" / "*.yml")]
        told["scrape_configs"] = [job for job in told["scrape_configs"] if job["job_name"] != "rabbitmq"]
        for job in told["scrape_configs"]:
            targets = [f"{HOST}:{self._port_of(name)}" for name in asked_by(job)]
            job.pop("dns_sd_configs", None)
            job["static_configs"] = [{"targets": targets}]
        data = self._folder / "prometheus"
        data.mkdir()
        (data / "prometheus.yml").write_text(yaml.safe_dump(told))
        options = {
            "config.file": data / "prometheus.yml",
            "storage.tsdb.path": data / "data",
            "web.listen-address": f"{HOST}:{self._port}",
            "log.level": "warn",
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        return Process("prometheus", [self._program, *words], var_dir=self._folder, ready=self._answers)

    def _port_of(self, name: str) -> int:
        return self._platform.production.port_of(
            "http" if name == "nginx" else name.upper().replace("-", "_")
        )

    def _answers(self) -> bool:
        try:
            self._asked("alerts")
        except OSError:
            return False
        return True


def asked_by(job: dict[str, Any]) -> list[str]:
    """Return the services that a job of prometheus.yml asks, by name or by whatever that name leads to."""
    fixed = [target for group in job.get("static_configs", ()) for target in group["targets"]]
    looked_up = [name for group in job.get("dns_sd_configs", ()) for name in group["names"]]
    return [target.partition(":")[0] for target in fixed] + looked_up


def _is(labels: _Labels, wanted: _Labels) -> bool:
    return wanted.items() <= labels.items()


def _named(labels: _Labels) -> str:
    """Return an alert's name with whatever tells it from others of that name."""
    told = [value for name, value in labels.items() if name in ("dependency", "queue", "follower", "slo")]
    return " ".join([labels["alertname"], *told])


@contextmanager
def watched(folder: Path, prometheus: str) -> Iterator[Watched]:
    """Run it in a folder."""
    everything = Watched(folder, prometheus)
    try:
        everything.start()
        yield everything
    finally:
        everything.stop()


def main() -> int:
    """Try out every fault, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="faults that have this in their name, as “frozen”")
    options = parser.parse_args()
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        print("prometheus is missing: on Debian and Ubuntu, apt-get install prometheus brings it.")
        return 1
    open_files.raise_limit()
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    chosen = [fault for fault in FAULTS if options.only in str(fault)]
    with (
        tempfile.TemporaryDirectory(prefix="laurel-alarms-") as folder,
        watched(Path(folder), prometheus) as everything,
    ):
        print("| fault | alert | fires after s | gone after s | besides |\n|---|---|---|---|---|", flush=True)
        told = []
        for fault in chosen:
            told.append(everything.try_out(fault))
            print(told[-1], flush=True)
    wrong = [each for each in told if not each.is_right]
    print(f"{len(told)} faults, {len(wrong)} not told of in time.")
    return 1 if wrong or not told else 0


if __name__ == "__main__":
    sys.exit(main())
