from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import facts, followers


class Command(BaseCommand):
    """Runs one listener in the foreground."""

    help = "Read the fact log for one follower until nothing is left; with --from, again from that fact on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the name and where to start."""
        parser.add_argument("name", choices=sorted(facts.subscriptions()))
        parser.add_argument(
            "--from", dest="fact_id", type=int, help="replay from this fact's id on (0: the beginning)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read on and say how much was read."""
        followers.ensure_rows()
        if options["fact_id"] is not None:
            try:
                followers.rewind(options["name"], fact_id=options["fact_id"])
            except ValueError as error:
                raise CommandError(str(error)) from None
        read = followers.drain(options["name"])
        self.stdout.write(f"{options['name']} read {read} facts.")
