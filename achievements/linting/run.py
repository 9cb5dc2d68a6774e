"""All rules at once."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from achievements.linting import anywhere, stores
from achievements.linting.findings import SEVERITIES, STORES, Entry, Finding


def lint(
    entries: Sequence[Entry],
    *,
    gone: Iterable[str] = (),
    for_stores: Collection[str] = tuple(STORES),
    at: datetime,
) -> list[Finding]:
    """Return what is to be seen to in a game's achievements, what weighs most first; nothing for no achievements.

    `gone` are the keys of archived ones.
    """
    found = list(_all(entries, gone, for_stores, at)) if entries else []
    return sorted(
        found, key=lambda one: SEVERITIES.index(one.severity)
    )  # stable: else in the order of the rules


def _all(
    entries: Sequence[Entry], gone: Iterable[str], for_stores: Collection[str], at: datetime
) -> Iterator[Finding]:
    yield from anywhere.metas(entries, gone, at)
    yield from anywhere.windows(entries, at)
    yield from anywhere.beginnings(entries)
    yield from anywhere.hidden(entries)
    yield from anywhere.names(entries)
    yield from anywhere.descriptions(entries)
    yield from anywhere.icons(entries)
    yield from anywhere.translations(entries)
    yield from anywhere.spaces(entries)
    for store in STORES:
        if store in for_stores:
            yield from stores.OF[store](entries)
