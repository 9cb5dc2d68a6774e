import signal
from typing import Any

from django.core.management.base import BaseCommand

from core import followers, starting
from core.metrics import installation, serving
from core.relay import Relay


class Command(BaseCommand):
    """Runs the relay process."""

    help = "Watch the fact log and hint the followers that are behind, until SIGTERM or SIGINT."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        starting.wait_for_postgresql()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: followers.stopping.set())
        serving.begin()
        installation.begin()
        Relay().run()
