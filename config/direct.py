"""What asks PostgreSQL itself where a PgBouncer stands before it."""

import os
from collections.abc import Sequence

# A migration may take long and waits for locks; whoever types statements expects a session of his own.
_COMMANDS = ("migrate", "dbshell")


def take_direct_way(argv: Sequence[str]) -> None:
    """Let the command that `argv` names go to DATABASE_DIRECT_URL, if it is one of those and that is set."""
    url = os.environ.get("DATABASE_DIRECT_URL")
    if url and argv[1:2] and argv[1] in _COMMANDS:
        os.environ["DATABASE_URL"] = url
        os.environ.pop("DATABASE_POOLED_BY", None)
