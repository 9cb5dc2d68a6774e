"""A board through everything that can happen to it, against a plain model of lists and dictionaries.

A seeded walk of STEPS steps: submissions of every operator, hides and returns, deletions, exclusions, moves to another
region, days that pass and periods that become final, cursors kept across all of it, lost and rebuilt boards.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal

import pytest
from redis import Redis

from accounts import selectors as accounts
from accounts import services as account_services
from accounts.models import Game
from leaderboards import rebuilding
from leaderboards.listing import Row
from leaderboards.models import Period
from leaderboards.selectors import definitions
from leaderboards.selectors.standings import Around, Behind, FromOffset, page, place, rank
from leaderboards.services import follower, moderation, scores, turning
from leaderboards.services.moderation import Action
from leaderboards.services.scores import ScoreRequest, Submitted
from tests import factories
from tests.leaderboards.world import World

STEPS = int(os.environ.get("TOURNAMENT_STEPS", "2000"))
SEED = int(os.environ.get("TOURNAMENT_SEED", "20261125"))
COMPARED_EVERY = 20  # steps
PLAYERS = [f"p{n}" for n in range(14)]
START = datetime(2026, 11, 25, 12, tzinfo=UTC)
Rule = Literal["shared", "dense", "earliest"]


@dataclass
class Held:
    """What a player holds in a period: the score, its place in time, and whether others see it."""

    score: int
    turn: int
    hidden: bool = False


@dataclass
class Model:
    """The board as a child would keep it."""

    operator: str
    descending: bool
    periods: dict[str, dict[str, Held]] = field(default_factory=dict)
    final: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    turns: int = 0

    def submit(self, period: str, player: str, score: int) -> None:
        self.turns += 1
        held = self.periods.setdefault(period, {}).get(player)
        if held is None:
            self.periods[period][player] = Held(score, self.turns)
        elif self.operator == "sum":
            if score:
                held.score, held.turn = held.score + score, self.turns
        elif self.operator == "last" or ((score > held.score) == self.descending and score != held.score):
            held.score, held.turn = score, self.turns

    def rows(self, period: str) -> list[tuple[str, int]]:
        """Return `(player, score)` of those who are seen, in their order."""
        seen = [
            (player, held)
            for player, held in self.periods.get(period, {}).items()
            if not held.hidden and player not in self.excluded
        ]
        seen.sort(key=lambda one: (-one[1].score if self.descending else one[1].score, one[1].turn))
        return [(player, held.score) for player, held in seen]


def ranks_of(listed: list[int], rule: Rule) -> list[int]:
    """Return ranks by looking at everybody else, as nobody would who is in a hurry."""
    if rule == "earliest":
        return [place + 1 for place in range(len(listed))]
    if rule == "dense":
        return [1 + len(dict.fromkeys(listed[: listed.index(score)])) for score in listed]
    return [1 + listed.index(score) for score in listed]


class Tournament:
    """The platform and the model side by side, driven by one random source."""

    def __init__(
        self, world: World, valkey: Redis, random: Random, *, operator: str, sort: str, rule: Rule
    ) -> None:
        self.world, self.valkey, self.random, self.rule = world, valkey, random, rule
        self.model = Model(operator, sort == "desc")
        self.now = START
        self.sign = -1 if sort == "desc" else 1
        factories.leaderboard(
            Game.objects.get(pk=world.game.id),
            operator=operator,
            sort=sort,
            tie_break=rule,
            reset="daily",
            spans=["all"],
        )
        self.names: dict[int, str] = {}
        self.numbers: dict[str, int] = {}

    @property
    def today(self) -> str:
        return f"{self.now:%Y-%m-%d}"

    def step(self) -> None:
        ways: list[tuple[int, Callable[[], None]]] = [
            (60, self.submit),
            (8, self.hide_or_restore),
            (3, self.delete),
            (4, self.exclude_or_take_back),
            (4, self.move),
            (3, self.a_day_passes),
            (2, self.lose_valkey),
            (2, self.rebuild),
        ]
        self.random.choices([way for _, way in ways], [weight for weight, _ in ways])[0]()

    def submit(self) -> None:
        batch = [
            (self.random.choice(PLAYERS), self.random.randrange(-3, 9))
            for _ in range(self.random.randrange(1, 6))
        ]
        requests = [ScoreRequest(player, score) for player, score in batch]
        _, results = scores.submit_many(
            game=self.world.game, key="high-score", requests=requests, by=scores.SERVER, at=self.now
        )
        assert all(isinstance(result, Submitted) for result in results)
        for player, score in batch:
            self.model.submit(self.today, player, score)
            self.model.submit("all", player, score)

    def hide_or_restore(self) -> None:
        held = self._anybody()
        if held is None:
            return
        player, action = held, self.random.choice([Action.HIDE, Action.RESTORE])
        self._moderate(player, action)
        for period in (self.today, "all"):
            if player in self.model.periods.get(period, {}):
                self.model.periods[period][player].hidden = action is Action.HIDE

    def delete(self) -> None:
        player = self._anybody()
        if player is not None:
            self._moderate(player, Action.DELETE)
            for period in self._open():
                self.model.periods.get(period, {}).pop(player, None)

    def exclude_or_take_back(self) -> None:
        player = self.random.choice(PLAYERS)
        info = accounts.player_of_studio(self.world.game.studio_id, player)
        if info is None:
            return
        excluded = self.random.random() < 0.5
        account_services.exclude_player(
            studio_id=self.world.game.studio_id,
            player=info,
            excluded=excluded,
            reason="By lot.",
            actor="key:test",
            at=self.now,
        )
        (self.model.excluded.add if excluded else self.model.excluded.discard)(player)

    def move(self) -> None:
        account_services.update_player(
            studio_id=self.world.game.studio_id,
            external_id=self.random.choice(PLAYERS),
            changes={"region": self.random.choice(["EU", "NA", ""])},
        )

    def a_day_passes(self) -> None:
        self.world.follow()
        self.world.follow()
        over = self.today
        self.now += timedelta(days=1)
        turning.turn_periods(now=self.now)
        if over in self.model.periods:
            self.model.final[over] = self.model.rows(over)

    def lose_valkey(self) -> None:
        self.valkey.flushall()

    def rebuild(self) -> None:
        for period in Period.objects.filter(state__in=("open", "finalising")):
            rebuilding.rebuild(self._info().order(period.pk))

    def compare(self, *, newest: int = 4) -> None:
        """Hold pages of a random size, ranks, cursors and what-ifs of the newest periods against the model."""
        self.world.follow()
        self.world.follow()
        if self.random.random() < 0.5:
            follower.check_boards()
        self.names = self.world.names()
        self.numbers = {name: pk for pk, name in self.names.items()}
        for period in [*Period.objects.filter(span="all"), *Period.objects.order_by("-id")[:newest]]:
            expected = self.model.final.get(period.name)
            if expected is None:
                expected = self.model.rows(period.name)
            self._compare(period.pk, expected)

    def _compare(self, period_id: int, expected: list[tuple[str, int]]) -> None:
        order, size = self._info().order(period_id), self.random.randrange(1, 16)
        ranks = ranks_of([score for _, score in expected], self.rule)
        listing, walked = page(order, FromOffset(0), limit=size), []
        while listing.rows:
            walked += [
                (one, self.names[row.player_id], self.sign * row.sort_value)
                for one, row in zip(listing.ranks, listing.rows, strict=True)
            ]
            listing = page(order, Behind(listing.rows[-1]), limit=size)
        assert walked == [(one, *row) for one, row in zip(ranks, expected, strict=True)]
        seen = {player: one for one, (player, _) in zip(ranks, expected, strict=True)}
        for player, number in self.numbers.items():
            found = rank(order, number)
            assert (found and found.rank) == seen.get(player)
        if expected:
            self._compare_one(order, expected, ranks)

    def _compare_one(self, order: Any, expected: list[tuple[str, int]], ranks: list[int]) -> None:
        at = self.random.randrange(len(expected))
        player, score = expected[at]
        around = page(order, Around(self.numbers[player]), limit=5)
        assert ranks[at] in [
            one
            for one, row in zip(around.ranks, around.rows, strict=True)
            if row.player_id == self.numbers[player]
        ]
        listed = [one for _, one in expected]
        last = max(place for place, one in enumerate(listed) if one == score)
        new = ranks_of([*listed[: last + 1], score], self.rule)[-1]
        assert place(order, self.sign * score).rank == new
        beyond = Row(2**40, self.sign * score, 2**51)  # a cursor whose row is long gone
        rest = [row.player_id for row in page(order, Behind(beyond), limit=1000).rows]
        assert rest == [self.numbers[name] for name, _ in expected[last + 1 :]]

    def _info(self) -> Any:
        return definitions.fresh_boards(self.world.game.id)["high-score"]

    def _open(self) -> list[str]:
        return [name for name in self.model.periods if name not in self.model.final]

    def _anybody(self) -> str | None:
        held = sorted({*self.model.periods.get(self.today, {})})
        return self.random.choice(held) if held else None

    def _moderate(self, player: str, action: Action) -> None:
        info = accounts.player_of_studio(self.world.game.studio_id, player)
        assert info is not None
        moderation.moderate(
            game=self.world.game,
            key="high-score",
            player=info,
            action=action,
            period="all",
            reason="By lot.",
            actor="key:test",
            at=self.now,
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operator", "sort", "rule"),
    [
        ("best", "desc", "shared"),
        ("best", "asc", "dense"),
        ("last", "desc", "earliest"),
        ("sum", "asc", "shared"),
    ],
)
def test_a_board_is_what_a_plain_model_makes_of_everything_that_happened(
    world: World, valkey: Redis, operator: str, sort: str, rule: Rule
) -> None:
    print(f"seed {SEED}, {STEPS // 4} steps: TOURNAMENT_SEED={SEED}")  # noqa: T201 - shown where it fails
    tournament = Tournament(
        world, valkey, Random(f"{SEED}{operator}{sort}"), operator=operator, sort=sort, rule=rule
    )
    for step in range(STEPS // 4):
        tournament.step()
        if step % COMPARED_EVERY == 0:
            tournament.compare()
    tournament.compare(newest=STEPS)
