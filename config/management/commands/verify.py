"""manage.py verify."""

import os
import time
from argparse import ArgumentParser
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from core import facts, lags
from core.models import DeadLetter

CAUGHT_UP_WITHIN_S = 120.0
_LOOK_AGAIN_S = 1.0


def _caught_up() -> str:
    """Wait until every listener has read the log up to where it ends now."""
    end = facts.next_transaction()
    deadline = time.monotonic() + CAUGHT_UP_WITHIN_S
    while unread := lags.unread_before(end):
        if time.monotonic() > deadline:
            behind = ", ".join(f"{name} {count:,}" for name, count in unread.items())
            raise CommandError(f"Facts behind: {behind}. Do workers run?")
        time.sleep(_LOOK_AGAIN_S)
    return "Every listener has read the log."


def _dead_letters() -> str:
    if count := DeadLetter.objects.filter(replayed_at=None).count():
        raise CommandError(f"{count:,} dead letters wait: `manage.py deadletters` lists them.")
    return "No dead letter waits."


def _command(*words: str) -> Callable[[], str]:
    def run() -> str:
        deadline = time.monotonic() + CAUGHT_UP_WITHIN_S
        while True:
            out = StringIO()
            try:
                call_command(*words, stdout=out)
                break
            except CommandError as error:
                if error.returncode != os.EX_TEMPFAIL or time.monotonic() > deadline:
                    raise CommandError(f"{out.getvalue()}{error}") from None
            time.sleep(_LOOK_AGAIN_S)
        return [line for line in out.getvalue().splitlines() if not line.startswith("It took")][-1]

    return run


CHECKS: dict[str, Callable[[], str]] = {
    "listeners": _caught_up,
    "dead letters": _dead_letters,
    "boards": _command("rebuild_boards", "--check"),
    "analytics": _command("rebuild_analytics", "--check"),
    "final standings": _command("verify_standings"),
    "audit log": _command("verify_audit"),
    "erasures": _command("erasures", "--check"),
}


class Command(BaseCommand):
    """Runs every check that compares what is kept with what it follows from."""

    help = (
        "Recompute what is kept, and say where it differs: boards, analytics, final standings, the audit log's chains,"
        " what is left of who was erased, and whether listeners have read the log. It changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take which ones."""
        parser.add_argument(
            "--only", action="append", choices=sorted(CHECKS), help="this one; may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run them all, and exit with 1 if one finds something."""
        wrong = []
        for name in options["only"] or CHECKS:
            try:
                said = CHECKS[name]()
            except CommandError as error:
                wrong.append(name)
                said = f"WRONG: {error}"
            self.stdout.write(f"{name}: {said}")
        if wrong:
            raise CommandError(f"Wrong: {', '.join(wrong)}.")
        self.stdout.write("All is as it follows from what is stored.")
