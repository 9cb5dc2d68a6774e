"""The points board of a game with a million players: filling it, its size, and its pages."""

import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle

import orjson
import redis

from bench.figures import Bench, Figure, latency_of, rate_figure
from bench.load import REFUSED, BadAnswer, Run, at_rate, in_turn, saturate
from bench.measures import limits
from bench.measures.singles import TARGET_PER_SECOND
from bench.world import REGIONS, Requests
from leaderboards import keys
from leaderboards.keys import Board

_CONNECTIONS = 16
_LOW_PER_SECOND = 50
_PLACES = 2_000  # different requests of a kind: more than a second's, so that none is answered from a memo
_STRIDE = 7919
_ANY = {200}
_CACHED = {200, 304}
_NEW = {202}
_READY = b":ready"  # keys.ready: set last
_PART_S = 2.0
_HEALED_WITHIN_S = 900.0
_LET_GO_WITHIN_S = 120.0

_PLAYERS = """
    WITH made AS (
        INSERT INTO accounts_player (uuid, display_name, region, avatar_url, visibility, created_at)
        SELECT gen_random_uuid(), 'Player ' || n, (%(regions)s::text[])[1 + n %% 4], '', 'public', now()
          FROM generate_series(1, %(players)s) AS n
        RETURNING id, region
    ), named AS (
        INSERT INTO accounts_playeridentity (studio_id, external_id, player_id, created_at)
        SELECT %(studio)s, 'board-' || row_number() OVER (), id, now() FROM made
    )
    INSERT INTO achievements_playergame (player_id, game_id, studio_id, region, points, unlocked, points_reached_at,
                                         first_unlock_at, last_unlock_at, version)
    SELECT id, %(game)s, %(studio)s, region, points, 1 + points / 20, reached_at, reached_at, reached_at, 1
      FROM (SELECT id, region, 5 * floor(4000 * power(random(), 3))::bigint AS points,
                   now() - random() * interval '300 days' AS reached_at FROM made) AS drawn
"""


def measure(bench: Bench) -> Iterator[Figure]:
    """Fill the board, then ask for pages of it."""
    yield _filled(bench)
    yield _size(bench)
    yield from _pages(bench)
    yield _healed(bench)


def fill(bench: Bench) -> None:
    """Let the large board's game have its players and their points, once."""
    world, players = bench.platform.world, bench.plan.board_players
    bench.platform.wait_for_followers()
    with bench.platform.connect() as connection:
        sql = "SELECT FROM achievements_playergame WHERE game_id = %s LIMIT 1"
        if connection.execute(sql, [world.board_number]).fetchone() is not None:
            return
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            _PLAYERS,
            {
                "players": players,
                "studio": world.studio,
                "game": world.board_number,
                "regions": ["", *REGIONS],
            },
        )
        for table in ("accounts_player", "accounts_playeridentity", "achievements_playergame"):
            connection.execute(f"VACUUM ANALYZE {table}".encode())


def _filled(bench: Bench) -> Figure:
    world, players = bench.platform.world, bench.plan.board_players
    fill(bench)
    seconds, _ = bench.platform.manage("rebuild_boards", "--game", world.board)
    name = f"board of {players:,}: rebuild"
    return Figure(name, seconds, "s", ratio=bench.rate_against(limits.ZADD, players / seconds), bar="< 60 s")


def _size(bench: Bench) -> Figure:
    board = Board(bench.platform.world.board_number, None)
    with redis.Redis.from_url(bench.platform.servers.redis_url) as client:
        size = sum(
            client.memory_usage(key, samples=0) or 0 for key in (keys.order(board), keys.entries(board))
        )
    return Figure("board: memory", size / bench.plan.board_players, "bytes/entry")


def _pages(bench: Bench) -> Iterator[Figure]:
    requests, board = bench.platform.requests, f"/api/v1/leaderboards/{bench.platform.world.board}"
    places = places_of(bench.plan.board_players)
    by_offset = gets(requests, (f"{board}?offset={place}" for place in places))
    top = requests.get(board, keyed=False)
    known = requests.get(board, keyed=False, etag=_etag(bench, top))
    yield asked(bench, "board: top page, no key", [top], limits.ZRANGE, bar="≥ 3,000/s")
    yield asked(bench, "board: top page, no key, ETag known", [known], limits.ZRANGE)
    yield asked(bench, "board: top page", [requests.get(board, keyed=True)], limits.ZRANGE, bar="p95 < 20 ms")
    yield asked(bench, "board: page by offset, any depth", by_offset, limits.ZRANGE, bar="p95 < 20 ms")
    by_cursor = gets(requests, (f"{board}?cursor={cursor}" for cursor in cursors(bench, by_offset)))
    yield asked(bench, "board: page by cursor, any depth", by_cursor, limits.ZRANGE, bar="p95 < 20 ms")
    ranks = gets(requests, (f"{board}/points/players/board-{place + 1}" for place in places))
    yield asked(bench, "board: rank of a player", ranks, limits.ZREVRANK, bar="p95 < 5 ms")
    around = gets(requests, (f"{board}/points/around/board-{place + 1}" for place in places))
    yield asked(bench, "board: around a player", around, limits.ZREVRANK, bar="≥ 1,500/s")


def _healed(bench: Bench) -> Figure:
    """Lose everything that Valkey holds while unlocks come in at the target rate; wait until every board is whole."""
    platform, part = bench.platform, int(_PART_S * TARGET_PER_SECOND)
    # Millions of entries take a slow machine seconds to let go of, in which Valkey answers nobody.
    with redis.Redis.from_url(platform.servers.redis_url, socket_timeout=_LET_GO_WITHIN_S) as client:
        wanted = _whole(client)
        held = sum(int(client.zcard(key.replace(_READY, b":order"))) for key in wanted)
        began = time.perf_counter()
        client.flushall()
        while wanted - _whole(client):
            if time.perf_counter() - began > _HEALED_WITHIN_S:
                raise BadAnswer(f"After FLUSHALL {len(wanted - _whole(client))} boards are not whole again.")
            requests = [platform.requests.single() for _ in range(part)]
            at_rate(platform.web, requests, per_second=TARGET_PER_SECOND, expected=_NEW)
        seconds = time.perf_counter() - began
    platform.wait_for_followers()
    platform.manage("rebuild_boards", "--check")
    name = f"board of {bench.plan.board_players:,}: healed after FLUSHALL at 167 unlocks/s, for a million entries"
    return Figure(name, seconds * 1e6 / held, "s", bar="< 60 s")


def _whole(client: "redis.Redis") -> set[bytes]:
    return set(client.scan_iter(match=f"leaderboards:*{_READY.decode()}", count=1_000))


def places_of(players: int) -> list[int]:
    """Return places all over a board."""
    return [place * _STRIDE % players for place in range(_PLACES)]


def gets(requests: Requests, paths: Iterator[str]) -> list[bytes]:
    """Return keyed requests for paths."""
    return [requests.get(path, keyed=True) for path in paths]


def asked(bench: Bench, name: str, requests: Sequence[bytes], limit: str, *, bar: str = "") -> Figure:
    """Ask at saturation for requests a second, then slowly for the latency.

    All is asked for once beforehand, which is not counted: players are then kept as on a busy site. What it costs to
    show others is a figure of its own (bench/measures/scores.py). A slow machine turns some away, who do not count.
    """
    web, plan = bench.platform.web, bench.plan
    saturate(web, in_turn(iter(requests)), connections=_CONNECTIONS, expected=_CACHED, uncounted=REFUSED)
    busy = bench.repeat(
        lambda: saturate(
            web,
            in_turn(cycle(requests)),
            connections=_CONNECTIONS,
            expected=_CACHED,
            seconds=plan.page_seconds,
            uncounted=REFUSED,
        )
    )
    number = int(plan.page_seconds * _LOW_PER_SECOND)
    turns = cycle(requests)
    slow = bench.repeat(
        lambda: at_rate(
            web,
            [next(turns) for _ in range(number)],
            per_second=_LOW_PER_SECOND,
            expected=_CACHED,
            uncounted=REFUSED,
        )
    )
    tell_refused([*busy, *slow])
    figure = rate_figure(name, busy, bar=bar)
    latency = latency_of([run.latencies_ms for run in slow])
    return replace(figure, latency=latency, ratio=bench.rate_against(limit, figure.value))


def tell_refused(runs: Sequence[Run]) -> None:
    """Print how many were turned away, if any were."""
    if refused := sum(run.others.total() for run in runs):
        answered = sum(len(run.latencies_ms) for run in runs)
        print(f"  {refused:,} were refused beside {answered:,} that were answered.", flush=True)


def cursors(bench: Bench, requests: Sequence[bytes]) -> list[str]:
    """Return the cursors that lead on from pages."""
    found: list[str] = []
    left = iter(requests)

    def source(body: bytes) -> bytes | None:
        cursor = orjson.loads(body)["next_cursor"] if body else None
        if cursor is not None:
            found.append(cursor)
        return next(left, None)

    saturate(bench.platform.web, source, connections=4, expected=_ANY)
    return found


def _etag(bench: Bench, request: bytes) -> str:
    """Return the ETag of an answer."""
    with socket.create_connection(bench.platform.web) as connection:
        connection.sendall(request)
        head = connection.recv(16_384).partition(b"\r\n\r\n")[0].decode("latin-1")
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "etag":
            return value.strip()
    raise BadAnswer(f"An answer has no ETag: {head}")
