"""What rows are compared by, in a table and in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What tells rows apart: how many, each column's sum (`at` in microseconds), the sum of the rows' hashes."""

    rows: int
    sums: tuple[Decimal, ...]
    digest: Decimal
