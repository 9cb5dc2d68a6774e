"""What players are told of a fact: the event's data, as finished JSON text.

Thousands of unlocks a second pass here. What is the same for every player of an achievement is rendered once and kept
for a few seconds; the rest is put together as text.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast
from uuid import UUID

from accounts.selectors import GameInfo, games_by_id, languages, players_shown
from achievements.facts import AchievementsRevoked, AchievementsUnlocked
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from core import tracing
from core.clock import microseconds, rfc3339_us
from core.facts import Fact
from core.languages import fallbacks
from core.rendering import dumps
from social import keys, selectors
from social.events import (
    ACHIEVEMENT_REVOKED,
    ACHIEVEMENT_UNLOCKED,
    FRIEND_ACCEPTED,
    FRIEND_REQUEST,
    LEADERBOARD_UPDATED,
    REPORT_ANSWERED,
    id_prefix,
)
from social.facts import FriendRequested
from social.inbox import Notice

KEPT_S = 5.0  # how old a name, a rarity or the number of available achievements may be in an event


@dataclass(frozen=True, slots=True)
class Told:
    """What is the same for all who are told of an achievement.

    Attributes:
        head: the text that the event's data begins with, in the studio's own words.
        heads: the same in each language that it is translated into (BCP 47).
        available: how many achievements its game has.
        is_incremental: whether there is a way to it.
        is_published: whether others may know of an unlock.
        may_be_named: whether players who have not unlocked it may know of it.

    """

    head: str
    heads: Mapping[str, str]
    available: int
    is_incremental: bool
    is_published: bool
    may_be_named: bool

    def head_in(self, language: str | None) -> str:
        """Return the head in a language or the nearest that there is; in the studio's own words without one."""
        if not language or not self.heads:
            return self.head
        return next((self.heads[code] for code in fallbacks(language) if code in self.heads), self.head)


class _Kept:
    """What is told of achievements, at most KEPT_S old."""

    def __init__(self) -> None:
        self._since = 0.0
        self._told: dict[int, Told] = {}

    def of(self, games: dict[int, int]) -> dict[int, Told]:
        """Return what is told of achievements, given as id to game id; not of those whose definition is gone."""
        now = time.monotonic()
        if now - self._since > KEPT_S:
            self._since, self._told = now, {}
        told = self._told
        missing = games.keys() - told.keys()
        if missing:
            told.update(_load({pk: games[pk] for pk in missing}))
        # Another thread may note others meanwhile.
        return {pk: told[pk] for pk in games if pk in told}

    def forget(self) -> None:
        """Keep nothing (between tests)."""
        self._told = {}


_kept = _Kept()
told_of = _kept.of
forget = _kept.forget


def _load(games: dict[int, int]) -> dict[int, Told]:
    found = definitions.definitions_by_id(games)
    rarities = definitions.rarities(found)
    infos = games_by_id(games[pk] for pk in found)
    available = definitions.available_by_game(infos)
    told = {}
    for pk, definition in found.items():
        game = infos[games[pk]]
        head = partial(_head, definition, game_uuid=game.uuid, title=game.title, rarity=rarities[pk])
        told[pk] = Told(
            head=head(),
            heads={language: head(language=language) for language in definition.translations},
            available=available.get(game.id, 0),
            is_incremental=definition.is_incremental,
            is_published=definition.is_published,
            may_be_named=definition.may_be_named,
        )
    return told


def _head(
    definition: Definition, *, game_uuid: UUID, title: str, rarity: object, language: str | None = None
) -> str:
    name, description = definition.texts(language)
    data = {
        "game_id": str(game_uuid),
        "game": {"title": title},
        "achievement": {
            "key": definition.key,
            "name": name,
            "description": description,
            "icon_url": definition.icon_url,
            "hidden": definition.hidden,
            "rarity": rarity,
        },
    }
    return dumps(data).decode()[:-1]


def languages_for(told: Mapping[int, Told], players: Iterable[int]) -> Mapping[int, str]:
    """Return the languages that players chose, in one query; in none where nothing that is told is translated."""
    return languages(players) if any(one.heads for one in told.values()) else {}


def deed_notices(facts: Sequence[Fact]) -> list[Notice]:
    """Return what players are told of AchievementsUnlocked and AchievementsRevoked, in the order of the log."""
    loud = [fact for fact in facts if not fact.payload.get("silent")]
    told = _kept.of({row[1]: fact.payload["game"] for fact in loud for row in fact.payload[_ROWS[fact.kind]]})
    chosen = languages_for(told, (row[0] for fact in loud for row in fact.payload[_ROWS[fact.kind]]))
    return [notice for fact in loud for notice in _OF_KIND[fact.kind](fact, told, chosen)]


def _unlocks(fact: Fact, told: Mapping[int, Told], chosen: Mapping[int, str]) -> Iterator[Notice]:
    game, unlocks = fact.payload["game"], fact.payload["unlocks"]
    studio_id = cast("int", fact.studio_id)  # a game's fact is its studio's
    prefix = id_prefix(fact_id=fact.id, seed=unlocks[0][5], at=fact.at)
    created_us, trace = microseconds(fact.at), tracing.onward(fact.trace)
    totals = {row[0]: f'"points":{row[2]},"unlocked":{row[3]}' for row in fact.payload["totals"]}
    for place, (player, achievement, points, unlocked_us, *_) in enumerate(unlocks):
        about = told.get(achievement)
        if about is None:
            continue  # deleted since: nobody could say what it was
        data = (
            f'{about.head_in(chosen.get(player))},"points":{points},"unlocked_at":"{rfc3339_us(unlocked_us)}",'
            f'"totals":{{{totals[player]},"available":{about.available}}}}}'
        )
        uuid = f"{prefix}{place:05x}"
        yield Notice(player, uuid, ACHIEVEMENT_UNLOCKED, game, studio_id, created_us, data, trace)


def _revokes(fact: Fact, told: Mapping[int, Told], chosen: Mapping[int, str]) -> Iterator[Notice]:
    game, revokes = fact.payload["game"], fact.payload["revokes"]
    studio_id = cast("int", fact.studio_id)  # a game's fact is its studio's
    prefix = id_prefix(fact_id=fact.id, seed=f"revoked {revokes[0][4]} {revokes[0][5]}", at=fact.at)
    created_us, trace = microseconds(fact.at), tracing.onward(fact.trace)
    totals = {row[0]: f'"points":{row[2]},"unlocked":{row[3]}' for row in fact.payload["totals"]}
    for place, (player, achievement, points, unlocked_us, _, revoked_us) in enumerate(revokes):
        about = told.get(achievement)
        if about is None:
            continue  # deleted since
        data = (
            f'{about.head_in(chosen.get(player))},"points":{points},"unlocked_at":"{rfc3339_us(unlocked_us)}",'
            f'"revoked_at":"{rfc3339_us(revoked_us)}",'
            f'"totals":{{{totals[player]},"available":{about.available}}}}}'
        )
        uuid = f"{prefix}{place:05x}"
        yield Notice(player, uuid, ACHIEVEMENT_REVOKED, game, studio_id, created_us, data, trace)


_ROWS = {AchievementsUnlocked.kind: "unlocks", AchievementsRevoked.kind: "revokes"}
_OF_KIND = {AchievementsUnlocked.kind: _unlocks, AchievementsRevoked.kind: _revokes}


def answer_notices(facts: Sequence[Fact]) -> list[Notice]:
    """Return what players are told of ReportAnswered facts, in the order of the log."""
    if not facts:
        return []
    told = _kept.of({fact.payload["achievement"]: fact.payload["game"] for fact in facts})
    chosen = languages_for(told, (fact.payload["player"] for fact in facts))
    return [
        _of_answer(fact, about.head_in(chosen.get(fact.payload["player"])))
        for fact in facts
        if (about := told.get(fact.payload["achievement"])) is not None
    ]


def _of_answer(fact: Fact, head: str) -> Notice:
    said = fact.payload
    prefix = id_prefix(fact_id=fact.id, seed=said["seed"], at=fact.at)
    more = dumps({"report_id": said["report"], "answer": said["answer"]}).decode()[1:]
    at = microseconds(fact.at)
    return Notice(
        said["player"],
        f"{prefix}{0:05x}",
        REPORT_ANSWERED,
        said["game"],
        fact.studio_id,
        at,
        f"{head},{more}",
        tracing.onward(fact.trace),
    )


def rank_notices(facts: Sequence[Fact]) -> list[Notice]:
    """Return what the players of RanksChanged facts are told, in the order of the log: of each board the newest."""
    games = games_by_id(fact.payload["game"] for fact in facts)
    newest: dict[tuple[int, int | None, str], Notice] = {}
    for fact in facts:
        game = games.get(fact.payload["game"])
        for notice in _ranks(fact, game) if game else ():
            about = notice.player_id, notice.game_id, fact.payload["board"]
            newest.pop(about, None)
            newest[about] = notice
    return list(newest.values())


def _ranks(fact: Fact, game: GameInfo) -> Iterator[Notice]:
    prefix = id_prefix(fact_id=fact.id, seed=fact.payload["seed"], at=fact.at)
    created_us = microseconds(fact.at)
    for place, (player, rank, previous, score) in enumerate(fact.payload["ranks"]):
        data = {
            "game_id": str(game.uuid),
            "board": fact.payload["board"],
            "rank": rank,
            "previous_rank": previous,
            "score": score,
        }
        yield Notice(
            player,
            f"{prefix}{place:05x}",
            LEADERBOARD_UPDATED,
            game.id,
            game.studio_id,
            created_us,
            dumps(data).decode(),
            tracing.onward(fact.trace),
        )


def friend_notices(facts: Sequence[Fact]) -> list[Notice]:
    """Return what players are told of FriendRequested and FriendAccepted facts, in the order of the log.

    A request that waits no more, or whose sender is blocked meanwhile, is not told; nor is one of who is gone.
    """
    if not facts:
        return []
    waiting = selectors.waiting([fact.payload["request"] for fact in facts if _is_request(fact)])
    told = [fact for fact in facts if not _is_request(fact) or fact.payload["request"] in waiting]
    shown = players_shown({_whom_it_is_about(fact) for fact in told})
    return [_of_friend(fact, player) for fact in told if (player := shown.get(_whom_it_is_about(fact)))]


def _is_request(fact: Fact) -> bool:
    return fact.kind == FriendRequested.kind


def _whom_it_is_about(fact: Fact) -> int:
    return cast("int", fact.payload["sender" if _is_request(fact) else "receiver"])


def _of_friend(fact: Fact, player: dict[str, str]) -> Notice:
    told, kind = ("receiver", FRIEND_REQUEST) if _is_request(fact) else ("sender", FRIEND_ACCEPTED)
    prefix = id_prefix(fact_id=fact.id, seed=fact.payload["seed"], at=fact.at)
    data = dumps({"request_id": fact.payload["request"], "player": player}).decode()
    at, trace = microseconds(fact.at), tracing.onward(fact.trace)
    return Notice(fact.payload[told], f"{prefix}{0:05x}", kind, None, None, at, data, trace)


def lines(notices: Iterable[Notice], seqs: Iterable[int]) -> Iterator[str]:
    """Return a batch as `live` processes are told of it (social/keys.py)."""
    traced = 0
    for notice, seq in zip(notices, seqs, strict=True):
        if notice.trace and (traced := traced + 1) <= tracing.OF_ONE_BATCH:
            yield f"{keys.NOBODY} {notice.trace}"
        yield f"{notice.player_id} {seq} {notice.uuid} {notice.kind} {rfc3339_us(notice.created_us)} {notice.data}"
