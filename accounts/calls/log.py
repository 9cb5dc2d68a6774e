"""What the request log's pages ask: calls by filters, one of them, and what was refused most."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.core.cache import cache
from django.db import models
from django.db.models import Sum

from accounts.calls import keys
from accounts.calls.keeping import KEPT
from accounts.calls.models import Call, CallCount
from accounts.models import Game, ServerKey
from core import replica
from core.refusals import PROBLEMS, Problem

ENDINGS: Final = {"refused": (400, 500), "failed": (500, 600), "ok": (100, 400)}
STRIP_KEPT_S: Final = 10
# Rows written at the same moment become visible in any order: what is this old has all become visible.
SETTLED: Final = timedelta(seconds=10)
READ_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are asked for; what is empty is not asked about.

    Attributes:
        ending: `refused`, `failed` or `ok`.
        route: a part of it.

    """

    ending: str = ""
    slug: str = ""
    route: str = ""
    key: UUID | None = None
    game: UUID | None = None
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyShown:
    """The server key of a call."""

    uuid: UUID
    name: str
    hint: str


@dataclass(frozen=True, slots=True)
class CallInfo:
    """A call, as its studio sees it; see `models.Call`.

    Attributes:
        problem: None for a success.
        key: None: a player token, or, of a summary, not known.
        game: its id, and its title if it is one of the studio's.
        errors: pointer and detail of each.

    """

    id: int
    at: datetime
    method: str
    route: str
    path: str
    status: int
    slug: str
    problem: Problem | None
    detail: str
    errors: tuple[tuple[str, str], ...]
    weight: int
    is_summary: bool
    duration_ms: float | None
    request_id: str
    address: str
    body: str
    body_bytes: int | None
    key: KeyShown | None
    game: UUID | None
    game_title: str

    @property
    def is_refused(self) -> bool:
        """Say whether it is no sample of the others."""
        return self.status >= ENDINGS["refused"][0]


def page(
    studio_id: int, wanted: Wanted, *, before_id: int | None = None, limit: int, at: datetime
) -> list[CallInfo]:
    """Return a page of calls, the last noted first."""
    rows = _of(studio_id, wanted, at=at)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return _shown(studio_id, rows.order_by("-pk")[:limit])


def stream(
    studio_id: int, wanted: Wanted, *, after_id: int | None, limit: int, at: datetime
) -> Iterator[CallInfo]:
    """Return calls one by one as they are read: the newest first, or with `after_id` those noted after it, in order.

    They end a few seconds ago, so that nothing comes in between later.
    """
    settled = _of(studio_id, wanted, at=at).filter(noted_at__lt=at - SETTLED)
    last = after_id
    while limit > 0:
        rows = settled.order_by("-pk" if after_id is None else "pk")
        if last is not None:
            rows = rows.filter(pk__lt=last) if after_id is None else rows.filter(pk__gt=last)
        size = min(limit, READ_AT_ONCE)
        found = _shown(studio_id, rows[:size])
        yield from found
        if len(found) < size:
            return
        limit, last = limit - len(found), found[-1].id


def one(studio_id: int, pk: int, *, at: datetime) -> CallInfo | None:
    """Return one call of a studio."""
    found = _shown(studio_id, _of(studio_id, Wanted(), at=at).filter(pk=pk)[:1])
    return found[0] if found else None


_REFUSED = """
SELECT slug, sum(weight)::bigint FROM accounts_call
 WHERE studio_id = $1 AND at > $2 AND slug <> '' GROUP BY 1 ORDER BY 2 DESC, 1
"""


def refused_by_problem(studio_id: int, *, at: datetime) -> list[tuple[Problem, int]]:
    """Return how many calls were refused in the last 24 h with which problem, the most frequent first.

    At most STRIP_KEPT_S old.
    """
    key = keys.refused(studio_id)
    counts: list[tuple[str, int]] | None = cache.get(key)
    if counts is None:
        counts = [(slug, n) for slug, n in replica.read(_REFUSED, [studio_id, at - timedelta(days=1)])]
        cache.set(key, counts, STRIP_KEPT_S)
    return [(PROBLEMS[slug], n) for slug, n in counts if slug in PROBLEMS]


def missed(studio_id: int, *, at: datetime) -> int:
    """Return how many refused calls of the last days could not be noted."""
    rows = CallCount.objects.filter(studio_id=studio_id, day__gte=(at - KEPT).date(), ending="missed")
    return rows.aggregate(n=Sum("count"))["n"] or 0


def _of(studio_id: int, wanted: Wanted, *, at: datetime) -> models.QuerySet[Call]:
    rows = Call.objects.filter(studio_id=studio_id, at__gt=max(wanted.since or at - KEPT, at - KEPT))
    if wanted.until is not None:
        rows = rows.filter(at__lte=wanted.until)
    if wanted.ending:
        first, end = ENDINGS[wanted.ending]
        rows = rows.filter(status__gte=first, status__lt=end)
    if wanted.slug:
        rows = rows.filter(slug=wanted.slug)
    if wanted.route:
        rows = rows.filter(models.Q(route__contains=wanted.route) | models.Q(path__contains=wanted.route))
    if wanted.request_id:
        rows = rows.filter(request_id=wanted.request_id)
    if wanted.game is not None:
        rows = rows.filter(game=wanted.game)
    if wanted.key is not None:
        keys = ServerKey.objects.filter(studio_id=studio_id, uuid=wanted.key)
        rows = rows.filter(key_id__in=list(keys.values_list("pk", flat=True)))
    return rows


def _shown(studio_id: int, rows: Iterable[Call]) -> list[CallInfo]:
    found = list(rows)
    of_studio = ServerKey.objects.filter(studio_id=studio_id, pk__in={row.key_id for row in found})
    keys = {row.pk: KeyShown(row.uuid, row.name, f"lrl_sk_…{row.hint}") for row in of_studio}
    named = {row.game for row in found if row.game}
    titles = dict(Game.objects.filter(studio_id=studio_id, uuid__in=named).values_list("uuid", "title"))
    return [_info(row, keys, titles) for row in found]


def _info(row: Call, keys: dict[int, KeyShown], titles: dict[UUID, str]) -> CallInfo:
    errors: list[dict[str, Any]] = orjson.loads(row.errors) if row.errors else []
    return CallInfo(
        id=row.pk,
        at=row.at,
        method=row.method,
        route=row.route.removeprefix("api/v1"),
        path=row.path.removeprefix("/api/v1"),
        status=row.status,
        slug=row.slug,
        problem=PROBLEMS.get(row.slug),
        detail=row.detail,
        errors=tuple((each["pointer"], each["detail"]) for each in errors),
        weight=row.weight,
        is_summary=row.is_summary,
        duration_ms=None if row.duration_us is None else row.duration_us / 1000,
        request_id=row.request_id,
        address=row.address,
        body=row.body,
        body_bytes=row.body_bytes,
        key=keys.get(row.key_id) if row.key_id else None,
        game=row.game,
        game_title=titles.get(row.game, "") if row.game else "",
    )
