"""Unlocks that were kept apart, as the review queue shows them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from achievements import evidence
from achievements.models import Achievement, FlaggedUnlock, RevokedUnlock, Unlock
from achievements.selectors import definitions
from core import spoken
from core.clock import from_microseconds, microseconds
from core.db import run_prepared
from core.reviewing import After, Event, Flagged, Wanted

KIND = "unlock"
_AT_ONCE = timedelta(minutes=1)
_COUNT = """
SELECT count(*) FROM (
    SELECT FROM achievements_flaggedunlock WHERE studio_id = $1 AND state = 'open'
     ORDER BY heard_at DESC, id DESC LIMIT $2) AS waiting
"""


def count(studio_id: int, *, most: int) -> int:
    """Return how many wait for a decision, at most `most`."""
    found: int = run_prepared(_COUNT, [studio_id, most])[0][0]
    return found


_HEARD = """
SELECT heard_at FROM achievements_flaggedunlock
 WHERE studio_id = $1 AND state = 'open' AND heard_at > $2 ORDER BY heard_at DESC, id DESC LIMIT $3
"""


def heard(studio_id: int, *, since: datetime, most: int) -> list[datetime]:
    """Return when those that wait were heard of after a time, newest first, of at most `most`."""
    return [row[0] for row in run_prepared(_HEARD, [studio_id, since, most])]


def page(studio_id: int, wanted: Wanted, *, after: After | None, limit: int) -> list[Flagged]:
    """Return a studio's behind a place, newest first."""
    rows = FlaggedUnlock.objects.filter(studio_id=studio_id, state=wanted.state)
    if wanted.game_id is not None:
        rows = rows.filter(game_id=wanted.game_id)
    if wanted.rule:
        rows = rows.filter(rules__contains=[wanted.rule])
    if after is not None:
        heard_at = from_microseconds(after[0])
        rows = rows.filter(Q(heard_at__lt=heard_at) | Q(heard_at=heard_at, pk__lt=after[1]))
    return _flagged(rows.order_by("-heard_at", "-pk")[:limit])


def find(studio_id: int, uuid: UUID) -> Flagged | None:
    """Return one of a studio's."""
    return next(iter(_flagged(FlaggedUnlock.objects.filter(studio_id=studio_id, uuid=uuid))), None)


def _flagged(found: Iterable[FlaggedUnlock]) -> list[Flagged]:
    rows = list(found)
    named = definitions.definitions_by_id((row.achievement_id for row in rows), translated=False)
    names = names_told((row.game_id, row.evidence) for row in rows)
    return [
        Flagged(
            uuid=row.uuid,
            kind=KIND,
            number=row.pk,
            game_id=row.game_id,
            player_id=row.player_id,
            title=named[row.achievement_id].name,
            worth=ngettext("%(n)s point", "%(n)s points", row.points) % {"n": spoken.whole(row.points)},
            at=row.unlocked_at,
            heard_at=row.heard_at,
            heard_us=microseconds(row.heard_at),
            rules=tuple(row.rules),
            evidence=evidence.sentences(row.evidence, names=names[row.game_id]),
            circumstances=evidence.circumstances(row.evidence),
            state=row.state,
            decided_at=row.decided_at,
            reason=row.reason,
            actor=row.actor,
        )
        for row in rows
    ]


def names_told(told: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[int, dict[str, str]]:
    """Return by game and key what the achievements are called that evidence, each of a game, names."""
    wanted: dict[int, set[str]] = {}
    for game_id, figures in told:
        wanted.setdefault(game_id, set()).update(evidence.keys(figures))
    keys = set().union(*wanted.values())
    found: dict[int, dict[str, str]] = {game_id: {} for game_id in wanted}
    if keys:
        named = Achievement.objects.filter(game_id__in=wanted, key__in=keys)
        for game_id, key, name in named.values_list("game_id", "key", "name"):
            found[game_id][key] = name
    return found


def around(game_id: int, player_id: int, at: datetime, *, limit: int) -> list[Event]:
    """Return what a player unlocked nearest to a time, counting or not, and when he played."""
    own = Unlock.objects.filter(player_id=player_id, game_id=game_id)
    held = [
        *own.filter(unlocked_at__lte=at).order_by("-unlocked_at")[:limit],
        *own.filter(unlocked_at__gt=at).order_by("unlocked_at")[:limit],
    ]
    flagged = list(
        FlaggedUnlock.objects.filter(player_id=player_id, game_id=game_id)
        .exclude(state=FlaggedUnlock.State.APPROVED)
        .order_by("-heard_at")[: 10 * limit]
    )
    revoked = list(RevokedUnlock.objects.filter(player_id=player_id, game_id=game_id).order_by("-pk")[:limit])
    ids = {row.achievement_id for rows in (held, flagged, revoked) for row in rows}
    named = {pk: one.name for pk, one in definitions.definitions_by_id(ids, translated=False).items()}
    events = [Event(row.unlocked_at, "unlock", named[row.achievement_id], _late(row)) for row in held]
    events += [
        Event(row.unlocked_at, "flagged", named[row.achievement_id], _decided(row), row.uuid)
        for row in flagged
    ]
    events += [
        Event(row.revoked_at, "revoked", named[row.achievement_id], _("Revoked: %s") % row.reason)
        for row in revoked
    ]
    return events + _sessions(flagged)


def _late(row: Unlock) -> str:
    passed = row.heard_at - row.unlocked_at
    return _("Heard of %(span)s later") % {"span": spoken.span(passed)} if passed > _AT_ONCE else ""


def _decided(row: FlaggedUnlock) -> str:
    return _("Rejected") if row.state == FlaggedUnlock.State.REJECTED else _("Being checked")


def _sessions(flagged: Iterable[FlaggedUnlock]) -> list[Event]:
    """Return when those sessions began that are known from claims: nobody keeps the others one by one."""
    known = [row.evidence["session"] for row in flagged if row.evidence["session"] is not None]
    began = {one["began_us"] for one in known} | {one["first_us"] for one in known}
    return [Event(from_microseconds(at_us), "session", _("Session began")) for at_us in sorted(began)]
