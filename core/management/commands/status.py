import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import status


class Command(BaseCommand):
    """Shows how the installation is."""

    help = (
        "Show what runs, how far away PostgreSQL, Valkey and the broker are, and what is behind. "
        "Ends with 1 when something is down or badly behind."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how to say it."""
        parser.add_argument("--json", action="store_true", help="as JSON, for other programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say it."""
        found = status.look()
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), indent=2))
        else:
            for line in status.lines(found):
                self.stdout.write(line)
        if found.troubles:
            sys.exit(1)
