"""Follows the log by the product's own code and writes down what it hears (its argument is its name)."""

import sys
import time

import django
from django.db import connection

from core.facts import Fact, Subscription


def main(name: str) -> None:
    """Read on until killed."""
    django.setup()
    from core import followers  # noqa: PLC0415 - it needs Django to be set up

    def write_down(batch: list[Fact]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO probe_heard (follower, fact_id) SELECT %s, unnest(%s::bigint[])",
                [name, [fact.id for fact in batch]],
            )

    probe = Subscription(name, "facts", frozenset({"drawn"}), write_down)
    while True:
        followers.step(probe)
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1])
