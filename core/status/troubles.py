"""What is wrong with an installation, in sentences: for each of them `manage.py status` ends with 1."""

from collections.abc import Iterator
from typing import Final

from core.dependencies import CLOSED, OK, OTHER_TIME_OUTS, PENDING, READ_ONLY, UNSAFE
from core.status.values import Status

LAG_S: Final = 30.0
DEPTH: Final = 1000  # tasks; a hint that nobody hears is sent again, so a few dozens of them mean nothing
DUE_S: Final = 60.0
JOBS_S: Final = 120.0  # some of them run every second, and each is noted every half minute
_WITHOUT_SESSION: Final = "laurel-beat"  # it asks PostgreSQL nothing


def troubles(status: Status) -> Iterator[str]:
    """Yield what is down, or badly behind."""
    yield from _of_dependencies(status)
    yield from _of_processes(status)
    yield from _of_work(status)


def _of_dependencies(status: Status) -> Iterator[str]:
    for name, found in status.dependencies.items():
        if found.status == UNSAFE:
            yield f"{name} runs with {', '.join(found.off)} off: it may lose what it has acknowledged."
        elif found.status == READ_ONLY:
            yield f"{name} takes no writes: it is a standby, or default_transaction_read_only is on."
        elif found.status == PENDING:
            yield f"{name} lacks migrations of this version: run manage.py migrate."
        elif found.status == CLOSED:
            yield f"{name} was restored, and not reopened: run manage.py reopen."
        elif found.status == OTHER_TIME_OUTS:
            others = ", ".join(f"{setting} {ms} ms" for setting, ms in found.others)
            yield f"{name} has other time-outs than are asked for: {others}."
        elif found.status != OK:
            yield f"{name} is down: {found.error}"


def _of_processes(status: Status) -> Iterator[str]:
    for running in status.processes:
        if running.seen == 0:
            yield f"No {running.process} says that it lives."
        elif running.seen is None and running.sessions == 0 and running.process != _WITHOUT_SESSION:
            yield f"No {running.process} is connected to PostgreSQL."


def _of_work(status: Status) -> Iterator[str]:
    for lag in status.followers or ():
        if lag.seconds > LAG_S:
            yield f"The follower {lag.follower} is {lag.facts} facts and {lag.seconds:.0f} s behind."
        if lag.dead_letters:
            yield f"{lag.dead_letters} dead letters of {lag.follower} wait (manage.py deadletters)."
    for queue, depth in (status.queues or {}).items():
        if depth > DEPTH:
            yield f"{depth} tasks wait in the queue {queue}."
    if (late := (status.webhooks or {}).get("oldest_due_s", 0)) > DUE_S:
        yield f"A webhook has been due for {late:.0f} s."
    if status.job_succeeded_at is not None and status.at - status.job_succeeded_at > JOBS_S:
        yield f"No scheduled job has succeeded for {status.at - status.job_succeeded_at:.0f} s."
