"""Writes facts at full speed, with random pauses between drawing an id and committing (URL, seconds, seed)."""

import random
import sys
import time

import psycopg

LONGEST_PAUSE_S = 0.02


def main(url: str, seconds: float, seed: int) -> None:
    """Write until the time is up."""
    chance = random.Random(seed)
    deadline = time.monotonic() + seconds
    with psycopg.connect(url) as connection:
        while time.monotonic() < deadline:
            for _ in range(chance.choice((1, 1, 1, 5))):
                connection.execute("INSERT INTO core_fact (kind, size, payload) VALUES ('drawn', 1, '{}')")
            if chance.random() < 0.3:
                time.sleep(chance.random() * LONGEST_PAUSE_S)
            connection.rollback() if chance.random() < 0.05 else connection.commit()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
