"""Serving dashboards from Valkey, and building them: one builds, whoever else asks is served what there is."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from django.utils import timezone

from accounts import selectors as accounts
from accounts.facts import PlayersChanged
from achievements.facts import AchievementsRevoked, AchievementsUnlocked
from core.facts import Fact
from core.redis import breaker
from core.rendering import dumps
from history import dashboards
from history.selectors.dashboards import dashboard
from history.selectors.showing import Audience
from social.facts import FriendAccepted
from stats.facts import PlaytimeAdded, StatsChanged

ACTIVE = timedelta(days=1)
SETTLES_S = 1.5  # boards hear of an unlock within it
RUNS_S = 0.6  # of every second, at most
WARMS_S = 0.2  # of those, where nobody waits: 100,000 players are warmed within an hour or two
WAITS_S = 2.0
_LOOKS_S = 0.025
_ROWS = {
    AchievementsUnlocked.kind: "unlocks",
    AchievementsRevoked.kind: "revokes",
    PlayersChanged.kind: "players",
}
_SIGNS_OF_LIFE = {
    AchievementsUnlocked.kind: "unlocks",
    StatsChanged.kind: "values",
    PlaytimeAdded.kind: "played",
}
KINDS = frozenset({*_ROWS, *_SIGNS_OF_LIFE, FriendAccepted.kind})


class Served(NamedTuple):
    """An answer's bytes, and where they are from."""

    body: bytes
    cache: Literal["hit", "stale", "miss"]


def serve(player: accounts.PlayerInfo, audience: Audience) -> Served:
    """Return a player's dashboard: what is kept, or one that is built now; without Valkey it is built every time."""
    return breaker("cache").call(
        lambda: _serve(player, audience),
        otherwise=lambda: Served(_build(player.id, player.time_zone, audience)[0], "miss"),
    )


def _serve(player: accounts.PlayerInfo, audience: Audience) -> Served:
    kept = dashboards.read(player.id, audience)
    if kept is None:
        return _first(player, audience)
    if kept.is_fresh:
        return Served(kept.body, "hit")
    dashboards.want(player.id, audience)
    return Served(kept.body, "stale")


def _first(player: accounts.PlayerInfo, audience: Audience) -> Served:
    """Return what is not there yet: built by us, or by whoever began before us."""
    is_ours = dashboards.claim(player.id, audience)
    if not is_ours and (kept := _wait_for(player.id, audience)) is not None:
        return Served(kept.body, "miss")
    try:
        return Served(_build_and_keep(player.id, player.time_zone, audience), "miss")
    finally:
        if is_ours:
            dashboards.release(player.id, audience)


def _wait_for(player_id: int, audience: Audience) -> dashboards.Kept | None:
    deadline = time.monotonic() + WAITS_S
    while time.monotonic() < deadline:
        time.sleep(_LOOKS_S)
        if (kept := dashboards.read(player_id, audience)) is not None:
            return kept
    return None


def _build_and_keep(player_id: int, time_zone: str, audience: Audience) -> bytes:
    """Build and keep a dashboard; what changes meanwhile makes it stale."""
    built_at = dashboards.begin(player_id)
    body, is_settled = _build(player_id, time_zone, audience)
    dashboards.keep(player_id, audience, body, built_at=built_at, is_settled=is_settled)
    return body


def _build(player_id: int, time_zone: str, audience: Audience) -> tuple[bytes, bool]:
    built = dashboard(player_id=player_id, time_zone=time_zone, audience=audience, at=timezone.now())
    return dumps(built.content), built.is_settled


def mark(facts: Sequence[Fact], *, now: datetime) -> None:
    """Note what facts change on dashboards, and who is active; without Valkey there is nothing to note."""
    changed: set[int] = set()
    active: set[int] = set()
    for fact in facts:
        if fact.at < now - ACTIVE:
            continue  # a replay; what is kept is younger
        if fact.kind in _ROWS:
            changed.update(row[0] for row in fact.payload[_ROWS[fact.kind]])
        elif fact.kind == FriendAccepted.kind:
            changed |= {fact.payload["sender"], fact.payload["receiver"]}
        if fact.kind in _SIGNS_OF_LIFE:
            active.update(row[0] for row in fact.payload[_SIGNS_OF_LIFE[fact.kind]])
    if changed or active:
        by = f"{facts[-1].tx}.{facts[-1].id}"
        breaker("cache").call(
            lambda: dashboards.mark(changed, active, by=by, due_in_s=SETTLES_S), otherwise=lambda: None
        )


def build_some() -> int:
    """Build dashboards for a part of a second; return how many. Raises one of core.redis.AWAY.

    First those that somebody was served stale, then those that are looked at and a change has made stale, then those of
    active players who have none. Whatever is left is built in the seconds to come.
    """
    began, built = time.monotonic(), 0
    for build, within_s in ((_build_wanted, RUNS_S), (_build_outdated, RUNS_S), (_build_cold, WARMS_S)):
        while time.monotonic() < began + within_s and (count := build()) is not None:
            built += count
    return built


def _build_wanted() -> int | None:
    found = dashboards.next_wanted()
    if found is None:
        return None
    player_id, audience = found
    kept = dashboards.read(player_id, audience)
    if kept is not None and kept.is_fresh:
        return 0  # built since
    return _build_for(player_id, [audience])


def _build_outdated() -> int | None:
    player_id = dashboards.next_outdated()
    if player_id is None:
        return None
    audiences = [Audience(), *(Audience(studio) for studio in accounts.studio_ids_of(player_id))]
    return _build_for(player_id, dashboards.which_are_kept(player_id, audiences))


def _build_cold() -> int | None:
    player_id = dashboards.next_cold()
    return None if player_id is None else _build_for(player_id, [Audience()])


def _build_for(player_id: int, audiences: Sequence[Audience]) -> int:
    zone = accounts.time_zone_of(player_id)
    if zone is None:
        return 0  # erased meanwhile
    for audience in audiences:
        _build_and_keep(player_id, zone, audience)
    return len(audiences)
