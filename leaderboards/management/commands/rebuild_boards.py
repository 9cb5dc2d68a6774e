"""manage.py rebuild_boards: makes boards anew from PostgreSQL, or compares them."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import selectors as accounts
from core.ids import parse_id
from core.redis import AWAY
from leaderboards import comparing, estimating, filling, rebuilding, truth
from leaderboards.keys import Board

_TRY_AGAIN_S = 0.5


class Command(BaseCommand):
    """Rebuilds the leaderboards in Valkey from PostgreSQL while everything runs, or compares both."""

    help = (
        "Rebuild the leaderboards in Valkey from PostgreSQL while everything runs, or compare both (--check)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the game, and whether to compare only."""
        parser.add_argument("--game", metavar="UUID", help="only the boards of this game")
        parser.add_argument(
            "--check", action="store_true", help="change nothing; print the number of differences"
        )

    def handle(self, *, game: str | None, check: bool, **_: Any) -> None:
        """Do it. Exits with 1 when boards differ, or can't be compared or rebuilt."""
        boards = _boards(game)
        try:
            self._check(boards) if check else self._rebuild(boards)
        except AWAY as error:
            raise CommandError(
                f"Valkey is away ({error}); PostgreSQL answers meanwhile. Try again."
            ) from None

    def _check(self, boards: list[Board]) -> None:
        large = estimating.large()
        lacking = comparing.not_ready([board for board in boards if board.name not in large])
        for board in lacking:
            self.stdout.write(f"{board.name}: not ready, PostgreSQL answers")
        differing = {}
        for board in boards:
            if board.name in large:
                self.stdout.write(f"{board.name}: too large for Valkey, PostgreSQL answers with estimates")
            elif board not in lacking and (count := comparing.check(board)):
                self.stdout.write(f"{board.name}: {count:,} players differ")
                differing[board] = count
        # A period may have ended meanwhile, or been reset: nobody asks its board any more, and it is taken away.
        kept = truth.kept([*lacking, *differing])
        lacking = [board for board in lacking if board in kept]
        differing = {board: count for board, count in differing.items() if board in kept}
        if lacking or differing:
            raise CommandError(
                f"Differences: {sum(differing.values()):,}, on {len(differing)} of {len(boards)} boards; "
                f"{len(lacking)} are not ready. Rebuild them by this command without --check."
            )
        self.stdout.write(f"0 differences: {len(boards)} boards hold what PostgreSQL holds.")

    def _rebuild(self, boards: list[Board]) -> None:
        for board in boards:
            if estimating.is_too_large(board):
                estimating.make(board)
                self.stdout.write(f"{board.name}: too large for Valkey, sketched")
                continue
            while (players := rebuilding.rebuild(board)) is None:
                time.sleep(_TRY_AGAIN_S)  # another one runs, and ends or loses its lease
            self.stdout.write(f"{board.name}: {players:,} players")
        self.stdout.write(f"{len(boards)} boards rebuilt.")


def _boards(game: str | None) -> list[Board]:
    """Return the boards that PostgreSQL or Valkey knows."""
    game_id = None
    if game is not None:
        uuid = parse_id(game)
        found = None if uuid is None else accounts.game(uuid)
        if found is None:
            raise CommandError(f"There is no game {game}.")
        game_id = found.id
    left_over = [board for board in filling.ready_boards() if game_id in (None, board.game_id)]
    return list(dict.fromkeys([*truth.boards(game_id=game_id), *left_over]))
