"""manage.py verify_standings: recomputes the hashes of final standings."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import selectors as accounts
from core.ids import parse_id
from leaderboards import standings
from leaderboards.models import Period, PeriodState
from leaderboards.selectors import definitions


class Command(BaseCommand):
    """Recomputes the hash of every final period's standings and compares it with the kept one."""

    help = "Recompute the hash of every final period's standings and compare it with the kept one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the game."""
        parser.add_argument("--game", metavar="UUID", help="only the periods of this game")

    def handle(self, *, game: str | None, **_: Any) -> None:
        """Do it. Exits with 1 when any differs."""
        rows = Period.objects.filter(state=PeriodState.FINAL, standings_hash__isnull=False)
        if game is not None:
            uuid = parse_id(game)
            info = None if uuid is None else accounts.game(uuid)
            if info is None:
                raise CommandError(f"There is no game {game}.")
            rows = rows.filter(leaderboard__game_id=info.id)
        differing = 0
        for period in rows.select_related("leaderboard").order_by("id"):
            board = definitions.info_of(period.leaderboard)
            found = standings.summary(
                period.pk, tie_break=board.tie_break, sort=board.sort, decimals=board.decimals
            )
            if (found.players, found.sha256) != (period.players, bytes(period.standings_hash or b"")):
                differing += 1
                self.stdout.write(f"{board.key} {period.name}: not what became final")
        if differing:
            raise CommandError(f"{differing} of {len(rows)} final standings differ from what became final.")
        self.stdout.write(f"{len(rows)} final standings are what became final.")
