"""A board that is written by fifty connections is walked without gaps, and is right afterwards."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from urllib.parse import quote

from tests.faults import FULL
from tests.platform import Client, Platform

WRITERS = 50
SECONDS = 60.0 if FULL else 8.0
STILL = 300  # players who have their score before and do not change it
MOVING = 2_000
KEY = "busy"
_MAKE = """
import json
from leaderboards.models import Leaderboard
made = Leaderboard.objects.create(studio_id={studio}, game_id={game}, key="{key}", name="Busy", tie_break="shared")
print(json.dumps(made.pk))
"""
_RECOMPUTED = """
    SELECT rank() OVER (ORDER BY s.sort_value), i.external_id, -s.sort_value
      FROM leaderboards_score s JOIN leaderboards_period q ON q.id = s.period_id
      JOIN accounts_playeridentity i USING (player_id)
     WHERE q.leaderboard_id = %s ORDER BY s.sort_value, s.reached_at, s.player_id
"""


def _board(platform: Platform) -> int:
    studio = platform.rows("SELECT studio_id FROM accounts_game WHERE id = %s", (platform.game_id,))[0][0]
    made = platform.manage("shell", "-v0", "-c", _MAKE.format(studio=studio, game=platform.game_id, key=KEY))
    pk: int = json.loads(made.strip().splitlines()[-1])
    return pk


def _submit(client: Client, platform: Platform, scores: list[dict[str, Any]]) -> None:
    """Send a batch until it is stored."""
    path = f"/leaderboards/{platform.game}/{KEY}/scores/batch"
    answer = client.until_answered(client.post, path, {"scores": scores})
    assert answer.status == 202, answer
    assert answer.body["rejected"] == 0


def _write(platform: Platform, seed: int, until: float) -> int:
    client, random, sent = platform.client(), Random(seed), 0
    while time.monotonic() < until:
        rows = [
            {"player": f"moving-{random.randrange(MOVING)}", "score": random.randrange(500)} for _ in range(3)
        ]
        _submit(client, platform, rows)
        sent += len(rows)
    return sent


def _walk(client: Client, platform: Platform, *, size: int) -> list[tuple[int, str, int]]:
    walked: list[tuple[int, str, int]] = []
    cursor = ""
    while True:
        more = f"&cursor={quote(cursor)}" if cursor else ""
        page = f"/leaderboards/{platform.game}/{KEY}?limit={size}{more}"
        answer = client.until_answered(client.get, page)
        assert answer.status == 200, answer
        walked += [
            (row["rank"], row["player"]["external_id"], row["score"]) for row in answer.body["results"]
        ]
        if not answer.body["has_next_page"]:
            return walked
        cursor = answer.body["next_cursor"]


def _walk_again_and_again(platform: Platform, size: int, ended: threading.Event) -> int:
    """Walk until the writers are done; every player who stands still must be met once each time."""
    client, walks = platform.client(), 0
    while not ended.is_set():
        met = [name for _, name, _ in _walk(client, platform, size=size) if name.startswith("still-")]
        assert sorted(met) == sorted({f"still-{n}" for n in range(STILL)})
        walks += 1
    return walks


def test_no_walk_misses_or_repeats_who_stands_still_and_ranks_are_right_afterwards(
    platform: Platform,
) -> None:
    board, client = _board(platform), platform.client()
    _submit(client, platform, [{"player": f"still-{n}", "score": n % 500} for n in range(STILL)])
    platform.wait_until_caught_up()
    ended, until = threading.Event(), time.monotonic() + SECONDS
    with ThreadPoolExecutor(WRITERS + 3) as pool:
        walkers = [pool.submit(_walk_again_and_again, platform, size, ended) for size in (7, 50, 1000)]
        writers = [pool.submit(_write, platform, seed, until) for seed in range(WRITERS)]
        try:
            sent = sum(writer.result() for writer in writers)
        finally:
            ended.set()
        walks = [walker.result() for walker in walkers]
    assert sent > WRITERS
    assert min(walks) >= 1
    platform.wait_until_caught_up()
    expected = platform.rows(_RECOMPUTED, (board,))
    assert _walk(platform.client(), platform, size=100) == expected
    assert "0 differences" in platform.manage("rebuild_boards", "--check")
