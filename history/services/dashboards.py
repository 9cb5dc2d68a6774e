"""Which dashboards a fact makes stale, and building those that somebody looks at."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts import selectors as accounts
from accounts.erased import erased_players
from accounts.facts import PlayersChanged, PlayersJoined
from achievements.facts import AchievementsRevoked, AchievementsUnlocked
from core.facts import Fact
from core.redis import breaker
from history import dashboards
from history.selectors import served
from history.selectors.showing import Audience
from social.facts import FriendAccepted
from stats.facts import PlaytimeAdded, StatsChanged

ACTIVE = timedelta(days=1)
SETTLES_S = 1.5  # boards hear of an unlock within it
RUNS_S = 0.6  # of every second, at most
WARMS_S = 0.2  # of those, where nobody waits: 100,000 players are warmed within an hour or two
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
KINDS = frozenset({*_ROWS, *_SIGNS_OF_LIFE, FriendAccepted.kind, PlayersJoined.kind})


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
        elif fact.kind == PlayersJoined.kind:
            changed.update(row[1] for row in fact.payload["players"])
        if fact.kind in _SIGNS_OF_LIFE:
            active.update(row[0] for row in fact.payload[_SIGNS_OF_LIFE[fact.kind]])
    joined = accounts.joined_players(changed | active)
    changed.update(joined.values())
    gone = erased_players(changed | active)
    changed, active = changed - gone, active - gone
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
        served.build_and_keep(player_id, zone, audience)
    return len(audiences)
