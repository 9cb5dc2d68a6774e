"""Clients that close their connection at a random moment, and `web` killed meanwhile, leave nothing half-done."""

import json
import random
import socket
import threading
import time
from contextlib import suppress

from tests.faults import FULL
from tests.platform import ACHIEVEMENTS, Platform

UNLOCKS = 20_000 if FULL else 2_000
KILLS = 20 if FULL else 3
CLIENTS = 16
# Of each magnitude alike: however fast this machine is, some answers come in time and some don't.
PATIENCE_S = (0.001, 1.0)
SEED = 20_261


def _request(platform: Platform, player: str, achievement: str) -> bytes:
    body = json.dumps({"game_id": platform.game, "player": player, "achievement": achievement}).encode()
    head = (
        "POST /api/v1/achievements/unlock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {platform.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _connected(platform: Platform) -> socket.socket:
    """Connect, once there is a `web` again."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", platform.place.port), timeout=1)
        except OSError:
            time.sleep(0.02)


def _send_and_leave(platform: Platform, player: str, achievement: str, chance: random.Random) -> None:
    """Send the request, or a part of it, and close the connection after a moment."""
    request = _request(platform, player, achievement)
    with suppress(OSError), _connected(platform) as connection:
        kept = request if chance.random() < 0.9 else request[: chance.randrange(len(request))]
        connection.sendall(kept)
        shortest, longest = PATIENCE_S
        connection.settimeout(shortest * (longest / shortest) ** chance.random())
        with suppress(TimeoutError):
            connection.recv(65_536)


def test_nothing_is_left_half_done(platform: Platform) -> None:
    todo = iter([(f"impatient-{n // ACHIEVEMENTS}", f"a{n % ACHIEVEMENTS}") for n in range(UNLOCKS)])
    lock = threading.Lock()
    done = threading.Event()

    def work(number: int) -> None:
        chance = random.Random(SEED + number)
        while True:
            with lock:
                item = next(todo, None)
            if item is None:
                return
            _send_and_leave(platform, *item, chance)

    def keep_killing() -> int:
        chance = random.Random(SEED)
        kills = 0
        while kills < KILLS and not done.is_set():
            time.sleep(chance.uniform(0.2, 0.8))
            platform.kill("web")
            platform.start_again("web")
            kills += 1
        return kills

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    kills = keep_killing()
    for thread in threads:
        thread.join()
    done.set()
    assert kills == KILLS
    stored = platform.rows(
        "SELECT count(*) FROM achievements_unlock u JOIN accounts_playeridentity i USING (player_id)"
        " WHERE i.external_id LIKE 'impatient-%%'"
    )[0][0]
    # Some were cut off before they were whole, some met a web that was killed; whatever was stored is whole.
    assert UNLOCKS / 40 < stored <= UNLOCKS
    platform.wait_until_caught_up()
    platform.assert_whole()
