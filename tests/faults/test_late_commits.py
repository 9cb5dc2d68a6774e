"""Ids are drawn before commit: followers that go by (tx, id) hear every fact once, one that goes by id does not."""

import random
import subprocess
import sys
import threading
import time

import psycopg

from config.children import BASE_DIR
from tests.faults import FULL
from tests.platform import Platform, wait_for

SECONDS = 60.0 if FULL else 8.0
WRITERS = 8
FOLLOWERS = ("probe-1", "probe-2", "probe-3")
SEED = 20_262


def _start(platform: Platform, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *arguments], env=platform.env, cwd=BASE_DIR)


def _read_by_id(platform: Platform, until: float, heard: list[int]) -> None:
    """Read as a cursor on id alone would."""
    last = 0
    with psycopg.connect(platform.postgres.url, autocommit=True) as connection:
        while time.monotonic() < until:
            sql = "SELECT id FROM core_fact WHERE kind = 'drawn' AND id > %s ORDER BY id LIMIT 1000"
            rows = connection.execute(sql, (last,)).fetchall()
            heard += [row[0] for row in rows]
            last = heard[-1] if heard else last
            time.sleep(0.005)


def test_every_follower_hears_every_fact_once_and_a_cursor_on_id_does_not(platform: Platform) -> None:
    with psycopg.connect(platform.postgres.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE probe_heard (follower text, fact_id bigint)")
        for name in FOLLOWERS:
            connection.execute(
                "INSERT INTO core_follower (name, tx, fact_id, attempts, isolating, error, updated_at)"
                " VALUES (%s, 0, 0, 0, 0, '', now())",
                (name,),
            )
    chance = random.Random(SEED)
    by_id: list[int] = []
    until = time.monotonic() + SECONDS
    naive = threading.Thread(target=_read_by_id, args=(platform, until + 2, by_id))
    naive.start()
    writers = [
        _start(platform, "tests.faults.slow_writer", platform.postgres.url, str(SECONDS), str(SEED + number))
        for number in range(WRITERS)
    ]
    followers = {name: _start(platform, "tests.faults.probe_follower", name) for name in FOLLOWERS}
    try:
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.5, 2.0))
            name = chance.choice(FOLLOWERS)
            followers[name].kill()
            followers[name].wait()
            followers[name] = _start(platform, "tests.faults.probe_follower", name)
        assert [writer.wait(30) for writer in writers] == [0] * WRITERS
        wait_for(lambda: _behind(platform) == 0, what="the probes to catch up", within_s=60)
    finally:
        for process in [*writers, *followers.values()]:
            process.kill()
            process.wait()
    naive.join()
    facts = {row[0] for row in platform.rows("SELECT id FROM core_fact WHERE kind = 'drawn'")}
    assert len(facts) > WRITERS
    for name in FOLLOWERS:
        heard = [
            row[0] for row in platform.rows("SELECT fact_id FROM probe_heard WHERE follower = %s", (name,))
        ]
        assert len(heard) == len(set(heard)) == len(facts)
        assert set(heard) == facts
    assert set(by_id) < facts, "a cursor on id alone lost nothing: this test does not test"
    with psycopg.connect(platform.postgres.url, autocommit=True) as connection:
        connection.execute("DROP TABLE probe_heard")
        connection.execute("DELETE FROM core_follower WHERE name = ANY(%s)", (list(FOLLOWERS),))


def _behind(platform: Platform) -> int:
    sql = (
        "SELECT count(*) FROM core_follower f, core_fact c"
        " WHERE f.name = ANY(%s) AND (c.tx, c.id) > (f.tx::text::xid8, f.fact_id)"
    )
    count: int = platform.rows(sql, (list(FOLLOWERS),))[0][0]
    return count
