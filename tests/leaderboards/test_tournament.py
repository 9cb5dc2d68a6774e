"""A board through everything that can happen to it, against a plain model of lists and dictionaries.

Submissions of every operator, on time and late, hides and returns, deletions, exclusions, moves to another region, days
that pass and become final, cursors kept across all of it, lost and rebuilt boards: STEPS steps. What fails is shrunk to
the few steps that it takes, and shown with the seed.
"""

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from accounts import selectors as accounts
from accounts import services as account_services
from accounts.models import Game
from accounts.selectors import PlayerInfo
from core.refusals import Conflict, NotFound
from leaderboards import rebuilding, standings, truth
from leaderboards.keys import Board
from leaderboards.models import Period, PeriodState
from leaderboards.rules.scores import OPERATORS, SORTS
from leaderboards.selectors import definitions, periods
from leaderboards.selectors.standings import Around, Behind, FromOffset, Listing, Row, page, place, ranks_of
from leaderboards.services import follower, moderation, scores, turning
from leaderboards.services.moderation import Action
from leaderboards.services.scores import ScoreRequest, Submitted
from tests import factories
from tests.faults import FULL
from tests.leaderboards.plain import ALL_TIME, Line, Model, Rule
from tests.leaderboards.world import World

STEPS = int(os.environ.get("TOURNAMENT_STEPS", "2000" if FULL else "100"))
SEED = int(os.environ.get("TOURNAMENT_SEED", "20261125"))
LONGEST = 50  # steps of a tournament; Hypothesis lets only some kinds of them happen in each
FEW = 25  # on average they are more, though some end early
KEY = "high-score"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PLAYERS = [f"p{n}" for n in range(10)]
REGIONS = (None, "EU", "NA")
WHICH = st.sampled_from(["all", "today", "yesterday"])
MODERATED = st.sampled_from(["every", "all", "today", "yesterday"])
WHO = st.sampled_from(PLAYERS)
BATCHES = st.lists(st.tuples(WHO, st.integers(-3, 6)), min_size=1, max_size=10)


@dataclass(frozen=True)
class Cursor:
    """A place to read on from, and what the board was when it was taken: in the model's words, whom and where."""

    period: str
    region: str | None
    row: Row
    position: tuple[int, int]
    met: frozenset[str]
    seen: dict[str, tuple[int, int]]


class Tournament(RuleBasedStateMachine):
    """The platform and the model side by side; every few steps the listeners hear of all, and both are compared."""

    cursors: Bundle[Cursor] = Bundle("cursors")

    def __init__(self, valkey: Redis, steps: Iterator[int]) -> None:
        super().__init__()
        valkey.flushall()
        self.valkey, self.steps, self.world = valkey, steps, World.create()
        self.numbers = dict(zip(PLAYERS, self.world.players(len(PLAYERS)), strict=True))
        self.names = {pk: name for name, pk in self.numbers.items()}
        self.now, self.taken = NOON, 0

    def teardown(self) -> None:
        Period.objects.filter(leaderboard=self.board.pk).update(state=PeriodState.DISCARDED)

    @initialize(
        operator=st.sampled_from(OPERATORS),
        sort=st.sampled_from(SORTS),
        tie_break=st.sampled_from(["shared", "dense", "earliest"]),
        heard_every=st.integers(1, 6),
        chance=st.randoms(use_true_random=True),
        batch=BATCHES,
    )
    def begin(
        self,
        operator: str,
        sort: str,
        tie_break: Rule,
        heard_every: int,
        chance: Random,
        batch: list[tuple[str, int]],
    ) -> None:
        self.board = factories.leaderboard(
            Game.objects.get(pk=self.world.game.id),
            KEY,
            operator=operator,
            sort=sort,
            tie_break=tie_break,
            reset="daily",
            spans=["all"],
        )
        self.heard_every, self.chance = heard_every, chance
        self.info = definitions.info_of(self.board)
        self.model = Model(operator, sort == "desc", tie_break, today=NOON.date())
        self._submit(batch)

    # What studios, players and the calendar do.

    @rule(batch=BATCHES)
    def submit(self, batch: list[tuple[str, int]]) -> None:
        self._submit(batch)

    @rule(batch=BATCHES)
    def submit_of_yesterday(self, batch: list[tuple[str, int]]) -> None:
        self._submit(batch, achieved_at=self.now - timedelta(days=1))

    @rule(player=WHO, is_hidden=st.booleans(), which=MODERATED)
    def hide_or_restore(self, player: str, is_hidden: bool, which: str) -> None:
        for period in self._moderate(player, Action.HIDE if is_hidden else Action.RESTORE, which):
            self.model.periods[period][player].is_hidden = is_hidden

    @rule(player=WHO, which=MODERATED)
    def delete(self, player: str, which: str) -> None:
        for period in self._moderate(player, Action.DELETE, which):
            del self.model.periods[period][player]

    @rule(player=WHO, is_excluded=st.booleans())
    def exclude_or_take_back(self, player: str, is_excluded: bool) -> None:
        account_services.exclude_player(
            studio_id=self.world.game.studio_id,
            player=self._info(player),
            excluded=is_excluded,
            reason="By lot.",
            actor="key:test",
            at=self.now,
        )
        (self.model.excluded.add if is_excluded else self.model.excluded.discard)(player)

    @rule(player=WHO, region=st.sampled_from(["", "EU", "NA"]))
    def move(self, player: str, region: str) -> None:
        account_services.update_player(
            studio_id=self.world.game.studio_id, external_id=player, changes={"region": region}
        )
        self.model.regions[player] = region

    @rule(is_grace_over=st.booleans())
    def the_day_ends(self, is_grace_over: bool) -> None:
        self.now = (self.now + timedelta(days=1)).replace(hour=0, minute=1)
        turning.turn_periods(now=self.now)
        self.model.end_day()
        if is_grace_over:
            self.the_grace_ends()

    @rule()
    @precondition(lambda self: self.model.is_grace)
    def the_grace_ends(self) -> None:
        self.now = self.now.replace(minute=15)
        turning.turn_periods(now=self.now)
        self.model.end_grace()

    # What the platform goes through.

    @rule()
    def lose_valkey(self) -> None:
        self.valkey.flushall()

    @rule()
    def rebuild(self) -> None:
        for period in Period.objects.filter(leaderboard=self.board, state__in=("open", "finalising")):
            for order in truth.of_periods([period]):
                rebuilding.rebuild(order)

    @rule()
    def tidy_boards(self) -> None:
        follower.tidy_boards()

    # What readers see.

    @rule(target=cursors, which=WHICH, region=st.sampled_from(REGIONS), met=st.integers(1, 8))
    def take_cursor(self, which: str, region: str | None, met: int) -> Cursor | MultipleResults[Cursor]:
        self._hear_everything()
        period = self.model.named(which)
        seen = self.model.seen(period, region) if period in self.model.periods else {}
        if not seen:
            return multiple()
        listing = page(self._order(period, region), FromOffset(0), limit=met)
        players = [player for _, player, _ in self._lines(listing)]
        return Cursor(period, region, listing.rows[-1], seen[players[-1]], frozenset(players), seen)

    @rule(cursor=cursors, size=st.integers(1, 8))
    def walk_on(self, cursor: Cursor, size: int) -> None:
        self._hear_everything()
        now = self.model.seen(cursor.period, cursor.region)
        order = self._order(cursor.period, cursor.region)
        found = [player for _, player, _ in self._walk(order, Behind(cursor.row), size=size)]
        for player in now.keys() & cursor.seen.keys():
            if now[player] == cursor.seen[player]:  # he did not change meanwhile
                assert found.count(player) + (player in cursor.met) == 1
        assert found == [player for player, position in now.items() if position > cursor.position]

    @invariant()
    def the_platform_shows_what_the_model_does(self) -> None:
        next(self.steps)
        self.taken += 1
        if self.taken % self.heard_every == 0:
            self._hear_everything()
            if self.chance.randrange(4):  # else PostgreSQL answers for what Valkey lost
                follower.check_boards()
            self._compare_boards()
            self._compare_final_standings()

    def _compare_boards(self) -> None:
        names = {self.model.named(which) for which in ("all", "today", "yesterday")}
        for period in sorted(names & self.model.periods.keys()):
            for region in REGIONS:
                self._compare(self._order(period, region), self.model.lines(period, region))

    def _compare_final_standings(self) -> None:
        for period in Period.objects.filter(leaderboard=self.board).exclude(name=ALL_TIME):
            assert (period.state == PeriodState.FINAL) == (period.name in self.model.final)
            if period.state != PeriodState.FINAL:
                continue
            listed = standings.lines(period.pk, tie_break=self.info.tie_break, sort=self.info.sort)
            lines = [(line.rank, self.names[line.player_id], line.units) for line in listed]
            assert lines == self.model.lines(period.name, None)
            assert period.players == len(lines)
            file = b"".join(periods.standings_file(self.info, period.pk))
            assert hashlib.sha256(file).digest() == bytes(period.standings_hash or b"")

    def _compare(self, order: Board, expected: list[Line]) -> None:
        """Compare pages of a random size, somebody's ranks, what is around somebody, and the rank of a new score."""
        walked = list(self._walk(order, FromOffset(0), size=self.chance.randrange(1, 13)))
        assert walked == expected
        ranks = {player: rank for rank, player, _ in expected}
        some = self.chance.sample(PLAYERS, 4)
        found = ranks_of(order, [self.numbers[player] for player in some])
        assert [one and one.rank for one in found] == [ranks.get(player) for player in some]
        score = self.chance.randrange(-4, 8)
        new = place(order, self.model.place(score))
        assert new.rank == self.model.rank_if([score for _, _, score in expected], score)
        if expected:
            self._compare_around(order, expected, size=self.chance.randrange(1, 8))

    def _compare_around(self, order: Board, expected: list[Line], *, size: int) -> None:
        _, player, _ = line = self.chance.choice(expected)
        around = self._lines(page(order, Around(self.numbers[player]), limit=size))
        assert line in around
        first = expected.index(around[0])
        assert around == expected[first : first + size]
        assert len(around) == min(size, len(expected))

    def _submit(self, batch: list[tuple[str, int]], *, achieved_at: datetime | None = None) -> None:
        requests = [ScoreRequest(player, score, achieved_at=achieved_at) for player, score in batch]
        _, results = scores.submit_many(
            game=self.world.game, key=KEY, requests=requests, by=scores.SERVER, at=self.now
        )
        for (player, score), result in zip(batch, results, strict=True):
            assert isinstance(result, Submitted)
            held = self.model.submit(player, score, is_late=achieved_at is not None)
            assert {one.period: one.units for one in result.spans if one.counted} == held

    def _hear_everything(self) -> None:
        self.world.follow()
        self.world.follow()  # what the listeners themselves said at the first time
        self.model.hear()

    def _walk(self, order: Board, where: FromOffset | Behind, *, size: int) -> Iterator[Line]:
        listing = page(order, where, limit=size)
        while listing.rows:
            yield from self._lines(listing)
            listing = page(order, Behind(listing.rows[-1]), limit=size)

    def _lines(self, listing: Listing) -> list[Line]:
        return [
            (rank, self.names[row.player_id], self.model.place(row.sort_value))
            for rank, row in zip(listing.ranks, listing.rows, strict=True)
        ]

    def _order(self, period: str, region: str | None) -> Board:
        return self.info.order(Period.objects.get(leaderboard=self.board, name=period).pk, region)

    def _info(self, player: str) -> PlayerInfo:
        found = accounts.player_of_studio(self.world.game.studio_id, player)
        assert found is not None
        return found

    def _moderate(self, player: str, action: Action, which: str) -> list[str]:
        """Moderate what a player holds in a period, or in every one that may change; return in which that was."""
        wanted = self.model.live() if which == "every" else [self.model.named(which)]
        held = [period for period in wanted if player in self.model.periods.get(period, {})]
        is_final = not self.model.final.isdisjoint(wanted)
        with _refused(Conflict) if is_final else nullcontext() if held else _refused(NotFound):
            moderation.moderate(
                game=self.world.game,
                key=KEY,
                player=self._info(player),
                action=action,
                period=which if which == "every" else wanted[0],
                reason="By lot.",
                actor="key:test",
                at=self.now,
            )
        return [] if is_final else held


def _refused(how: type[Exception]) -> AbstractContextManager[object]:
    return pytest.raises(how)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_board_is_what_a_plain_model_makes_of_everything_that_happened(
    valkey: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    print(f"To see it again: TOURNAMENT_SEED={SEED} TOURNAMENT_STEPS={STEPS}")  # noqa: T201 - shown where it fails
    caplog.set_level("WARNING", logger="leaderboards")  # what failed is not to be looked for among rebuilds
    steps = itertools.count()

    class Here(Tournament):
        def __init__(self) -> None:
            super().__init__(valkey, steps)

    run_state_machine_as_test(
        seed(SEED)(Here),
        settings=settings(
            max_examples=STEPS // FEW + 1,
            stateful_step_count=LONGEST,
            deadline=None,
            database=None,
            derandomize=False,
            print_blob=True,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    taken = next(steps)
    print(f"{taken} steps without a difference")  # noqa: T201 - shown with -s
    assert taken >= STEPS
