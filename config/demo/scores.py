"""The demo's boards, and what was played on them: last week and this one, the same scores for everybody.

The boards themselves stand in the games' documents. Who plays, how well and how often is drawn once and never changes;
when it was follows from when the demo is made, so that there always is a week that is over and one that runs.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from config.demo.games import EMBERWAKE, HOLLOW_ORCHARD, DemoGame
from config.demo.players import MARENOK, others

_PLAYS_A_WEEK: Final = 0.7  # of those who play at all
_MOST_TRIES: Final = 4
_MARENOK_SKILL: Final = 0.9  # in the upper fifth, with places to gain
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class DemoBoard:
    """A board of a demo game.

    Attributes:
        played_by: the share of the demo's players who ever play it.
        usual: what somebody of middling skill scores.
        skill: what a standard deviation of skill is worth; negative where less is better.
        luck: the standard deviation of one try.
        step: what the game counts in, so that there are ties.
        boats: what a score is told with, one of them a player; nothing if empty.

    """

    game: DemoGame
    key: str
    played_by: float
    usual: float
    skill: float
    luck: float
    step: Decimal
    boats: tuple[str, ...] = ()


BEST_LAP: Final = DemoBoard(
    game=EMBERWAKE,
    key="best-lap",
    played_by=0.8,
    usual=97.0,
    skill=-4.5,
    luck=1.6,
    step=Decimal("0.020"),
    boats=("Heron", "Petrel", "Gannet", "Old Margit"),
)
HIGH_SCORE: Final = DemoBoard(
    game=HOLLOW_ORCHARD,
    key="high-score",
    played_by=0.7,
    usual=42_000,
    skill=8_500,
    luck=3_200,
    step=Decimal(50),
)
BOARDS: Final = (BEST_LAP, HIGH_SCORE)


@dataclass(frozen=True, slots=True)
class Try:
    """One score of one player."""

    at: datetime
    player: str
    score: Decimal
    boat: str | None


def tries(board: DemoBoard, *, until: datetime) -> list[Try]:
    """Return what was played on a board from the Monday (UTC) of the week before, oldest first."""
    rng = random.Random(board.key)  # noqa: S311 - the same for everybody, and no secret
    day = datetime.combine(until.astimezone(UTC), time.min, tzinfo=UTC)
    monday = day - timedelta(days=day.weekday())
    weeks = ((monday - _WEEK, monday), (monday, until))
    everybody = others()
    players = rng.sample(
        [player.external_id for player in everybody], round(board.played_by * len(everybody))
    )
    skills = {MARENOK.external_id: _MARENOK_SKILL} | {player: rng.gauss(0, 1) for player in players}
    made: list[Try] = []
    for player, skill in skills.items():
        boat = rng.choice(board.boats) if board.boats else None
        for since, before in weeks:
            if rng.random() > _PLAYS_A_WEEK and player != MARENOK.external_id:
                continue
            for share, score in _scores(board, skill, rng):
                made.append(Try(_moment(since + share * (before - since)), player, score, boat))
    return sorted(made, key=lambda one: (one.at, one.player))


def _scores(board: DemoBoard, skill: float, rng: random.Random) -> Iterator[tuple[float, Decimal]]:
    """Yield a week's tries: where in the week (0 to 1), and the score."""
    for _ in range(rng.randint(1, _MOST_TRIES)):
        share = rng.random()
        steps = (board.usual + board.skill * skill + rng.gauss(0, board.luck)) / float(board.step)
        yield share, round(steps) * board.step


def _moment(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
