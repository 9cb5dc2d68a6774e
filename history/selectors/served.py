"""Dashboards as they are served: from Valkey, else built; one builds, whoever else asks is served what there is."""

import time
from typing import Any, Literal, NamedTuple

import orjson

from accounts import selectors as accounts
from achievements.selectors import unlocks
from core import clock
from core.metrics import caches
from core.redis import breaker
from core.rendering import dumps
from history import dashboards
from history.selectors.dashboards import dashboard
from history.selectors.showing import Audience

WAITS_S = 2.0
_LOOKS_S = 0.025


_looks = caches.looks("dashboards")


class Served(NamedTuple):
    """An answer's bytes, and where they are from."""

    body: bytes
    cache: Literal["hit", "stale", "miss"]


def serve(player: accounts.PlayerInfo, audience: Audience) -> Served:
    """Return a player's dashboard: what is kept, or one that is built now; without Valkey it is built every time."""
    return breaker("cache").call(
        lambda: _serve(player, audience), otherwise=lambda: _without_valkey(player, audience)
    )


def current(player: accounts.PlayerInfo) -> dict[str, Any]:
    """Return what a player himself sees, his sums as PostgreSQL has them by now: what is kept, or built if it is older.

    So a page that is looked at again right after an unlock shows it. In one query, and twelve more when it is built.
    """
    held, mine = unlocks.overall_of(player.id), Audience()
    kept = breaker("cache").call(lambda: dashboards.read(player.id, mine), otherwise=lambda: None)
    _looks.note(kept)
    if kept is not None:
        content: dict[str, Any] = orjson.loads(kept.body)
        if (content["totals"]["points"], content["totals"]["unlocked"]) == held:
            if not kept.is_fresh:
                breaker("cache").call(lambda: dashboards.want(player.id, mine), otherwise=lambda: None)
            return content
    built: dict[str, Any] = orjson.loads(
        breaker("cache").call(
            lambda: build_and_keep(player.id, player.time_zone, mine),
            otherwise=lambda: _build(player.id, player.time_zone, mine)[0],
        )
    )
    return built


def _without_valkey(player: accounts.PlayerInfo, audience: Audience) -> Served:
    _looks.errors += 1
    return Served(_build(player.id, player.time_zone, audience)[0], "miss")


def _serve(player: accounts.PlayerInfo, audience: Audience) -> Served:
    kept = dashboards.read(player.id, audience)
    _looks.note(kept)
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
        return Served(build_and_keep(player.id, player.time_zone, audience), "miss")
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


def build_and_keep(player_id: int, time_zone: str, audience: Audience) -> bytes:
    """Build and keep a dashboard; what changes meanwhile makes it stale."""
    built_at = dashboards.begin(player_id)
    body, is_settled = _build(player_id, time_zone, audience)
    dashboards.keep(player_id, audience, body, built_at=built_at, is_settled=is_settled)
    return body


def _build(player_id: int, time_zone: str, audience: Audience) -> tuple[bytes, bool]:
    built = dashboard(player_id=player_id, time_zone=time_zone, audience=audience, at=clock.now())
    return dumps(built.content), built.is_settled
