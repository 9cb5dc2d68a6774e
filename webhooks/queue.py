"""The deliveries' statements: add, take what is due, note what became of it; each for many at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from core.clock import microseconds
from core.db import array_literal, run_prepared, text_array_literal

LEASE_S = 30  # twice as long as an attempt may take
MOST_OF_ONE = 24  # attempts of an endpoint that answers, at the same time in one process


@dataclass(frozen=True, slots=True)
class Message:
    """What one endpoint is to be told; `payload` is JSON text. A parked one waits until somebody asks for it.

    `trace` is the `traceparent` of what it tells of, if that was sampled.
    """

    endpoint_id: int
    uuid: UUID
    event: str
    payload: str
    created_at: datetime
    parked: bool = False
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that was taken until a time; `attempts` and `failures` count those before."""

    id: int
    endpoint_id: int
    uuid: UUID
    payload: str
    attempts: int
    failures: int
    until: datetime
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt.

    Attributes:
        status: the answer's, None without one.
        error: why it failed, one of a few words (`timeout`, `blocked-address`, …) and a sentence; empty for a 2xx.
        headers, body: the answer's, of its body what is kept.
        duration_ms: from the first look-up to the end of the answer.
        wish: the receiver's Retry-After.

    """

    status: int | None
    error: str
    duration_ms: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wish: timedelta | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has it: a 2xx, wholly answered in time."""
        return not self.error


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an attempt, and what is to become of its delivery.

    Attributes:
        next_at: when it is tried again; None when it is not.
        is_parked: that it is not although it failed.

    """

    due: Due
    at: datetime
    url: str
    headers: dict[str, str]
    outcome: Outcome
    next_at: datetime | None
    is_parked: bool


_ADD = """
INSERT INTO webhooks_delivery
       (endpoint_id, uuid, event, payload, created_at, state, failures, attempts, next_attempt_at, last_error, trace)
SELECT endpoint_id, uuid, event, payload, at, CASE WHEN is_parked THEN 'parked' ELSE 'pending' END, 0, 0,
       CASE WHEN is_parked THEN NULL ELSE now() END, '', trace
  FROM (SELECT endpoint_id, uuid, event, payload, is_parked, trace,
               'epoch'::timestamptz + created_us * interval '1 microsecond' AS at
          FROM unnest($1::bigint[], $2::uuid[], $3::text[], string_to_array($4::text, E'\n'), $5::bigint[],
                      $6::boolean[], $7::text[]) WITH ORDINALITY
               AS m (endpoint_id, uuid, event, payload, created_us, is_parked, trace, place) ORDER BY place) AS new
    ON CONFLICT (endpoint_id, uuid) DO NOTHING
"""


def add(messages: Sequence[Message]) -> None:
    """Queue messages, inside the caller's transaction; those that are there already stay as they are."""
    if not messages:
        return
    run_prepared(
        _ADD,
        [
            array_literal(message.endpoint_id for message in messages),
            array_literal(message.uuid for message in messages),
            text_array_literal(message.event for message in messages),
            "\n".join(message.payload for message in messages),  # JSON text holds no line break
            array_literal(microseconds(message.created_at) for message in messages),
            array_literal(str(message.parked).lower() for message in messages),
            text_array_literal(message.trace for message in messages),
        ],
    )


# Each endpoint's own share: however much one of them has waiting, the others' is found as quickly.
_TAKE = """
WITH due AS (
    SELECT d.id, d.place FROM unnest($1::bigint[], $2::bigint[]) AS w (endpoint_id, room)
     CROSS JOIN LATERAL (
           SELECT id, next_attempt_at AS place FROM webhooks_delivery
            WHERE endpoint_id = w.endpoint_id AND state = 'pending' AND next_attempt_at <= now()
            ORDER BY next_attempt_at, id LIMIT w.room FOR UPDATE SKIP LOCKED) AS d
     ORDER BY d.place, d.id LIMIT $3
)
UPDATE webhooks_delivery d SET next_attempt_at = now() + make_interval(secs => $4)
  FROM due WHERE d.id = due.id
RETURNING d.id, d.endpoint_id, d.uuid, d.payload, d.attempts, d.failures, d.next_attempt_at, d.trace
"""


def take(room: Iterable[tuple[int, int]], *, most: int) -> list[Due]:
    """Take what is due, in the order in which it became due: of each endpoint as many as it has room for."""
    wanted = list(room)
    if not wanted or most <= 0:
        return []
    endpoints, rooms = zip(*wanted, strict=True)
    rows = run_prepared(_TAKE, [array_literal(endpoints), array_literal(rooms), most, LEASE_S])
    return [Due(*row) for row in sorted(rows, key=lambda row: row[0])]


_GIVE_BACK = """
UPDATE webhooks_delivery SET next_attempt_at = now() WHERE id = ANY($1::bigint[]) AND state = 'pending'
"""


def give_back(taken: Iterable[Due]) -> None:
    """Let others send what was taken and not begun."""
    run_prepared(_GIVE_BACK, [array_literal(due.id for due in taken)])


# What somebody parked or deleted meanwhile stays so, unless it got through. A failure is of no consequence for what was
# queued again meanwhile, or taken again when its time was over: it is due at another time than `until` then.
_NOTE = """
WITH done AS (
    SELECT id, status, error, is_parked, 'epoch'::timestamptz + at_us * interval '1 microsecond' AS at,
           'epoch'::timestamptz + next_us * interval '1 microsecond' AS next,
           'epoch'::timestamptz + until_us * interval '1 microsecond' AS until
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::bigint[])
           AS done (id, at_us, status, error, next_us, is_parked, until_us)
)
UPDATE webhooks_delivery d
   SET attempts = d.attempts + 1,
       failures = CASE WHEN done.error <> '' AND d.next_attempt_at = done.until THEN d.failures + 1 ELSE d.failures END,
       state = CASE WHEN done.error = '' THEN 'succeeded'
                    WHEN done.is_parked AND d.next_attempt_at = done.until THEN 'parked' ELSE d.state END,
       next_attempt_at = CASE WHEN done.error = '' THEN NULL
                              WHEN d.next_attempt_at = done.until THEN done.next ELSE d.next_attempt_at END,
       last_attempt_at = done.at,
       last_status = done.status,
       last_error = done.error
  FROM done WHERE d.id = done.id
"""
_KEEP = """
INSERT INTO webhooks_attempt
       (delivery_id, number, at, duration_ms, status, error, url, request_headers, response_headers, response_body)
SELECT id, number, 'epoch'::timestamptz + at_us * interval '1 microsecond', duration_ms, status, error, url, sent,
       answered, body
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::text[])
       AS a (id, number, at_us, duration_ms, status, error, url, sent, answered, body)
 WHERE EXISTS (SELECT FROM webhooks_delivery d WHERE d.id = a.id)
"""


def note(done: Sequence[Done]) -> None:
    """Note attempts and what becomes of their deliveries, inside the caller's transaction.

    Of a delivery that went meanwhile, with who is erased or with its endpoint, nothing is kept: receivers sometimes
    answer with what they were sent.
    """
    done = sorted(done, key=lambda each: each.due.id)  # in one order, so that two who note don't deadlock
    ids = array_literal(each.due.id for each in done)
    times = array_literal(microseconds(each.at) for each in done)
    statuses = array_literal(each.outcome.status or "NULL" for each in done)
    errors = text_array_literal(_clean(each.outcome.error) for each in done)
    nexts = array_literal(microseconds(each.next_at) if each.next_at else "NULL" for each in done)
    parked = array_literal(str(each.is_parked).lower() for each in done)
    untils = array_literal(microseconds(each.due.until) for each in done)
    run_prepared(_NOTE, [ids, times, statuses, errors, nexts, parked, untils])
    run_prepared(
        _KEEP,
        [
            ids,
            array_literal(each.due.attempts + 1 for each in done),
            times,
            array_literal(each.outcome.duration_ms for each in done),
            statuses,
            errors,
            text_array_literal(each.url for each in done),
            text_array_literal(orjson.dumps(each.headers).decode() for each in done),
            text_array_literal(_json(each.outcome.headers) for each in done),
            text_array_literal(_text(each.outcome.body) for each in done),
        ],
    )


def _json(headers: dict[str, str]) -> str:
    """Return headers as JSON text; a receiver may send bytes that are no text."""
    return orjson.dumps({_clean(name): _clean(value) for name, value in headers.items()}).decode()


def _text(body: bytes) -> str:
    return _clean(body.decode(errors="replace"))


def _clean(text: str) -> str:
    """Return a text that PostgreSQL takes."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
