"""Who somebody is to a studio: ids, flags, and what he has in each of its games."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts import finding
from accounts import selectors as accounts
from accounts.finding import Known
from accounts.selectors import GameInfo
from achievements.selectors import definitions
from achievements.selectors import persons as unlocked
from stats.selectors import persons as stats

MOST_FOUND = 50  # on a page of a search


@dataclass(frozen=True, slots=True)
class InGame:
    """What somebody has in a game; `last_at` is when he was heard of last, by an unlock or a session."""

    game: GameInfo
    points: int
    unlocked: int
    available: int
    played_ms: int
    sessions: int
    last_at: datetime | None
    tests: bool
    has_values: bool

    @property
    def was_played(self) -> bool:
        """Whether anything is known of him there."""
        return self.last_at is not None or self.has_values or self.tests


@dataclass(frozen=True, slots=True)
class Profile:
    """Somebody as a studio knows him; `games` are all that the studio has, those that he played last first."""

    person: Known
    games: tuple[InGame, ...]

    @property
    def played(self) -> tuple[InGame, ...]:
        """The games in which anything is known of him."""
        return tuple(one for one in self.games if one.was_played)

    @property
    def last_at(self) -> datetime | None:
        """When he was heard of last."""
        return max((one.last_at for one in self.games if one.last_at), default=None)

    def of(self, game: UUID) -> InGame | None:
        """Return what he has in a game of the studio."""
        return next((one for one in self.games if one.game.uuid == game), None)


def profile(studio_id: int, uuid: UUID, games: Iterable[GameInfo]) -> Profile | None:
    """Return who a player is to a studio with these games, in seven queries; None for one whom it does not know."""
    person = finding.known_by_uuid(studio_id, uuid)
    if person is None:
        return None
    listed = list(games)
    totals = unlocked.totals(studio_id, person.id)
    playing = stats.playing(studio_id, person.id)
    tested = {one.id for one in accounts.tested_games(studio_id, person.id)}
    with_values = set(stats.games_with_values(studio_id, person.id))
    available = definitions.available_by_game(one.id for one in listed)
    rows = []
    for game in listed:
        total, played = totals.get(game.id), playing.get(game.id)
        times = [total.last_unlock_at if total else None, played.seen_at if played else None]
        rows.append(
            InGame(
                game=game,
                points=total.points if total else 0,
                unlocked=total.unlocked if total else 0,
                available=available.get(game.id, 0),
                played_ms=played.total_ms if played else 0,
                sessions=played.sessions if played else 0,
                last_at=max((at for at in times if at is not None), default=None),
                tests=game.id in tested,
                has_values=game.id in with_values,
            )
        )
    rows.sort(key=lambda one: (not one.was_played, -(one.last_at.timestamp() if one.last_at else 0)))
    return Profile(person, tuple(rows))


@dataclass(frozen=True, slots=True)
class Found:
    """A line of a search: somebody, and what he has in the studio's games."""

    person: Known
    points: int
    unlocked: int
    last_at: datetime | None


def found(studio_id: int, player_ids: Iterable[int]) -> list[Found]:
    """Return players as lines, in the order that is given, in three queries; without whom the studio does not know."""
    wanted = list(player_ids)
    people = finding.known(studio_id, wanted)
    sums = unlocked.sums(studio_id, people)
    seen = stats.seen(studio_id, people)
    lines = []
    for pk in wanted:
        if pk not in people:
            continue
        total = sums.get(pk)
        times = [total.last_unlock_at if total else None, seen.get(pk)]
        lines.append(
            Found(
                people[pk],
                total.points if total else 0,
                total.unlocked if total else 0,
                max((at for at in times if at is not None), default=None),
            )
        )
    return lines
