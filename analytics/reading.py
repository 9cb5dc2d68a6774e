"""Where analytics reads: from a replica that keeps up, if there is one, and never in the transaction of a write."""

from collections.abc import Sequence
from typing import Any, Final

from core import replica

EPOCH: Final = "'1970-01-01'::date"


def ask(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a query of analytics; its shape is `core.db.run_prepared`'s."""
    return replica.read(sql, params)
