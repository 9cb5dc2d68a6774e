from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import dead_letters
from core.models import DeadLetter


class Command(BaseCommand):
    """Lists and replays dead letters."""

    help = (
        "List the facts that a follower failed on three times; with --replay, give one (or all) to it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which one to replay."""
        parser.add_argument("--replay", metavar="ID", help="a dead letter's id, or `all`")

    def handle(self, *args: Any, **options: Any) -> None:
        """List or replay."""
        waiting = DeadLetter.objects.filter(replayed_at=None).order_by("fact_tx", "fact_id")
        if options["replay"] is None:
            for letter in waiting:
                last_line = letter.error.strip().rsplit("\n", 1)[-1]
                self.stdout.write(
                    f"{letter.pk}  {letter.follower}  fact {letter.fact_id} {letter.kind}  {last_line}"
                )
            self.stdout.write(f"{waiting.count()} dead letters wait.")
            return
        ids = (
            [letter.pk for letter in waiting] if options["replay"] == "all" else [self._id(options["replay"])]
        )
        for letter_id in ids:
            try:
                dead_letters.replay(letter_id)
            except Exception as error:
                raise CommandError(f"Dead letter {letter_id} failed again and stays: {error}") from error
            self.stdout.write(f"Dead letter {letter_id} was applied.")

    @staticmethod
    def _id(text: str) -> int:
        if not text.isdigit():
            raise CommandError("--replay takes a dead letter's id, or `all`.")
        return int(text)
