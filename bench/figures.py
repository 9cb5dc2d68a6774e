"""What a measurement is given and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.load import Run, percentile
from bench.platform import Platform

_PERCENTS = (50, 95, 99)


@dataclass(frozen=True)
class Latency:
    """How long answers took, in milliseconds; each the median of the repetitions."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Ratio:
    """A figure as a multiple of a bare limit of the same run."""

    value: float
    of: str


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        value: the median of the repetitions, in `unit`; `lowest` and `highest` are theirs.
        bar: what docs/architecture.md promises for it, as text.
        generator_us: what the load generator itself used per request, in microseconds of one core.

    """

    name: str
    value: float
    unit: str
    lowest: float | None = None
    highest: float | None = None
    latency: Latency | None = None
    ratio: Ratio | None = None
    bar: str = ""
    generator_us: float | None = None


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    repetitions: int
    seconds: float  # of each repetition at saturation
    rate_seconds: float  # of each repetition at a fixed rate
    page_seconds: float  # of each repetition that asks for a kind of page
    players: int
    unlocks_in_batches: int  # of each repetition
    board_players: int
    veterans: int  # with two years behind them
    lookers: int  # who come, play and look at their dashboards
    visit_seconds: float  # for how long they are watched
    audience_unlocks: int  # about as many has the game that analytics looks at
    watched_unlocks: int  # that a browser sees on an open page, of each repetition
    connections: int  # of the crowd that is held open
    crowd_seconds: float  # for how long it is told of unlocks
    soak_seconds: float


FULL = Plan(
    repetitions=3,
    seconds=4.0,
    rate_seconds=8.0,
    page_seconds=2.0,
    players=20_000,
    unlocks_in_batches=60_000,
    board_players=1_000_000,
    veterans=30,
    lookers=10_000,
    visit_seconds=120.0,
    audience_unlocks=10_000_000,
    watched_unlocks=20,
    connections=100_000,
    crowd_seconds=300.0,
    soak_seconds=3_600.0,
)
QUICK = Plan(
    repetitions=1,
    seconds=1.5,
    rate_seconds=3.0,
    page_seconds=1.0,
    players=5_000,
    unlocks_in_batches=10_000,
    board_players=100_000,
    veterans=10,
    lookers=1_000,
    visit_seconds=30.0,
    audience_unlocks=200_000,
    watched_unlocks=5,
    connections=2_000,
    crowd_seconds=20.0,
    soak_seconds=120.0,
)


@dataclass(frozen=True)
class Past:
    """What bench/load_history.py loaded: the game's public id, and how many of each; `notices` are in inboxes."""

    game: str
    unlocks: int
    players: int
    notices: int
    seconds: float


@dataclass
class Bench:
    """A run: the platform, the plan, and what was measured so far.

    Attributes:
        past: what the game that is measured had before, with `--scale`.

    """

    platform: Platform
    plan: Plan
    past: Past | None = None
    figures: dict[str, Figure] = field(default_factory=dict)

    def repeat(self, load: Callable[[], Run]) -> list[Run]:
        """Run a load as often as planned; the followers catch up before each, so that none pays for another."""
        runs = []
        for _ in range(self.plan.repetitions):
            self.platform.wait_for_followers()
            runs.append(load())
            self.platform.require_all_alive()
        return runs

    def rate_against(self, limit: str, value: float) -> Ratio:
        """Return a rate as a multiple of a limit's."""
        return Ratio(value / self.figures[limit].value, limit)

    def time_against(self, limit: str, p50_ms: float) -> Ratio:
        """Return a median latency as a multiple of a limit's."""
        bare = self.figures[limit].latency
        assert bare is not None  # limits of latency have one
        return Ratio(p50_ms / bare.p50, limit)


def rate_figure(
    name: str, runs: Sequence[Run], *, unit: str = "requests/s", each: int = 1, bar: str = ""
) -> Figure:
    """Return what loads at saturation came to; `each` is how many things one request carries."""
    rates = [run.per_second * each for run in runs]
    return Figure(
        name=name,
        value=median(rates),
        unit=unit,
        lowest=min(rates),
        highest=max(rates),
        latency=latency_of([run.latencies_ms for run in runs]),
        bar=bar,
        generator_us=median(run.generator_us for run in runs),
    )


def latency_of(repetitions: Sequence[Sequence[float]]) -> Latency:
    """Return the median of each repetition's percentiles."""
    return Latency(*(median(percentile(values, percent) for values in repetitions) for percent in _PERCENTS))
