"""What the demo's players did before anybody looked: who unlocked what and when, the same for the same beginning.

Who holds an achievement is drawn by skill, exactly as many as `reached_by` says, so every tier of rarity is there.
Times follow from how rare it is: common ones on the first evenings, the rarest after weeks.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import log
from typing import Final

from config.demo.games import EMBERWAKE, HOLLOW_ORCHARD, DemoGame
from config.demo.players import MARENOK, DemoPlayer, others

_LUCK: Final = 0.75  # of a standard deviation of skill: the best don't hold everything
_DETOURS: Final = 0.25  # what is half as rare again may well come first
_NEWEST_DAY: Final = 2  # days ago: an evening of then is over in every time zone
_STILL_PLAYING: Final = 0.6  # of those who ever played
_STILL_DAYS: Final = 13  # they have played within so many days
_EVENINGS: Final = 0.45  # of the days between somebody's first and last
_EVENING_MINUTES: Final = 110
_EARLIEST_H, _LATEST_H, _USUAL_H = 17.2, 22.3, 20.0  # when an evening of play begins, local time
_UTC_OFFSET_H: Final = {"AF": 1, "AS": 8, "EU": 1, "ME": 3, "NA": -6, "OC": 10, "SA": -3}

# The demo player's own evenings: days ago and time (UTC) by key. What is not here is still locked.
_MARENOK: Final[Mapping[str, Mapping[str, tuple[int, str]]]] = {
    EMBERWAKE.title: {
        "first-spark": (82, "19:12"),
        "cast-off": (82, "19:58"),
        "salt-in-the-bread": (75, "20:21"),
        "polite-company": (69, "18:40"),
        "bellwether": (61, "21:03"),
        "a-word-with-the-gulls": (48, "20:10"),
        "harbour-royalty": (40, "19:33"),
        "borrowed-hours": (27, "20:47"),
        "a-letter-goes-out": (19, "21:15"),
        "cartographers-itch": (11, "19:26"),
        "no-stars-needed": (5, "18:52"),
        "nobody-left-below": (1, "19:05"),
    },
    HOLLOW_ORCHARD.title: {
        "windfall": (57, "18:20"),
        "the-first-graft": (57, "19:02"),
        "wasps-at-the-table": (52, "20:31"),
        "gate-left-open": (33, "19:44"),
        "a-cup-for-the-roots": (23, "20:05"),
        "under-the-bark": (14, "18:58"),
        "eleven-rungs": (3, "20:12"),
    },
}


@dataclass(frozen=True, slots=True)
class Deed:
    """An unlock of the past."""

    at: datetime
    player: str
    achievement: str


def deeds(game: DemoGame, *, until: datetime) -> list[Deed]:
    """Return a game's unlocks before the day of `until` (UTC), oldest first."""
    rng = random.Random(game.title)  # noqa: S311 - the same for everybody, and no secret
    today = datetime.combine(until.astimezone(UTC), time.min, tzinfo=UTC)
    everybody = others()
    players = sorted(rng.sample(everybody, round(game.played_by * len(everybody))), key=_id)
    held = _held(game, players, rng)
    made = _own(game, today)
    for player in players:
        made += _evenings(game, player, held[player.external_id], today=today, rng=rng)
    return sorted(made, key=lambda deed: (deed.at, deed.player, deed.achievement))


def _id(player: DemoPlayer) -> str:
    return player.external_id


def _own(game: DemoGame, today: datetime) -> list[Deed]:
    return [
        Deed(today - timedelta(days=days) + _time_of_day(clock), MARENOK.external_id, key)
        for key, (days, clock) in _MARENOK[game.title].items()
    ]


def _time_of_day(clock: str) -> timedelta:
    at = time.fromisoformat(clock)
    return timedelta(hours=at.hour, minutes=at.minute)


def _held(game: DemoGame, players: Sequence[DemoPlayer], rng: random.Random) -> dict[str, list[str]]:
    """Return what each of the players holds; everybody holds something."""
    skill = {player.external_id: rng.gauss(0, 1) for player in players}
    held: dict[str, list[str]] = {player: [] for player in skill}
    for key, share in game.reached_by.items():
        count = round(share * (len(players) + 1)) - (key in _MARENOK[game.title])
        form = {player: skill[player] + rng.gauss(0, _LUCK) for player in skill}
        for player in sorted(form, key=lambda each: -form[each])[:count]:
            held[player].append(key)
    easiest = next(iter(game.reached_by))
    for keys in held.values():
        if not keys:
            keys.append(easiest)
    return held


def _evenings(
    game: DemoGame, player: DemoPlayer, keys: Iterable[str], *, today: datetime, rng: random.Random
) -> list[Deed]:
    """Spread what a player holds over their evenings, the easy ones first."""
    ordered = sorted(keys, key=lambda key: rng.gauss(0, _DETOURS) - log(game.reached_by[key]))
    efforts = [(0.2 + 2 * (1 - game.reached_by[key]) ** 2) * rng.expovariate(1) for key in ordered]
    evenings = _play_days(game, rng)
    begun_h = [
        rng.triangular(_EARLIEST_H, _LATEST_H, _USUAL_H) - _UTC_OFFSET_H[player.region] for _ in evenings
    ]
    made: list[Deed] = []
    done = 0.0
    for key, effort in zip(ordered, efforts, strict=True):
        done += effort
        evening, share = divmod(done / sum(efforts) * (len(evenings) - 0.01), 1)
        day = today - timedelta(days=evenings[int(evening)])
        at = day + timedelta(hours=begun_h[int(evening)], minutes=share * _EVENING_MINUTES)
        made.append(Deed(at.replace(microsecond=at.microsecond // 1000 * 1000), player.external_id, key))
    return made


def _play_days(game: DemoGame, rng: random.Random) -> list[int]:
    """Return on how many days ago a player played, first to last: many began early, many still play."""
    first = game.age_days - int((game.age_days - _NEWEST_DAY) * rng.random() ** 1.6)
    still = rng.random() < _STILL_PLAYING
    last = rng.randint(_NEWEST_DAY, min(first, _STILL_DAYS)) if still else rng.randint(_NEWEST_DAY, first)
    between = range(last + 1, first)
    some = rng.sample(between, round(_EVENINGS * len(between)))
    return sorted({first, *some, last}, reverse=True)
