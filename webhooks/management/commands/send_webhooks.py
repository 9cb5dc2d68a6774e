import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from core import starting, tracing
from core.metrics import serving
from webhooks import sender
from webhooks.sender import Dispatcher


class Command(BaseCommand):
    """Runs the sender process."""

    help = "Send webhooks that are due, until SIGTERM or SIGINT. Several may run at once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        starting.wait_for_postgresql()
        serving.begin()
        tracing.begin()
        asyncio.run(sender.run(started=_stop_at_signals))


def _stop_at_signals(dispatcher: Dispatcher) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, dispatcher.stopping.set)
