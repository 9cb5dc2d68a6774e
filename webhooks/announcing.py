"""What studios are told of facts: messages in Standard Webhooks' envelope, `{"type", "timestamp", "data"}`."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts import selectors as accounts
from accounts.facts import PlayersChanged
from accounts.selectors import GameInfo
from achievements.facts import AchievementsRevoked, AchievementsUnlocked
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from core import tracing
from core.clock import from_microseconds, microseconds, rfc3339, rfc3339_us
from core.facts import Fact
from core.rendering import dumps
from leaderboards.facts import LeaderboardPeriodEnded
from webhooks.queue import Message
from webhooks.selectors import Listener

ACHIEVEMENT_UNLOCKED = "achievement.unlocked"
ACHIEVEMENT_REVOKED = "achievement.revoked"
PLAYER_CREATED = "player.created"
PERIOD_ENDED = "leaderboard.period_ended"
TEST = "webhook.test"
EVENTS = (ACHIEVEMENT_UNLOCKED, ACHIEVEMENT_REVOKED, PLAYER_CREATED, PERIOD_ENDED)
BY_KIND = {
    AchievementsUnlocked.kind: ACHIEVEMENT_UNLOCKED,
    AchievementsRevoked.kind: ACHIEVEMENT_REVOKED,
    PlayersChanged.kind: PLAYER_CREATED,
    LeaderboardPeriodEnded.kind: PERIOD_ENDED,
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the facts of one read are about, each looked up once; players as each studio names them."""

    games: dict[int, GameInfo]
    achievements: dict[int, Definition]
    players: dict[int, dict[int, dict[str, str]]]


def messages(facts: Sequence[Fact], listeners: dict[int, list[Listener]]) -> list[Message]:
    """Return what the studios' endpoints are told of facts, in the order of the log; `listeners` are by studio."""
    heard = [(fact, who) for fact in facts if (who := _who_hears(fact, listeners))]
    known = _look_up([fact for fact, _ in heard])
    return [message for fact, who in heard for message in _of_fact(fact, who, known)]


def _who_hears(fact: Fact, listeners: dict[int, list[Listener]]) -> list[Listener]:
    """Return who is told of a fact; nobody of what is silent, and of players only that they are new."""
    if fact.payload.get("silent") or (fact.kind == PlayersChanged.kind and not fact.payload.get("created")):
        return []
    event, game = BY_KIND[fact.kind], fact.payload.get("game")
    return [one for one in listeners.get(fact.studio_id or 0, ()) if one.hears(event, game)]


def _look_up(facts: Sequence[Fact]) -> _Known:
    players: dict[int, set[int]] = {}
    for fact in facts:
        players.setdefault(fact.studio_id or 0, set()).update(_players(fact))
    unlocked = {row[1] for fact in facts for row in _unlocks(fact)}
    return _Known(
        games=accounts.games_by_id(fact.payload["game"] for fact in facts if "game" in fact.payload),
        achievements=definitions.definitions_by_id(unlocked) if unlocked else {},
        players={studio: _named(ids, studio) for studio, ids in players.items() if ids},
    )


def _named(ids: Iterable[int], studio_id: int) -> dict[int, dict[str, str]]:
    """Return those of the players whom a studio names: of others, whom it erased, it is told nothing any more."""
    shown = accounts.players_shown(ids, studio_id=studio_id)
    return {player_id: one for player_id, one in shown.items() if "external_id" in one}


def _unlocks(fact: Fact) -> list[list[Any]]:
    rows: list[list[Any]] = fact.payload.get("unlocks") or fact.payload.get("revokes") or []
    return rows


def _players(fact: Fact) -> Iterable[int]:
    if fact.kind == LeaderboardPeriodEnded.kind:
        return (row[0] for row in fact.payload["top"])
    if fact.kind == PlayersChanged.kind:
        return (row[0] for row in fact.payload["players"])
    return (row[0] for row in _unlocks(fact))


def _of_fact(fact: Fact, who: Sequence[Listener], known: _Known) -> Iterator[Message]:
    event, trace = BY_KIND[fact.kind], tracing.onward(fact.trace)
    told = _TOLD[fact.kind](fact, known)
    for place, data in told:
        payload = envelope(event, at=rfc3339(fact.at), data=data)
        for listener in who:
            uuid = message_id(fact, listener.uuid, place)
            parked = listener.is_disabled
            its_trace = trace if place < tracing.OF_ONE_BATCH else ""
            yield Message(listener.id, uuid, event, payload, fact.at, parked=parked, trace=its_trace)


def envelope(event: str, *, at: str, data: dict[str, Any]) -> str:
    """Return a message's body."""
    return dumps({"type": event, "timestamp": at, "data": data}).decode()


def _unlocked(fact: Fact, known: _Known) -> Iterator[tuple[int, dict[str, Any]]]:
    totals = {row[0]: {"points": row[2], "unlocked": row[3]} for row in fact.payload["totals"]}
    for place, row in enumerate(fact.payload["unlocks"]):
        about = _about(fact, row, known)
        if about is not None:
            more = {"event_id": row[5], "totals": totals.get(row[0])}
            yield place, {**about, "unlocked_at": rfc3339_us(row[3]), **more}


def _revoked(fact: Fact, known: _Known) -> Iterator[tuple[int, dict[str, Any]]]:
    totals = {row[0]: {"points": row[2], "unlocked": row[3]} for row in fact.payload["totals"]}
    for place, row in enumerate(fact.payload["revokes"]):
        about = _about(fact, row, known)
        if about is not None:
            times = {"unlocked_at": rfc3339_us(row[3]), "revoked_at": rfc3339_us(row[5])}
            yield place, {**about, **times, "totals": totals.get(row[0])}


def _about(fact: Fact, row: Sequence[Any], known: _Known) -> dict[str, Any] | None:
    """Return what an unlock or a revoke is about; None if its player or achievement is gone since."""
    player = known.players.get(fact.studio_id or 0, {}).get(row[0])
    achievement, game = known.achievements.get(row[1]), known.games.get(fact.payload["game"])
    if player is None or achievement is None or game is None:
        return None
    return {
        "game_id": str(game.uuid),
        "player": player,
        "achievement": {
            "key": achievement.key,
            "name": achievement.name,
            "description": achievement.description,
        },
        "points": row[2],
    }


def _created(fact: Fact, known: _Known) -> Iterator[tuple[int, dict[str, Any]]]:
    shown = known.players.get(fact.studio_id or 0, {})
    for place, (player, *_) in enumerate(fact.payload["players"]):
        if player in shown:
            yield place, {"player": shown[player]}


def _ended(fact: Fact, known: _Known) -> Iterator[tuple[int, dict[str, Any]]]:
    game, payload = known.games.get(fact.payload["game"]), fact.payload
    shown = known.players.get(fact.studio_id or 0, {})
    if game is None:
        return
    bounds = {name: payload[f"{name}_us"] for name in ("starts", "ends")}
    period = {
        "id": payload["name"],
        "span": payload["span"],
        **{
            f"{name}_at": None if us is None else rfc3339(from_microseconds(us))
            for name, us in bounds.items()
        },
    }
    top = [{"rank": row[1], "player": shown[row[0]]} for row in payload["top"] if row[0] in shown]
    yield (
        0,
        {
            "game_id": str(game.uuid),
            "board": payload["key"],
            "period": period,
            "total_count": payload["players"],
            "standings_sha256": payload["standings_hash"],
            "top": top,
        },
    )


_TOLD = {
    AchievementsUnlocked.kind: _unlocked,
    AchievementsRevoked.kind: _revoked,
    PlayersChanged.kind: _created,
    LeaderboardPeriodEnded.kind: _ended,
}


def message_id(fact: Fact, endpoint: UUID, place: int) -> UUID:
    """Return the id of a message, a UUIDv7 that is a function of the fact: a replay of the log meets its own messages.

    That of a period's end is a function of the period: after a restore to before it, it ends again, by another fact.
    It is keyed, so that it gives away nothing of how much is in the log.
    """
    if fact.kind == LeaderboardPeriodEnded.kind:
        ms = (fact.payload["ends_us"] or fact.payload["starts_us"] or 0) // 1000
        seed = f"period {fact.payload['period']} {endpoint}".encode()
    else:
        ms = microseconds(fact.at) // 1000
        seed = f"{fact.tx} {fact.id} {endpoint} {place}".encode()
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32).digest()
    digest = int.from_bytes(hashlib.blake2b(seed, digest_size=10, key=key).digest(), "big")
    high, low = digest & 0xFFF, digest >> 12 & (1 << 62) - 1
    return UUID(int=ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
