"""manage.py rebuild_history."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from history.services import rolling


class Command(BaseCommand):
    """Adds up players' history anew."""

    help = (
        "Add up what players did by the hour, day, week and month anew, from the fact log. The log is kept for some"
        " days only: what it has forgotten is lost, so do this only while it goes back to the beginning. Boards,"
        " inboxes and webhooks stand still until it ends: do it while few play."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask for a plain word, since the history of longer than the log is lost."""
        parser.add_argument("--yes", action="store_true", help="What the log has forgotten may be lost.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, if it was meant."""
        if not options["yes"]:
            self.stderr.write(
                "History that is older than the fact log would be lost: say --yes if that is meant."
            )
            return
        self.stdout.write(f"{rolling.rebuild():,} facts read.")
