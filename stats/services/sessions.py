"""Every write of sessions: a sign of life from a game, and what it makes of the playtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.selectors import GameInfo
from accounts.services import create_players
from core.clock import from_microseconds, microseconds
from core.db import LostRace, retry_conflicts
from core.group_commit import GroupCommit
from core.ids import new_id
from core.refusals import Forbidden, Gone, Invalid, Refused, Unavailable
from stats import playing, recording
from stats.facts import PlaytimeAdded
from stats.playing import Pair
from stats.recording import Who
from stats.rules.sessions import Event, Playing, step

AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_RACES = 12


@dataclass(frozen=True, slots=True)
class Session:
    """A session after a sign of life; playtimes in seconds, of the session and of the game."""

    id: UUID
    is_playing: bool
    started_at: datetime
    last_seen_at: datetime
    playtime: float
    total_playtime: float


@dataclass(frozen=True, slots=True)
class _Sign:
    """A sign of life that passed the checks; `told_us` is None for now."""

    studio_id: int
    game_id: int
    external_id: str
    event: Event
    told_us: int | None


def heard_of(
    *,
    game: GameInfo,
    player: str,
    event: Event,
    at: datetime,
    told: datetime | None = None,
    is_of_device: bool = False,
) -> Session:
    """Take a sign of life of a player: `start`, `ping` or `end`. Repeating it is safe.

    A player's own device may not say when that was: its clock proves nothing (docs/adr/0040).

    Raises:
        Refused: a time that can't be, a banned or erased player.

    Publishes:
        PlaytimeAdded, where he played on, and for the first sign of life in a game.

    """
    if told is not None and not EARLIEST <= told <= at + AHEAD:
        raise Invalid.value("/at", "Lies before 1980 or more than 5 minutes ahead of the platform's clock.")
    told_us = None if told is None or is_of_device else microseconds(told)
    sign = _Sign(game.studio_id, game.id, player, event, told_us)
    in_transaction = transaction.get_connection().in_atomic_block
    result = _run([sign])[0] if in_transaction else _group.submit(sign)
    if isinstance(result, Refused):
        raise result
    return result


def _run(signs: Sequence[_Sign]) -> list[Session | Refused]:
    for _ in range(_RACES):
        try:
            return retry_conflicts(lambda: _taken(signs))
        except LostRace:
            continue
    raise Unavailable(
        "Too many signs of life of the same player at once. Send it again; repeating it is safe."
    )


_group: GroupCommit[_Sign, Session | Refused] = GroupCommit(_run)


def _taken(signs: Sequence[_Sign]) -> list[Session | Refused]:
    with transaction.atomic():
        who, now_us = _who(signs)
        pairs = [
            (found.player_id, sign.game_id)
            for sign, found in zip(signs, who, strict=True)
            if not (found.banned or found.erased)
        ]
        kept = playing.hold(pairs)
        known: dict[Pair, Playing] = dict(kept)
        facts: dict[int, tuple[int, PlaytimeAdded]] = {}
        studios: dict[Pair, int] = {}
        results: list[Session | Refused] = []
        for sign, found in zip(signs, who, strict=True):
            refused = _refusal(found)
            if refused is not None:
                results.append(refused)
                continue
            pair = (found.player_id, sign.game_id)
            at_us = now_us if sign.told_us is None else min(sign.told_us, now_us)
            made = step(known.get(pair), sign.event, at_us=at_us, new_id=new_id())
            if pair not in known or made.until_us > made.from_us:
                _, fact = facts.setdefault(sign.game_id, (sign.studio_id, PlaytimeAdded(sign.game_id, [])))
                fact.played.append([found.player_id, made.from_us, made.until_us, made.after.total_ms])
            known[pair], studios[pair] = made.after, sign.studio_id
            results.append(_session(made.after, now_us=now_us))
        changed = [
            (pair, studio_id, known[pair], pair not in kept)
            for pair, studio_id in studios.items()
            if known[pair] != kept.get(pair)
        ]
        if changed and not playing.write(changed, list(facts.values())):
            raise LostRace("somebody else's was a player's first sign of life")
        return results


def _who(signs: Sequence[_Sign]) -> tuple[list[Who], int]:
    """Return the players, those too whom nobody has named before."""
    names = [(sign.studio_id, sign.external_id) for sign in signs]
    found, now_us = recording.begin(names, [])
    unknown = {name for name, one in zip(names, found, strict=True) if one is None}
    for studio_id in sorted({studio for studio, _ in unknown}):
        create_players(
            studio_id=studio_id, external_ids=[name for studio, name in unknown if studio == studio_id]
        )
    if unknown:
        found, _ = recording.begin(names, [])
    return [one or recording.ERASED for one in found], now_us


def _refusal(who: Who) -> Refused | None:
    if who.erased:
        return Gone("This person was erased; nothing more is stored about them.")
    if who.banned:
        return Forbidden("This player is banned from the studio's games.")
    return None


def _session(one: Playing, *, now_us: int) -> Session:
    return Session(
        one.session_id,
        one.is_alive(now_us),
        from_microseconds(one.started_us),
        from_microseconds(one.seen_us),
        one.session_ms / 1000,
        one.total_ms / 1000,
    )
