"""A player is found to be another one: his scores are the other's, as far as their periods are not final (ADR 0033).

What is over stays as it was, under the id of that time; lists show him there as the other one.
"""

from core.db import run_prepared
from core.refusals import Conflict
from leaderboards import locking
from leaderboards.rules.scores import LARGEST
from leaderboards.services.moving import CHANGED, NEXT_VERSION, announce


def move(*, leaves: int, stays: int, shared: frozenset[int]) -> set[int]:
    """Give a player's scores to another one, inside the transaction that joins them.

    Of two scores of one period the one stays that submissions would have made of both; attempts add up. A hidden one
    hides it.

    Raises:
        Conflict: a sum is too large to be kept exactly.

    Publishes:
        ScoresChanged, for each period.

    """
    locking.share(row[0] for row in run_prepared(_PERIODS, [leaves]))
    run_prepared(_HOLD, [leaves, stays])
    sums = [leaves, stays, LARGEST]
    too_large = run_prepared(_TOO_LARGE, sums) or run_prepared(_TOO_LARGE_APART, sums)
    if too_large:
        raise Conflict(
            f"Both players have a score on the board `{too_large[0][0]}`, and the sum would be larger than what is "
            "kept exactly (2^53 of its smallest step)."
        )
    for statement in _FLAGS:
        run_prepared(statement, [leaves, stays])
    changed = run_prepared(_MERGE, [leaves, stays])
    gone = run_prepared(_FORGET, [leaves, stays])
    moved = run_prepared(_MOVE, [leaves, stays])
    left = [(*row[:-1], False, "") for row in gone]
    left += [(*row[:7], leaves, row[-1], *row[9:12], False, "") for row in moved]
    announce([*((*row, "") for row in changed), *((*row[:-1], "") for row in moved), *left])
    return set()


_LIVE = "q.id = t.period_id AND q.state IN ('open', 'finalising') AND b.id = q.leaderboard_id"
_PERIODS = """
SELECT s.period_id FROM leaderboards_score s JOIN leaderboards_period q ON q.id = s.period_id
 WHERE s.player_id = $1 AND q.state IN ('open', 'finalising')
"""
_HOLD = """
SELECT FROM leaderboards_score WHERE player_id = $1 OR player_id = $2 ORDER BY player_id, period_id FOR UPDATE
"""
_TOO_LARGE = f"""
SELECT b.key FROM leaderboards_score t JOIN leaderboards_score o ON o.period_id = t.period_id AND o.player_id = $1,
       leaderboards_period q, leaderboards_leaderboard b
 WHERE t.player_id = $2 AND {_LIVE} AND b.operator = 'sum' AND abs(t.sort_value + o.sort_value) > $3::bigint LIMIT 1
"""  # noqa: S608 - constants of ours
_TOO_LARGE_APART = """
SELECT b.key FROM leaderboards_flaggedscore k
  JOIN leaderboards_flaggedscore o ON o.leaderboard_id = k.leaderboard_id AND o.period = k.period AND o.player_id = $1
  JOIN leaderboards_leaderboard b ON b.id = k.leaderboard_id
 WHERE k.player_id = $2 AND k.state = 'open' AND o.state = 'open' AND b.operator = 'sum'
   AND abs(k.sort_value + o.sort_value) > $3::bigint LIMIT 1
"""
_EXCLUDED = """
    (SELECT min(i.excluded_at) FROM accounts_playeridentity i
      WHERE i.player_id = $2 AND i.studio_id = t.studio_id AND i.excluded_at IS NOT NULL)
"""
# As leaderboards/rules/scores.py weighs: of equal ones the earlier counts; the later one is the last.
_MERGE = f"""
WITH won AS MATERIALIZED (
    SELECT t.period_id, o.sort_value, o.reached_at, o.attempts, o.metadata, o.event_id, o.hidden_at, o.version,
           CASE b.operator WHEN 'best' THEN (o.sort_value, o.reached_at) < (t.sort_value, t.reached_at)
                           ELSE o.reached_at > t.reached_at END AS by_other
      FROM leaderboards_score t JOIN leaderboards_score o ON o.period_id = t.period_id AND o.player_id = $1,
           leaderboards_period q, leaderboards_leaderboard b
     WHERE t.player_id = $2 AND {_LIVE}
)
UPDATE leaderboards_score t
   SET sort_value = CASE WHEN b.operator = 'sum' THEN t.sort_value + w.sort_value
                         WHEN w.by_other THEN w.sort_value ELSE t.sort_value END,
       reached_at = CASE WHEN w.by_other THEN w.reached_at ELSE t.reached_at END,
       metadata = CASE WHEN w.by_other THEN w.metadata ELSE t.metadata END,
       event_id = CASE WHEN w.by_other THEN w.event_id ELSE t.event_id END,
       attempts = t.attempts + w.attempts, hidden_at = least(t.hidden_at, w.hidden_at), excluded_at = {_EXCLUDED},
       version = greatest({NEXT_VERSION}, w.version + 1)
  FROM won w, leaderboards_period q, leaderboards_leaderboard b
 WHERE t.player_id = $2 AND t.period_id = w.period_id AND {_LIVE}
RETURNING {CHANGED}
"""  # noqa: S608 - constants of ours
# What waits of both is weighed as scores are.
_FLAGS = (
    """
    WITH won AS MATERIALIZED (
        SELECT k.id AS kept, o.*, b.operator,
               CASE b.operator WHEN 'best' THEN (o.sort_value, o.reached_at) < (k.sort_value, k.reached_at)
                               ELSE o.reached_at > k.reached_at END AS by_other
          FROM leaderboards_flaggedscore o
          JOIN leaderboards_flaggedscore k ON k.leaderboard_id = o.leaderboard_id AND k.period = o.period
          JOIN leaderboards_leaderboard b ON b.id = o.leaderboard_id
         WHERE o.player_id = $1 AND k.player_id = $2 AND o.state = 'open' AND k.state = 'open'
    )
    UPDATE leaderboards_flaggedscore k
       SET sort_value = CASE WHEN o.operator = 'sum' THEN k.sort_value + o.sort_value
                             WHEN o.by_other THEN o.sort_value ELSE k.sort_value END,
           reached_at = CASE WHEN o.by_other THEN o.reached_at ELSE k.reached_at END,
           metadata = CASE WHEN o.by_other THEN o.metadata ELSE k.metadata END,
           event_id = CASE WHEN o.by_other THEN o.event_id ELSE k.event_id END,
           rules = CASE WHEN o.by_other THEN o.rules ELSE k.rules END,
           evidence = CASE WHEN o.by_other THEN o.evidence ELSE k.evidence END,
           heard_at = greatest(k.heard_at, o.heard_at), submissions = k.submissions + o.submissions
      FROM won o WHERE k.id = o.kept
    """,
    """
    DELETE FROM leaderboards_flaggedscore o WHERE o.player_id = $1 AND o.state = 'open'
       AND EXISTS (SELECT FROM leaderboards_flaggedscore k WHERE k.player_id = $2 AND k.state = 'open'
                      AND k.leaderboard_id = o.leaderboard_id AND k.period = o.period)
    """,
    "UPDATE leaderboards_flaggedscore SET player_id = $2 WHERE player_id = $1",
)
_OFF = CHANGED.replace("t.version,", f"{NEXT_VERSION},").rpartition(",")[0]
_FORGET = f"""
DELETE FROM leaderboards_score t USING leaderboards_period q, leaderboards_leaderboard b
 WHERE t.player_id = $1 AND {_LIVE}
   AND EXISTS (SELECT FROM leaderboards_score k WHERE k.player_id = $2 AND k.period_id = t.period_id)
RETURNING {_OFF}, NULL
"""  # noqa: S608 - constants of ours
_MOVE = f"""
WITH wanted AS MATERIALIZED (
    SELECT s.period_id, s.region AS previous, p.region
      FROM leaderboards_score s JOIN accounts_player p ON p.id = $2 WHERE s.player_id = $1
)
UPDATE leaderboards_score t
   SET player_id = $2, region = w.region, excluded_at = {_EXCLUDED}, version = {NEXT_VERSION}
  FROM wanted w, leaderboards_period q, leaderboards_leaderboard b
 WHERE t.player_id = $1 AND t.period_id = w.period_id AND {_LIVE}
RETURNING {CHANGED}, w.previous
"""  # noqa: S608 - constants of ours
