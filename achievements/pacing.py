"""The statements about how fast players came: what is kept of it, and what reports make of it.

All in one transaction, in which the caller holds what says how far they are: the row of their progress, or of the
value of a stat. Rows are written in the order of their keys.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from achievements.pace import Fastest, Way, advance
from core.db import array_literal, run_prepared, text_array_literal

Pair = tuple[int, int]  # player and achievement


class Growth(NamedTuple):
    """A report that brought a player from `before` to `after`, or back.

    Attributes:
        a_minute: how much may come in any minute.
        at_us: when it happened, as far as that is believed.
        since_us: when he was found at `before`; None where his progress says so, or nobody knows.

    """

    pair: Pair
    a_minute: int
    before: int
    after: int
    at_us: int
    since_us: int | None = None


class Held(NamedTuple):
    """What is kept of a player and an achievement; `found_us` is when his own steps came to `current`."""

    current: int
    found_us: int | None
    way: Way | None

    def advance(self, growth: Growth) -> Way:
        """Return his way after a report."""
        is_found = self.found_us is not None and self.current == growth.before > 0
        return advance(
            self.way,
            a_minute=growth.a_minute,
            before=growth.before,
            after=growth.after,
            at_us=growth.at_us,
            since_us=self.found_us if growth.since_us is None and is_found else growth.since_us,
        )


_HELD = """
SELECT w.player_id, w.achievement_id, coalesce(t.current, 0), (extract(epoch FROM t.updated_at) * 1000000)::bigint,
       p.a_minute, p.current, p.marks, p.steps, p.seconds, p.until_us
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, achievement_id)
  LEFT JOIN achievements_progress t USING (player_id, achievement_id)
  LEFT JOIN achievements_pace p USING (player_id, achievement_id)
"""


def held(pairs: Iterable[Pair]) -> dict[Pair, Held]:
    """Return what is kept of each pair, also of those of which nothing is."""
    columns = [array_literal(column) for column in zip(*sorted(set(pairs)), strict=True)]
    rows = run_prepared(_HELD, columns) if columns else []
    return {(row[0], row[1]): Held(row[2], row[3], _way(*row[4:])) for row in rows}


def _way(
    a_minute: int | None,
    current: int,
    marks: Sequence[int],
    steps: int | None,
    seconds: int,
    until_us: int,
) -> Way | None:
    if a_minute is None:
        return None
    fastest = None if steps is None else Fastest(steps, seconds, until_us)
    return Way(a_minute, current, tuple(zip(marks[::2], marks[1::2], strict=True)), fastest)


_KEEP = """
INSERT INTO achievements_pace (player_id, achievement_id, a_minute, current, marks, steps, seconds, until_us)
SELECT player_id, achievement_id, a_minute, current, marks::bigint[], steps, seconds, until_us
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[],
              $8::bigint[])
    AS i (player_id, achievement_id, a_minute, current, marks, steps, seconds, until_us)
 ORDER BY player_id, achievement_id
ON CONFLICT (player_id, achievement_id) DO UPDATE
   SET a_minute = excluded.a_minute, current = excluded.current, marks = excluded.marks, steps = excluded.steps,
       seconds = excluded.seconds, until_us = excluded.until_us
"""


def follow(growths: Sequence[Growth]) -> None:
    """Judge reports in the order in which they happened, and keep what comes of it.

    It is called before the players' progress is written: until then its row says when they were last heard of.
    """
    if not growths:
        return
    by_pair: dict[Pair, list[Growth]] = defaultdict(list)
    for growth in growths:
        by_pair[growth.pair].append(growth)
    kept = held(by_pair)
    ways = {pair: _walked(kept[pair], listed) for pair, listed in sorted(by_pair.items())}
    fastest = [way.fastest for way in ways.values()]
    run_prepared(
        _KEEP,
        [
            *(array_literal(column) for column in zip(*ways, strict=True)),
            array_literal(way.a_minute for way in ways.values()),
            array_literal(way.current for way in ways.values()),
            text_array_literal(
                array_literal(number for mark in way.marks for number in mark) for way in ways.values()
            ),
            array_literal("NULL" if one is None else one.steps for one in fastest),
            array_literal("NULL" if one is None else one.seconds for one in fastest),
            array_literal("NULL" if one is None else one.until_us for one in fastest),
        ],
    )


def _walked(kept: Held, growths: Sequence[Growth]) -> Way:
    """Return a way after reports, the earliest first; they come to the same number in any order."""
    current, way = growths[0].before, kept.way
    for growth in sorted(growths, key=lambda one: one.at_us):
        after = current + growth.after - growth.before
        way = kept._replace(way=way).advance(growth._replace(before=current, after=after))
        current = after
    assert way is not None  # there is a report
    return way


_FORGET = "DELETE FROM achievements_pace WHERE player_id = $1 AND achievement_id = ANY($2::bigint[])"


def forget(*, player_id: int, achievement_ids: Sequence[int]) -> None:
    """Forget how fast a player came: he begins anew."""
    run_prepared(_FORGET, [player_id, array_literal(achievement_ids)])
