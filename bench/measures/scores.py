"""Boards of scores, a large and a small one: submissions, pages and ranks, and what size costs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import repeat
from statistics import median
from urllib.parse import quote

import redis

from bench.figures import Bench, Figure, rate_figure
from bench.load import REFUSED, Run, in_turn, saturate
from bench.measures import board, limits
from bench.world import BATCH, LARGE, MOST_SCORE, SMALL, large_player
from leaderboards import keys
from leaderboards.keys import Board

_SMALL_PLAYERS = 10_000
_ACCEPTED = {202}
_AT_MOST_PER_SECOND = 6_000  # requests made beforehand for each second
_BATCHES_AT_MOST_PER_SECOND = 400
_FILL = """
    WITH began AS (
        INSERT INTO leaderboards_period (leaderboard_id, studio_id, span, name, epoch, state)
        SELECT id, studio_id, 'all', 'all', 1, 'open' FROM leaderboards_leaderboard
         WHERE game_id = %(game)s AND key = %(key)s
        RETURNING id
    )
    INSERT INTO leaderboards_score (player_id, period_id, studio_id, region, sort_value, reached_at, attempts, event_id,
                                    version)
    SELECT player_id, began.id, studio_id, region, -floor(random() * %(most)s)::bigint, points_reached_at, 1,
           gen_random_uuid(), 1
      FROM began, (SELECT * FROM achievements_playergame WHERE game_id = %(game)s LIMIT %(players)s) AS player
    RETURNING period_id
"""


def measure(bench: Bench) -> Iterator[Figure]:
    """Fill both boards, then submit to them and read them."""
    sizes = {LARGE: bench.plan.board_players, SMALL: min(_SMALL_PLAYERS, bench.plan.board_players)}
    periods = {key: _filled(bench, key, players) for key, players in sizes.items()}
    bench.platform.manage("rebuild_boards", "--game", bench.platform.world.board)
    yield _size(bench, periods[LARGE], sizes[LARGE])
    yield from _reads(bench, sizes[LARGE])
    for key, players in sizes.items():
        name = f"scores: one a request, {players:,} on the board"
        single = partial(bench.platform.requests.score, key, players)
        figure = _submitted(bench, name, single, connections=64)
        yield replace(figure, bar="≥ 1,600/s") if key == LARGE else figure
    yield _batches(bench, sizes[LARGE])
    yield from _growth(bench, sizes)


def _filled(bench: Bench, key: str, players: int) -> int:
    """Let players hold scores on a board; return its period."""
    board.fill(bench)
    world = bench.platform.world
    with bench.platform.connect() as connection:
        row = connection.execute(
            _FILL.encode(),
            {"game": world.board_number, "key": key, "players": players, "most": MOST_SCORE},
        ).fetchone()
        assert row is not None  # there are players
        connection.execute(b"VACUUM ANALYZE leaderboards_score")
    return int(row[0])


def _size(bench: Bench, period: int, players: int) -> Figure:
    order = Board(bench.platform.world.board_number, None, period)
    with redis.Redis.from_url(bench.platform.servers.redis_url) as client:
        size = sum(
            client.memory_usage(key, samples=0) or 0 for key in (keys.order(order), keys.entries(order))
        )
    return Figure("scores: memory", size / players, "bytes/entry")


def _reads(bench: Bench, players: int) -> Iterator[Figure]:
    requests, path = bench.platform.requests, f"/api/v1/leaderboards/{bench.platform.world.board}/{LARGE}"
    yield board.asked(
        bench, "scores: top page, no key", [requests.get(path, keyed=False)], limits.ZRANGE, bar="≥ 3,000/s"
    )
    yield board.asked(
        bench,
        "scores: page by cursor, any depth",
        _pages(bench, LARGE, players),
        limits.ZRANGE,
        bar="≥ 1,000/s",
    )
    yield _unseen(bench, players)
    places = board.places_of(players)
    ranks = board.gets(requests, (f"{path}/players/{large_player(place + 1)}" for place in places))
    yield board.asked(bench, "scores: rank of a player", ranks, limits.ZREVRANK, bar="p95 < 5 ms")
    around = board.gets(requests, (f"{path}/around/{large_player(place + 1)}" for place in places))
    yield board.asked(bench, "scores: around a player", around, limits.ZREVRANK, bar="≥ 1,500/s")
    wanted = board.gets(requests, (f"{path}/rank?score={place % MOST_SCORE}" for place in places))
    yield board.asked(bench, "scores: rank of a score", wanted, limits.ZCOUNT)


def _unseen(bench: Bench, players: int) -> Figure:
    """Ask for pages of players of whom nobody was shown lately (docs/adr/0014-players-in-lists.md), each once."""
    requests = _pages(bench, LARGE, players)

    def run() -> Run:
        with redis.Redis.from_url(bench.platform.servers.redis_url, single_connection_client=True) as client:
            client.select(1)
            client.flushdb()
        return saturate(
            bench.platform.web,
            in_turn(iter(requests)),
            connections=16,
            expected={200},
            uncounted=REFUSED,
        )

    runs = bench.repeat(run)
    board.tell_refused(runs)
    figure = rate_figure("scores: page by cursor, of players not shown lately", runs)
    return replace(figure, ratio=bench.rate_against(limits.ZRANGE, figure.value))


def _pages(bench: Bench, key: str, players: int) -> list[bytes]:
    """Return requests for pages by cursor, from places all over a board."""
    requests, path = bench.platform.requests, f"/api/v1/leaderboards/{bench.platform.world.board}/{key}"
    by_offset = board.gets(requests, (f"{path}?offset={place}" for place in board.places_of(players)))
    found = board.cursors(bench, by_offset)
    return board.gets(requests, (f"{path}?cursor={quote(cursor)}" for cursor in found))


def _submitted(bench: Bench, name: str, make: Callable[[], bytes], *, connections: int) -> Figure:
    def run() -> Run:
        requests = [make() for _ in repeat(None, int(bench.plan.seconds * _AT_MOST_PER_SECOND))]
        source = in_turn(iter(requests))
        return saturate(
            bench.platform.web,
            source,
            connections=connections,
            expected=_ACCEPTED,
            seconds=bench.plan.seconds,
        )

    figure = rate_figure(name, bench.repeat(run), unit="scores/s")
    return replace(figure, ratio=bench.rate_against(limits.INSERT_ONE, figure.value))


def _batches(bench: Bench, players: int) -> Figure:
    """Send batches until all of them are stored and on the boards."""
    make = partial(bench.platform.requests.scores, LARGE, players)

    def run() -> Run:
        requests = [make() for _ in repeat(None, int(bench.plan.seconds * _BATCHES_AT_MOST_PER_SECOND))]
        load = saturate(
            bench.platform.web,
            in_turn(iter(requests)),
            connections=3,
            expected=_ACCEPTED,
            seconds=bench.plan.seconds,
        )
        bench.platform.wait_for_followers()
        return load

    figure = rate_figure(
        "scores: batches of 100", bench.repeat(run), unit="scores/s", each=BATCH, bar="≥ 8,000/s"
    )
    return replace(figure, ratio=bench.rate_against(limits.INSERT_MANY, figure.value))


def _growth(bench: Bench, sizes: dict[str, int]) -> Iterator[Figure]:
    """Say what an operation costs on the large board as a multiple of what it costs on the small one."""
    large, small = sizes[LARGE], sizes[SMALL]
    one = "scores: one a request, {:,} on the board"
    submitted = bench.figures[one.format(small)].value / bench.figures[one.format(large)].value
    yield Figure(f"scores: a submission with {large:,} instead of {small:,}", submitted, "× the cost")
    per_page = {key: _per_second(bench, _pages(bench, key, players)) for key, players in sizes.items()}
    page = per_page[SMALL] / per_page[LARGE]
    yield Figure(f"scores: a page with {large:,} instead of {small:,}", page, "× the cost")


def _per_second(bench: Bench, requests: list[bytes]) -> float:
    runs = bench.repeat(
        lambda: saturate(
            bench.platform.web,
            in_turn(iter(requests)),
            connections=16,
            expected={200},
            seconds=bench.plan.page_seconds,
            uncounted=REFUSED,
        )
    )
    return median(run.per_second for run in runs)
