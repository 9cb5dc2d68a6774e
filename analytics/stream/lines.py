"""What studios are told of each kind of fact: version 1 of the lines that docs/facts.md describes.

A line that is told is never changed; a new field may come, another meaning is another version.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from accounts.facts import IdsMoved, PlayersBanned, PlayersChanged, PlayersExcluded
from achievements.facts import AchievementsRevoked, AchievementsUnlocked, ProgressChanged, UnlocksJoined
from analytics.stream.known import Known, rows_of
from core.clock import rfc3339_us
from core.facts import Fact
from leaderboards.facts import LeaderboardPeriodEnded, ScoresChanged
from stats.facts import PlaytimeAdded, StatsChanged, ValuesJoined

VERSION: Final = 1
Row = Sequence[Any]
Line = tuple[int, str, dict[str, Any]]  # its place in the fact, its kind, and what it says


def lines_of(fact: Fact, known: Known) -> Iterator[Line]:
    """Yield what a fact says, a line each, by places that never change."""
    if fact.kind in _ONE:
        kind, say_one = _ONE[fact.kind]
        yield 0, kind, say_one(fact, known)
        return
    kind, say = _EACH[fact.kind]
    if fact.kind == PlayersChanged.kind and fact.payload.get("created"):
        kind = "player.created"
    told = _Told(fact, known)
    for place, row in enumerate(rows_of(fact)):
        yield place, kind, {"player": known.player(row[0]), **say(row, told)}


class _Told:
    """A fact with what its rows have in common."""

    def __init__(self, fact: Fact, known: Known) -> None:
        """Take them out of the payload."""
        self.known = known
        self.payload = fact.payload
        self.totals = {row[0]: row for row in fact.payload.get("totals", ())}
        self.stats = {row[0]: row for row in fact.payload.get("stats", ())}
        self.score = _board(fact, known) if fact.kind == ScoresChanged.kind else {}

    def in_game(self, player_id: int) -> dict[str, Any]:
        """Return what a player holds in the game after the whole fact, and his region."""
        row = self.totals.get(player_id)
        if row is None:
            return {"region": None, "totals": None}
        return {"region": row[1], "totals": {"points": row[2], "unlocked": row[3]}}


def _unlocked(row: Row, told: _Told) -> dict[str, Any]:
    return {
        "achievement": told.known.achievements.get(row[1]),
        "points": row[2],
        "unlocked_at": rfc3339_us(row[3]),
        "heard_at": rfc3339_us(row[4]),
        "event_id": row[5] if row[0] in told.known.players else None,
        "silent": bool(told.payload.get("silent")),
        **told.in_game(row[0]),
    }


def _revoked(row: Row, told: _Told) -> dict[str, Any]:
    return {
        "achievement": told.known.achievements.get(row[1]),
        "points": row[2],
        "unlocked_at": rfc3339_us(row[3]),
        "heard_at": rfc3339_us(row[4]),
        "revoked_at": rfc3339_us(row[5]),
        **told.in_game(row[0]),
    }


def _nearer(row: Row, told: _Told) -> dict[str, Any]:
    achievement = told.known.achievements.get(row[1])
    return {"achievement": achievement, "previous": row[2], "current": row[3], "target": row[4]}


def _held_twice(row: Row, told: _Told) -> dict[str, Any]:
    achievement = told.known.achievements.get(row[1])
    return {"achievement": achievement, "points": row[2], "unlocked_at": rfc3339_us(row[3])}


def _value(row: Row, told: _Told) -> dict[str, Any]:
    _, key, aggregation = told.stats[row[1]]
    numbers = {"value": row[2], "previous": row[3]}
    return {"stat": key, "aggregation": aggregation, **numbers, "reached_at": rfc3339_us(row[5])}


def _joined_value(row: Row, told: _Told) -> dict[str, Any]:
    numbers = {"value": row[2], "kept": row[3], "brought": row[4]}
    return {"stat": told.stats[row[1]][1], **numbers, "reached_at": rfc3339_us(row[7])}


def _played(row: Row, told: _Told) -> dict[str, Any]:
    return {"from": rfc3339_us(row[1]), "until": rfc3339_us(row[2]), "total_ms": row[3]}


def _score(row: Row, told: _Told) -> dict[str, Any]:
    board = told.known.boards.get(told.payload["board"])
    return {
        **told.score,
        "region": row[1],
        "score": None if board is None else board.number(row[2]),
        "reached_at": rfc3339_us(row[3]),
        "shown": row[5],
    }


def _board(fact: Fact, known: Known) -> dict[str, Any]:
    board, period = known.boards.get(fact.payload["board"]), known.periods.get(fact.payload["period"])
    return {
        "board": board and board.key,
        "span": period and period.span,
        "period": period and period.name,
        "main": fact.payload["main"],
    }


def _region(row: Row, told: _Told) -> dict[str, Any]:
    return {"region": row[1]}


def _excluded(row: Row, told: _Told) -> dict[str, Any]:
    return {"excluded": row[1]}


def _banned(row: Row, told: _Told) -> dict[str, Any]:
    return {"banned": row[1]}


def _joined(fact: Fact, known: Known) -> dict[str, Any]:
    player = known.player(fact.payload["player"])
    if player is None:  # he was erased since
        return {"player": None, "gone": None, "external_ids": []}
    return {"player": player, "gone": fact.payload["gone"], "external_ids": fact.payload["ids"]}


def _ended(fact: Fact, known: Known) -> dict[str, Any]:
    payload, board = fact.payload, known.boards.get(fact.payload["board"])
    bounds = {name: payload[f"{name}_us"] for name in ("starts", "ends")}
    return {
        "board": payload["key"],
        "span": payload["span"],
        "period": payload["name"],
        **{f"{name}_at": None if us is None else rfc3339_us(us) for name, us in bounds.items()},
        "players": payload["players"],
        "standings_sha256": payload["standings_hash"],
        "top": [
            {
                "rank": rank,
                "player": known.player(player),
                "score": None if board is None else board.shown(units),
            }
            for player, rank, units in payload["top"]
        ],
    }


_EACH: Final[dict[str, tuple[str, Callable[[Row, _Told], dict[str, Any]]]]] = {
    AchievementsUnlocked.kind: ("achievement.unlocked", _unlocked),
    AchievementsRevoked.kind: ("achievement.revoked", _revoked),
    ProgressChanged.kind: ("achievement.progress", _nearer),
    UnlocksJoined.kind: ("achievement.merged", _held_twice),
    StatsChanged.kind: ("stat.changed", _value),
    ValuesJoined.kind: ("stat.merged", _joined_value),
    PlaytimeAdded.kind: ("playtime.added", _played),
    ScoresChanged.kind: ("score.changed", _score),
    PlayersChanged.kind: ("player.changed", _region),
    PlayersExcluded.kind: ("player.excluded", _excluded),
    PlayersBanned.kind: ("player.banned", _banned),
}
_ONE: Final[dict[str, tuple[str, Callable[[Fact, Known], dict[str, Any]]]]] = {
    IdsMoved.kind: ("player.joined", _joined),
    LeaderboardPeriodEnded.kind: ("leaderboard.period_ended", _ended),
}
TOLD: Final = frozenset({*_EACH, *_ONE})
KINDS: Final = sorted({*(kind for kind, _ in (*_EACH.values(), *_ONE.values())), "player.created"})
