"""Where analytics reads: a replica where one is configured, and never within the transaction of a write."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings

from core.db import run_prepared

EPOCH: Final = "'1970-01-01'::date"


def ask(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a query of analytics; its shape is `core.db.run_prepared`'s."""
    return run_prepared(sql, params, using=settings.ANALYTICS_DATABASE)
