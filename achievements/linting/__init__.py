"""What stores' guidelines ask of a game's achievements, and what hurts players anywhere. Pure: no Django."""

from achievements.linting.findings import SEVERITIES, STORES, Entry, Finding
from achievements.linting.run import lint

__all__ = ["SEVERITIES", "STORES", "Entry", "Finding", "lint"]
