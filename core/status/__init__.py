"""How an installation is, at one look: what `manage.py status` shows (docs/operations/status.md).

It asks PostgreSQL, Valkey and the broker itself, each with a time-out, so that it answers while any of them is away and
while no process of Laurel runs.
"""

from core.status.looking import look
from core.status.screen import lines
from core.status.values import Status

__all__ = ["Status", "lines", "look"]
