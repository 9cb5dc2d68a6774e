"""Games, kept in the process, and who tests them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Game, PlayerIdentity, Tester

MOST_GAMES = 500  # of a studio


@dataclass(frozen=True, slots=True)
class GameInfo:
    """A game, as others need it."""

    id: int
    uuid: UUID
    studio_id: int
    title: str
    regions: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    signed_requests: bool = False


_games: dict[UUID, GameInfo] = {}


def games_by_title(studio_id: int) -> list[GameInfo]:
    """Return a studio's games by title, those that are put away too; of very many the newest."""
    rows = Game.objects.filter(studio_id=studio_id).order_by("-id")[:MOST_GAMES]
    return sorted((_game_info(row) for row in rows), key=lambda one: (one.title.casefold(), one.id))


def forget_games() -> None:
    """Empty this process's kept games (after a change here, and between tests)."""
    _games.clear()


def game(uuid: UUID, *, studio_id: int | None = None) -> GameInfo | None:
    """Return a game, or None if it does not exist or belongs to another studio than `studio_id`.

    A game never moves to another studio; all that can be changed of it may be old, so show that from `fresh_game`.
    """
    info = _games.get(uuid)
    if info is None:
        info = fresh_game(uuid)
        if info is None:
            return None
        _games[uuid] = info
    return info if studio_id is None or info.studio_id == studio_id else None


def fresh_game(uuid: UUID) -> GameInfo | None:
    """Return a game as it is now."""
    row = Game.objects.filter(uuid=uuid).first()
    return None if row is None else _game_info(row)


def games_of(studio_id: int, *, after_id: int = 0, limit: int, only: int | None = None) -> list[GameInfo]:
    """Return a studio's games behind a position, oldest first; with `only` at most that one."""
    rows = Game.objects.filter(studio_id=studio_id, pk__gt=after_id)
    if only is not None:
        rows = rows.filter(pk=only)
    return [_game_info(row) for row in rows.order_by("id")[:limit]]


def games_by_id(ids: Iterable[int]) -> dict[int, GameInfo]:
    """Return games by internal id, in one query."""
    return {row.pk: _game_info(row) for row in Game.objects.filter(pk__in=set(ids))}


def every_game(studio_id: int) -> list[GameInfo]:
    """Return all games that a studio ever had, oldest first: for what must leave none out."""
    return [_game_info(row) for row in Game.objects.filter(studio_id=studio_id).order_by("id")]


def game_ids_of(studio_id: int) -> list[int]:
    """Return a studio's games by internal id."""
    return list(Game.objects.filter(studio_id=studio_id).values_list("pk", flat=True))


def _game_info(row: Game) -> GameInfo:
    return GameInfo(
        row.pk,
        row.uuid,
        row.studio_id,
        row.title,
        tuple(row.regions),
        row.created_at,
        row.updated_at,
        row.archived_at,
        row.signed_requests,
    )


def testers(game: GameInfo, external_ids: Iterable[str]) -> set[str]:
    """Return which of the players, as the game's studio names them, test the game; in one query."""
    rows = PlayerIdentity.objects.filter(
        studio_id=game.studio_id, external_id__in=set(external_ids), player__tests__game_id=game.id
    )
    return set(rows.values_list("external_id", flat=True))


def tested_games(studio_id: int, player_id: int) -> list[GameInfo]:
    """Return the games of a studio that a player tests, at most 1,000."""
    rows = Game.objects.filter(studio_id=studio_id, testers__player_id=player_id).order_by("id")
    return [_game_info(row) for row in rows[:1000]]


def tests(game_ids: Iterable[int], player_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return `(game, player)` for each of the players who tests one of the games; in one query."""
    rows = Tester.objects.filter(game_id__in=set(game_ids), player_id__in=set(player_ids))
    return set(rows.values_list("game_id", "player_id"))
