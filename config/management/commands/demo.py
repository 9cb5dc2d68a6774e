from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo import creating, showing
from core import clock


class Command(BaseCommand):
    """Creates the demo, or shows how to get into it."""

    help = "Create what the demo lacks (a second run changes nothing); with --show, print where it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do."""
        parser.add_argument(
            "--show", action="store_true", help="print addresses, login, server key and a request"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, unless the demo is off."""
        if not settings.DEMO:
            raise CommandError(
                "The demo is off: set DEMO=1 to have it, on an instance that nobody else uses."
            )
        if not options["show"]:
            creating.create()
            return
        try:
            self.stdout.write(showing.text(at=clock.now()), ending="")
        except showing.NotCreated as reason:
            raise CommandError(str(reason)) from None
