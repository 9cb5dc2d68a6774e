"""A studio's game and its players' points, as tests of boards speak of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts import selectors as accounts
from accounts import services as account_services
from accounts.selectors import GameInfo
from achievements.models import PlayerGame, PlayerTotal
from achievements.services import unlocks
from achievements.services.unlocks import UnlockRequest
from core import facts, followers
from core.facts import Fact
from leaderboards import estimating, truth
from leaderboards.api import boards as api
from leaderboards.keys import Board
from leaderboards.selectors.standings import Behind, FromOffset, Listing, page
from tests import factories

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ACHIEVEMENTS = 8


def us(second: int) -> datetime:
    """Return a time so many microseconds after the tests' beginning."""
    return EPOCH + timedelta(microseconds=second)


@dataclass(frozen=True)
class World:
    """One game with ACHIEVEMENTS achievements a0, a1 … of 10 points each; nothing is kept from tests before."""

    game: GameInfo
    key: str

    @classmethod
    def create(cls) -> "World":
        """Make a studio with a game."""
        forget()
        studio = factories.studio()
        made = factories.game(studio)
        factories.achievements(made, {f"a{number}": 10 for number in range(ACHIEVEMENTS)})
        game = accounts.game(made.uuid)
        assert game is not None
        return cls(game, factories.server_key(studio))

    @property
    def board(self) -> Board:
        """The game's board."""
        return Board(self.game.id, None)

    def players(self, count: int, *, region: str = "") -> list[int]:
        """Make players p0, p1 … and return their internal ids."""
        names = [f"p{number}" for number in range(count)]
        account_services.create_players(studio_id=self.game.studio_id, external_ids=names)
        found = [accounts.player_of_studio(self.game.studio_id, name) for name in names]
        return [info.id for info in found if info is not None]

    def standings(self, rows: Iterable[tuple[int, int]], *, region: str = "") -> list[int]:
        """Let players p0, p1 … have `(points, reached at)` in the game and over all; return their internal ids."""
        rows = list(rows)
        players = self.players(len(rows))
        common = [
            {"player_id": pk, "region": region, "points": points, "unlocked": 1, "version": 1}
            | {"points_reached_at": us(reached)}
            for pk, (points, reached) in zip(players, rows, strict=True)
        ]
        PlayerTotal.objects.bulk_create(PlayerTotal(**one) for one in common)
        PlayerGame.objects.bulk_create(
            PlayerGame(
                **one,
                game_id=self.game.id,
                studio_id=self.game.studio_id,
                first_unlock_at=EPOCH,
                last_unlock_at=EPOCH,
            )
            for one in common
        )
        return players

    def unlock(self, *pairs: tuple[str, str]) -> None:
        """Unlock `(player, achievement)` for each, in this order, as a game server does."""
        requests = [UnlockRequest(player, key) for player, key in pairs]
        unlocks.unlock_many(game=self.game, requests=requests, by=unlocks.SERVER, at=timezone.now())

    def move(self, *pairs: tuple[str, str]) -> None:
        """Let each `(player, region)` live there; totals follow."""
        for player, region in pairs:
            account_services.update_player(
                studio_id=self.game.studio_id, external_id=player, changes={"region": region}
            )
        followers.drain("achievements")

    def follow(self) -> None:
        """Bring everything that happened to the boards."""
        followers.drain("achievements")
        followers.drain("leaderboards")

    def names(self) -> dict[int, str]:
        """Return the studio's ids of all players by internal id."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT player_id, external_id FROM accounts_playeridentity")
            return dict(cursor.fetchall())

    def api(self) -> factories.Api:
        """Return the studio's server."""
        return factories.api(self.key)


def forget() -> None:
    """Let this process keep nothing from tests before."""
    api.memo.clear()
    estimating.forget()


def heard(tx: int = 0, fact_id: int = 0) -> list[Fact]:
    """Return what the boards' follower hears of the log behind a cursor."""
    kinds = facts.subscriptions()["leaderboards"].kinds
    return [fact for fact in facts.read_after(tx, fact_id, kinds=kinds) if fact.is_heard]


def walk(board: Board, *, size: int) -> Iterator[Listing]:
    """Yield a board's pages from the first to the last, each behind the one before."""
    listing = page(board, FromOffset(0), limit=size)
    yield listing
    while listing.goes_on:
        listing = page(board, Behind(listing.rows[-1]), limit=size)
        yield listing


def ranked(listings: Iterable[Listing]) -> list[tuple[int, int, int]]:
    """Return `(rank, player, score)` of all rows."""
    return [
        (rank, row.player_id, -row.sort_value)
        for listing in listings
        for rank, row in zip(listing.ranks, listing.rows, strict=True)
    ]


def recomputed(board: Board) -> list[tuple[int, int, int]]:
    """Return a game's `(rank, player, score)` in order, computed from the unlocks in another way than boards are.

    An unlock's own time is when it was heard of, since these tests' unlocks name none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rank() OVER (ORDER BY sum(u.points) DESC), u.player_id, sum(u.points)::bigint
              FROM achievements_unlock u JOIN accounts_player p ON p.id = u.player_id
             WHERE (u.game_id = %(game)s OR %(game)s IS NULL) AND (p.region = %(region)s OR %(region)s IS NULL)
             GROUP BY u.player_id
             ORDER BY sum(u.points) DESC, max(u.heard_at), u.player_id
            """,
            {"game": board.game_id, "region": board.region},
        )
        rows: list[tuple[int, int, int]] = cursor.fetchall()
        return rows


def whole(board: Board) -> list[tuple[int, int, int]]:
    """Return `(rank, player, score)` of a whole board."""
    return ranked(walk(board, size=1000))


def all_boards() -> Sequence[Board]:
    """Return every board that anybody is on."""
    return truth.boards()


def body(answer: Any) -> Any:
    """Return an answer's JSON."""
    return answer.json()
