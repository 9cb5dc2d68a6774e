"""Scores follow their players: to another region, as far as their periods are not final."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts import selectors as accounts
from accounts.facts import PlayersChanged
from core.db import array_literal, run_prepared, text_array_literal
from core.facts import Fact, publish
from leaderboards.facts import ScoresChanged
from leaderboards.rules.periods import RESETS

# What a change of scores returns: everything that ScoresChanged says of them.
CHANGED = """
    q.leaderboard_id, b.game_id, b.studio_id, q.id, b.tie_break, q.span, b.reset, t.player_id, t.region, t.sort_value,
    (extract(epoch FROM t.reached_at) * 1000000)::bigint, t.version, t.hidden_at IS NULL AND t.excluded_at IS NULL
"""
# By the clock, as where scores are written (leaderboards/weighing.py).
NEXT_VERSION = "greatest(t.version + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"

_WRONG = """
      FROM unnest($1::bigint[], $2::text[]) AS w (player_id, region)
      JOIN leaderboards_score s ON s.player_id = w.player_id AND s.region <> w.region
      JOIN leaderboards_period q ON q.id = s.period_id AND q.state IN ('open', 'finalising')
"""
_PERIODS = f"SELECT DISTINCT s.period_id {_WRONG}"
_MOVE = f"""
WITH wanted AS MATERIALIZED (
    SELECT s.player_id, s.period_id, s.region AS previous, w.region
    {_WRONG}
     ORDER BY s.player_id, s.period_id FOR UPDATE OF s
)
UPDATE leaderboards_score t SET region = w.region, version = {NEXT_VERSION}
  FROM wanted w, leaderboards_period q, leaderboards_leaderboard b
 WHERE t.player_id = w.player_id AND t.period_id = w.period_id AND q.id = t.period_id AND b.id = q.leaderboard_id
RETURNING {CHANGED}, w.previous
"""


def regions(facts: Iterable[Fact]) -> dict[int, str]:
    """Return where players live by now whose scores may be filed elsewhere.

    Those are who changed their region, and those of whom a score is heard with another one: a first score may have been
    on its way meanwhile, with the region before.
    """
    told: dict[int, str] = {}
    heard: set[tuple[int, str]] = set()
    for fact in facts:
        if fact.kind == PlayersChanged.kind:
            told |= dict(fact.payload["players"])
        elif fact.kind == ScoresChanged.kind:
            heard.update((player, region) for player, region, *_ in fact.payload["scores"])
    return told | accounts.living_elsewhere(heard)


def periods_of(regions: Mapping[int, str]) -> list[int]:
    """Return the periods in which scores are to follow players to the regions where they live."""
    return [row[0] for row in run_prepared(_PERIODS, _columns(regions))] if regions else []


def follow_regions(regions: Mapping[int, str]) -> None:
    """Move scores to the regions where their players live; the caller holds their periods in share.

    Publishes:
        ScoresChanged, for each period.

    """
    if regions:
        announce(run_prepared(_MOVE, _columns(regions)))


def announce(rows: Iterable[Sequence[Any]]) -> None:
    """Publish ScoresChanged for rows that a statement returned as CHANGED and the previous region."""
    by_period: dict[tuple[Any, ...], list[list[int | str | bool]]] = defaultdict(list)
    for board, game, studio, period, tie_break, span, reset, *score in rows:
        is_main = RESETS[reset] == span
        by_period[board, game, studio, period, tie_break, is_main].append(score)
    for (board, game, studio, period, tie_break, is_main), scores in by_period.items():
        publish(
            ScoresChanged(game, board, period, tie_break, is_main, scores), studio_id=studio, size=len(scores)
        )


def _columns(regions: Mapping[int, str]) -> tuple[str, str]:
    return array_literal(regions), text_array_literal(regions.values())
