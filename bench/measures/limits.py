"""What PostgreSQL and Valkey do here with nothing around them: everything else is a ratio to these."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice, repeat
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench.bare import Valkey, command, per_second, pgbench
from bench.figures import Bench, Figure, latency_of

INSERT_ONE = "bare INSERT of one row"
INSERT_MANY = "bare INSERT of 1,000 rows"
INSERT_ALONE = "bare INSERT, one connection"
ZADD = "bare ZADD"
ZRANGE = "bare ZRANGE of 100"
ZREVRANK = "bare ZREVRANK"
ZCOUNT = "bare ZCOUNT"
PUBLISH = "bare PUBLISH"
PUBLISH_RECEIVED = "bare PUBLISH to receipt"

_CONNECTIONS = 16
_ROWS = 1000
_ALONE = 500  # statements, one after the other
_KEY = "bench:board"
_CHANNEL = "bench:channel"
_MESSAGE = "x" * 600  # about what an unlock takes in a batch's message
_INTEGER_BYTES = len(b":1\r\n")

# The same columns, indexes and references, so that the same rows cost the same.
_TABLE = """
    CREATE TABLE bench_unlock (LIKE achievements_unlock INCLUDING ALL);
    ALTER TABLE bench_unlock ADD FOREIGN KEY (achievement_id) REFERENCES achievements_achievement;
    CREATE SEQUENCE bench_player CACHE 1000;
"""
_DROP = "DROP TABLE bench_unlock; DROP SEQUENCE bench_player"
_COLUMNS = "(player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id)"
_SCRIPT = """\\set achievement random({first}, {last})
INSERT INTO bench_unlock {columns}
VALUES (nextval('bench_player'), :achievement, {game}, {studio}, 10, now(), now(), gen_random_uuid())
"""
_MANY = f"""
    INSERT INTO bench_unlock {_COLUMNS}
    SELECT player_id, achievement_id, %s::bigint, %s::bigint, 10, now(), now(), gen_random_uuid()
      FROM unnest(%s::bigint[], %s::bigint[]) AS i (player_id, achievement_id)
"""  # noqa: S608 - constants


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure both servers while the platform has nothing to do."""
    bench.platform.wait_for_followers()
    yield from _postgres(bench)
    yield from _valkey(bench)


def _postgres(bench: Bench) -> Iterator[Figure]:
    with bench.platform.connect() as connection:
        connection.execute(_TABLE)
        try:
            sql = "SELECT id FROM achievements_achievement WHERE game_id = %s ORDER BY id"
            achievements = [row[0] for row in connection.execute(sql, [bench.platform.world.game_number])]
            yield _insert_one(bench, achievements)
            yield _insert_many(bench, achievements)
            yield _insert_alone(bench, achievements)
        finally:
            connection.execute(_DROP)


def _insert_one(bench: Bench, achievements: list[int]) -> Figure:
    world, servers = bench.platform.world, bench.platform.servers
    script = _SCRIPT.format(
        columns=_COLUMNS,
        first=achievements[0],
        last=achievements[-1],
        game=world.game_number,
        studio=world.studio,
    )
    postgres = Path(servers.postgres.argv[0])

    def run() -> float:
        return pgbench(
            *(postgres, servers.database_url, script),
            folder=bench.platform.place.folder,
            connections=_CONNECTIONS,
            seconds=bench.plan.seconds,
        )

    return _rates(INSERT_ONE, bench, run, unit="rows/s")


def _insert_many(bench: Bench, achievements: list[int]) -> Figure:
    """Insert from two connections, which is what two cores can take."""
    players = count(10**12, _ROWS)
    wanted = [achievements[place % len(achievements)] for place in range(_ROWS)]

    def insert_until(end: float) -> int:
        rows = 0
        with bench.platform.connect() as connection:
            while time.perf_counter() < end:
                first = next(players)
                _insert(bench, connection, list(range(first, first + _ROWS)), wanted)
                rows += _ROWS
        return rows

    def run() -> float:
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as threads:
            rows = sum(threads.map(insert_until, repeat(began + bench.plan.seconds, 2)))
        return rows / (time.perf_counter() - began)

    return _rates(INSERT_MANY, bench, run, unit="rows/s")


def _insert_alone(bench: Bench, achievements: list[int]) -> Figure:
    players = count(2 * 10**12)
    taken: list[list[float]] = []
    with bench.platform.connect() as connection:
        for _ in range(bench.plan.repetitions):
            taken.append([])
            for player in islice(players, _ALONE):
                began = time.perf_counter()
                _insert(bench, connection, [player], [achievements[player % len(achievements)]])
                taken[-1].append((time.perf_counter() - began) * 1e3)
    rates = [len(times) * 1e3 / sum(times) for times in taken]
    return Figure(INSERT_ALONE, median(rates), "rows/s", min(rates), max(rates), latency_of(taken))


def _insert(
    bench: Bench, connection: psycopg.Connection[Any], players: list[int], achievements: list[int]
) -> None:
    world = bench.platform.world
    connection.execute(_MANY, [world.game_number, world.studio, players, achievements], prepare=True)


def _valkey(bench: Bench) -> Iterator[Figure]:
    valkey = Valkey(bench.platform.servers.redis_url)
    members = bench.plan.board_players
    try:
        yield _rates(
            ZADD, bench, lambda: per_second(valkey, _additions(members), answer_bytes=_INTEGER_BYTES)
        )
        page = command("ZRANGE", _KEY, str(members // 2), str(members // 2 + 99), "REV", "WITHSCORES")
        length = valkey.length_of_answer(page)
        yield _rates(
            ZRANGE, bench, lambda: per_second(valkey, repeat((page * 20, 20), 500), answer_bytes=length)
        )
        rank = command("ZREVRANK", _KEY, str(members // 2))
        length = valkey.length_of_answer(rank)
        yield _rates(
            ZREVRANK, bench, lambda: per_second(valkey, repeat((rank * 100, 100), 500), answer_bytes=length)
        )
        better = command("ZCOUNT", _KEY, "-inf", "(500000")
        length = valkey.length_of_answer(better)
        yield _rates(
            ZCOUNT, bench, lambda: per_second(valkey, repeat((better * 100, 100), 500), answer_bytes=length)
        )
        say = command("PUBLISH", _CHANNEL, _MESSAGE)
        yield _rates(
            PUBLISH,
            bench,
            lambda: per_second(valkey, repeat((say * 100, 100), 500), answer_bytes=_INTEGER_BYTES),
        )
        yield _received(bench, valkey, say)
    finally:
        valkey.ask(command("UNLINK", _KEY), answer_bytes=_INTEGER_BYTES)
        valkey.close()


def _additions(members: int) -> Iterator[tuple[bytes, int]]:
    """Return ZADDs of members with scores in no order; a second time they move every member."""
    shift = time.perf_counter_ns()
    for start in range(0, members, _ROWS):
        numbers = range(start, min(start + _ROWS, members))
        adds = [
            command("ZADD", _KEY, str((number * 7919 + shift) % 1_000_003), str(number)) for number in numbers
        ]
        yield b"".join(adds), len(adds)


def _received(bench: Bench, valkey: Valkey, say: bytes) -> Figure:
    listener = Valkey(bench.platform.servers.redis_url)
    subscribe = command("SUBSCRIBE", _CHANNEL)
    listener.length_of_answer(subscribe)
    size = len(command("message", _CHANNEL, _MESSAGE))
    taken: list[list[float]] = []
    for _ in range(bench.plan.repetitions):
        taken.append([])
        for _ in range(_ALONE):
            began = time.perf_counter()
            valkey.ask(say, answer_bytes=_INTEGER_BYTES)
            listener.wait(size)
            taken[-1].append((time.perf_counter() - began) * 1e3)
    listener.close()
    rates = [len(times) * 1e3 / sum(times) for times in taken]
    return Figure(PUBLISH_RECEIVED, median(rates), "messages/s", min(rates), max(rates), latency_of(taken))


def _rates(name: str, bench: Bench, run: Callable[[], float], *, unit: str = "commands/s") -> Figure:
    rates = [run() for _ in range(bench.plan.repetitions)]
    return Figure(name, median(rates), unit, min(rates), max(rates))
