from typing import Any

from django.core.management.base import BaseCommand

from core import lags


class Command(BaseCommand):
    """Shows how far the listeners are."""

    help = "List the followers of the fact log: how far behind, and their dead letters."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line each."""
        self.stdout.write(f"{'follower':<16}{'facts behind':>14}{'seconds behind':>16}{'dead letters':>14}")
        for lag in lags.of_followers():
            self.stdout.write(f"{lag.name:<16}{lag.facts:>14}{lag.seconds:>16.1f}{lag.dead_letters:>14}")
