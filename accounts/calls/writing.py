"""Writes what a process noted: once a second, many rows by one statement, from a thread of its own."""

import multiprocessing.util
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg_pool import PoolTimeout

from accounts.calls import redacting
from accounts.calls.notebook import Notebook, Noted, Owner, Page, Sort, notebook
from accounts.models import ServerKey
from core import clock
from core.db import run_prepared
from core.deadlines import deadline
from core.ids import parse_id

log = structlog.get_logger(__name__)

EVERY_S: Final = 1.0
SUMS_EVERY: Final = 60  # as often it writes: a flood is a few rows a minute
LAST_WORDS_S: Final = 2.0  # less than a process gets to end
_WITHIN_S: Final = 10.0  # several statements of 2 s at most: what is late is noted, and written the next time
_AWAY: Final = (OperationalError, InterfaceError, PoolTimeout)
_LARGEST_INT: Final = 2**31 - 1
_ROWS_AT_ONCE: Final = 500
_LONGEST_DETAIL: Final = 1000
_MOST_ERRORS: Final = 20
_LARGEST_ERRORS: Final = 4096

_NOTE = """
INSERT INTO accounts_call (at, studio_id, key_id, game, method, route, path, status, slug, detail, errors, weight,
                           is_summary, duration_us, request_id, address, body, body_bytes)
SELECT to_timestamp(at), studio_id, key_id, game, method, route, path, status, slug, detail, errors, weight,
       is_summary, duration_us, request_id, address, body, body_bytes
  FROM json_to_recordset($1::json) AS r (
       at double precision, studio_id bigint, key_id bigint, game uuid, method text, route text, path text,
       status smallint, slug text, detail text, errors text, weight integer, is_summary boolean, duration_us integer,
       request_id text, address text, body text, body_bytes integer)
 ORDER BY at
"""
_COUNT = """
INSERT INTO accounts_callcount AS c (studio_id, day, ending, count)
SELECT studio_id, $2::date, ending, count
  FROM json_to_recordset($1::json) AS r (studio_id bigint, ending text, count bigint) ORDER BY 1, 3
    ON CONFLICT (studio_id, day, ending) DO UPDATE SET count = c.count + excluded.count
"""
# A key's studio and id; None of both for a key that nobody has.
_Known = dict[Owner, tuple[int, int | None]]


def write(book: Notebook = notebook, *, at: datetime, sums: bool = True) -> int:
    """Write what was noted, all of it or nothing; return how many rows of the log that made.

    While PostgreSQL is away it stays noted, and is written next time; what it does not take, a bug of ours, is lost,
    since nothing would be written after it. Raises what went wrong.
    """
    page = book.take(sums=sums)
    if not page.counts and not page.calls and not page.sums:
        return 0
    try:
        with transaction.atomic():
            known = _known(page)
            rows = [*_rows(page.calls, known), *_sums(page.sums, known)]
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                run_prepared(_NOTE, [_json(rows[start : start + _ROWS_AT_ONCE])])
            if counts := _counts(page.counts, known):
                run_prepared(_COUNT, [_json(counts), at.astimezone(UTC).date()])
    except _AWAY:
        book.put_back(page)
        raise
    return len(rows)


def _known(page: Page) -> _Known:
    """Return what studios and keys are meant, in one query."""
    owners = {call.owner for call in page.calls} | {sort.owner for sort in page.sums}
    owners |= {owner for owner, _ in page.counts}
    hashes = [owner for owner in owners if isinstance(owner, bytes)]
    known: _Known = {owner: (owner, None) for owner in owners if isinstance(owner, int)}
    if hashes:
        rows = ServerKey.objects.filter(hash__in=hashes).values_list("hash", "studio_id", "pk")
        known |= {bytes(hash_): (studio, key) for hash_, studio, key in rows}
    return known


def _rows(calls: Iterable[Noted], known: _Known) -> Iterator[dict[str, Any]]:
    for call in calls:
        if call.owner not in known:
            continue
        studio, key = known[call.owner]
        yield {
            "at": call.at,
            "studio_id": studio,
            "key_id": key or call.key_id,
            "game": _uuid(call.game) or _named_game(call.body),
            "method": call.method,
            "route": call.route,
            "path": _parts(redacting.cut(call.path, 1000)),
            "status": call.status,
            "slug": call.told.slug,
            "detail": redacting.cut(redacting.hide(call.told.detail), _LONGEST_DETAIL),
            "errors": _errors(call),
            "weight": call.weight,
            "is_summary": False,
            "duration_us": min(call.duration_us, _LARGEST_INT),
            "request_id": redacting.hide_keys(call.request_id),
            "address": redacting.address(call.address),
            "body": redacting.body_copy(call.body),
            "body_bytes": call.body_bytes,
        }


def _parts(path: str) -> str:
    """Return a path with what looks like a credential hidden in each of its parts."""
    return "/".join(redacting.hide(part) for part in path.split("/"))


def _errors(call: Noted) -> str:
    told = [
        {"pointer": redacting.cut(_parts(place), 200), "detail": redacting.cut(redacting.hide(detail), 400)}
        for place, detail in call.told.errors[:_MOST_ERRORS]
    ]
    while told and len(text := _json(told)) > _LARGEST_ERRORS:
        told.pop()
    return text if told else ""


def _sums(sums: dict[Sort, list[float]], known: _Known) -> Iterator[dict[str, Any]]:
    for sort, (count, last) in sums.items():
        if sort.owner in known:
            studio, key = known[sort.owner]
            empty = dict.fromkeys(("path", "detail", "errors", "request_id", "address", "body"), "")
            yield {
                **empty,
                "at": last,
                "studio_id": studio,
                "key_id": key,
                "method": sort.method,
                "route": sort.route,
                "status": sort.status,
                "slug": sort.slug,
                "weight": min(int(count), _LARGEST_INT),
                "is_summary": True,
            }


def _counts(counts: Counter[tuple[Owner, str]], known: _Known) -> list[dict[str, Any]]:
    """Return rows of counts: two keys may be one studio's."""
    added: Counter[tuple[int, str]] = Counter()
    for (owner, ending), count in counts.items():
        if owner in known:
            added[known[owner][0], ending] += count
    return [{"studio_id": studio, "ending": ending, "count": n} for (studio, ending), n in added.items()]


def _uuid(game: object) -> str | None:
    found = parse_id(str(game)) if game else None
    return str(found) if found else None


def _named_game(body: bytes) -> str | None:
    """Return the game that a body names."""
    try:
        value = orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None
    return _uuid(value.get("game_id")) if isinstance(value, dict) else None


def _json(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows).decode()


class Writer:
    """The thread that writes, from `start` until the process ends: then it writes the rest."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)

    def start(self) -> None:
        """Begin. A process of multiprocessing ends without `atexit`, but not without this."""
        self._thread.start()
        multiprocessing.util.Finalize(None, self.stop, exitpriority=100)

    def stop(self) -> None:
        """Write the rest, if that takes no longer than the process has to end."""
        self._stop.set()
        self._thread.join(LAST_WORDS_S)

    def _run(self) -> None:
        turn = 0
        while not self._stop.wait(EVERY_S):
            turn += 1
            self._write(sums=turn % SUMS_EVERY == 0)
        self._write(sums=True)

    def _write(self, *, sums: bool) -> None:
        """Write; a database that is away is asked again a second later."""
        try:
            with deadline(_WITHIN_S):
                write(at=clock.now(), sums=sums)
        except _AWAY as error:
            log.warning("request log not written", error=str(error).strip().split("\n")[0])
        except Exception:
            log.exception("request log not written")
        finally:
            connection.close()  # with the pool: lent to others until the next time


def start() -> None:
    """Let this process write what it notes."""
    Writer().start()
