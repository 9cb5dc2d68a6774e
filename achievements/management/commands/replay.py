"""`manage.py replay PATH`: real games' unlocks through the HTTP API, compared with their files."""

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Studio
from accounts.services import create_studio, issue_key
from achievements.replay.client import Failed
from achievements.replay.files import Unusable, read_games
from achievements.replay.run import Options, Outcome, Replay
from core import clock

_STUDIO: Final = "Replay"
_SCOPES: Final = ("definitions:read", "definitions:write", "players:read", "unlocks:write")
_KEY_LIFETIME: Final = timedelta(days=1)
_SHOWN: Final = 20
_MAX_BATCH: Final = 1_000


class Command(BaseCommand):
    """Plays a game's server and ends with the number of differences; the exit code is 1 if there are any."""

    help = "Send the games and unlocks in PATH through the HTTP API and compare what the platform answers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "path", type=Path, help="the folder with definitions.jsonl.gz and unlocks*.csv.gz"
        )
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="the platform (%(default)s)")
        parser.add_argument("--key", help='a server key; without it one is made for the studio "Replay"')
        parser.add_argument("--speed", type=float, help="at most so many unlocks a second")
        parser.add_argument(
            "--batch", type=int, default=500, help="unlocks a request, 1 to 1000 (%(default)s)"
        )
        parser.add_argument("--connections", type=int, default=4, help="at the same time (%(default)s)")
        parser.add_argument("--game", action="append", default=[], help="only this game; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, say what was done, and count the differences."""
        if not 1 <= options["batch"] <= _MAX_BATCH:
            raise CommandError(f"--batch must be 1 to {_MAX_BATCH:,}.")
        if options["connections"] < 1 or (options["speed"] is not None and options["speed"] <= 0):
            raise CommandError("--connections and --speed must be more than 0.")
        try:
            games = read_games(options["path"], options["game"])
            replay = Replay(
                Options(
                    url=options["url"],
                    key=options["key"] or _key_of_replay_studio(),
                    batch=options["batch"],
                    connections=options["connections"],
                    speed=options["speed"],
                    quiet=options["verbosity"] == 0,
                )
            )
            outcome = replay.run(games)
        except (Failed, Unusable) as problem:
            raise CommandError(str(problem)) from None
        self._report(outcome)

    def _report(self, outcome: Outcome) -> None:
        created = sum(game.created for game in outcome.imported)
        updated = sum(game.updated for game in outcome.imported)
        unchanged = sum(game.unchanged for game in outcome.imported)
        tally = outcome.tally
        self.stdout.write(
            f"{len(outcome.imported):,} games: {created:,} definitions created, {updated:,} updated,"
            f" {unchanged:,} unchanged."
        )
        self.stdout.write(
            f"{tally.unlocked:,} unlocks are new, {tally.already_unlocked:,} were known already,"
            f" {len(tally.rejected):,} were rejected."
        )
        if not (created or updated or tally.unlocked):
            self.stdout.write("This replay changed nothing.")
        for difference in outcome.differences[:_SHOWN]:
            self.stdout.write(f"  {difference}")
        if len(outcome.differences) > _SHOWN:
            self.stdout.write(f"  … and {len(outcome.differences) - _SHOWN:,} more")
        count = len(outcome.differences)
        self.stdout.write(f"{count:,} {'difference' if count == 1 else 'differences'}")
        if count:
            raise SystemExit(1)


def _key_of_replay_studio() -> str:
    """Return a new key of the studio that owns replayed games; it ends by itself after a day.

    It has no `offline:write`: ties go by when the platform heard of an unlock, as the comparison expects.
    """
    studio = Studio.objects.filter(name=_STUDIO).order_by("id").first() or create_studio(name=_STUDIO)
    _, key = issue_key(
        studio_id=studio.pk, name="Replay", scopes=_SCOPES, expires_at=clock.now() + _KEY_LIFETIME
    )
    return key
