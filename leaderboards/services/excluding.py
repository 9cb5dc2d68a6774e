"""Scores of players whom a studio excludes leave its boards, and come back, as far as their periods are not final."""

from collections.abc import Collection, Sequence

from accounts import selectors as accounts
from accounts.facts import PlayersExcluded
from core.db import array_literal, run_prepared
from core.facts import Fact
from leaderboards import locking
from leaderboards.facts import ScoresChanged
from leaderboards.services.moving import CHANGED, NEXT_VERSION, announce

_Pairs = set[tuple[int, int]]

# What differs from what the studio says now: so repeating or reordering facts changes nothing.
_WRONG = """
  FROM (SELECT s.player_id, s.period_id
          FROM unnest($1::bigint[], $2::bigint[]) AS w (studio_id, player_id)
          JOIN leaderboards_score s ON s.player_id = w.player_id AND s.studio_id = w.studio_id
         UNION
        SELECT * FROM unnest($3::bigint[], $4::bigint[]) AS w (player_id, period_id)) AS c
  JOIN leaderboards_score s USING (player_id, period_id)
  JOIN leaderboards_period q ON q.id = s.period_id AND q.state IN ('open', 'finalising')
  CROSS JOIN LATERAL (SELECT min(i.excluded_at) AS excluded_at FROM accounts_playeridentity i
                       WHERE i.player_id = s.player_id AND i.studio_id = s.studio_id
                         AND i.excluded_at IS NOT NULL) AS x
 WHERE (s.excluded_at IS NULL) <> (x.excluded_at IS NULL)
"""
_PERIODS = f"SELECT DISTINCT s.period_id {_WRONG}"
_EXCLUDE = f"""
WITH wanted AS MATERIALIZED (
    SELECT s.player_id, s.period_id, x.excluded_at {_WRONG} ORDER BY s.player_id, s.period_id FOR UPDATE OF s
)
UPDATE leaderboards_score t SET excluded_at = w.excluded_at, version = {NEXT_VERSION}
  FROM wanted w, leaderboards_period q, leaderboards_leaderboard b
 WHERE t.player_id = w.player_id AND t.period_id = w.period_id AND q.id = t.period_id AND b.id = q.leaderboard_id
RETURNING {CHANGED}, ''
"""  # noqa: S608 - constants of ours


def follow_exclusions(facts: Sequence[Fact], *, share: Collection[int] = ()) -> None:
    """Take the scores of excluded players off their boards, and bring those of the others back.

    `share` are periods in which the caller goes on to write: they are locked together with those that are meant here.

    A first score may have been on its way while its player was excluded or taken back, and have seen nothing of it: it
    is looked at again when it is heard of.

    Publishes:
        ScoresChanged, for each period.

    """
    players, scores = _told(facts), _doubtful(facts)
    if not players and not scores:
        if share:
            locking.share(share)
        return
    studios, of_studios = _columns(players)
    params = [studios, of_studios, *_columns(scores)]
    locking.share([*share, *(row[0] for row in run_prepared(_PERIODS, params))])
    announce(run_prepared(_EXCLUDE, params))


def _told(facts: Sequence[Fact]) -> _Pairs:
    """Return `(studio, player)` for everybody who was excluded or taken back."""
    return {
        (fact.studio_id, player)
        for fact in facts
        if fact.kind == PlayersExcluded.kind and fact.studio_id is not None
        for player, _ in fact.payload["players"]
    }


def _doubtful(facts: Sequence[Fact]) -> _Pairs:
    """Return `(player, period)` of scores that are shown of excluded players, or not shown."""
    heard = [
        (fact.studio_id, row[0], fact.payload["period"], row[5])
        for fact in facts
        if fact.kind == ScoresChanged.kind
        for row in fact.payload["scores"]
    ]
    if not heard:
        return set()
    excluded = accounts.excluded_players({player for _, player, _, _ in heard})
    return {
        (player, period)
        for studio, player, period, is_shown in heard
        if is_shown == ((studio, player) in excluded)
    }


def _columns(pairs: _Pairs) -> tuple[str, str]:
    ordered = sorted(pairs)
    return array_literal(one for one, _ in ordered), array_literal(other for _, other in ordered)
