"""A player is found to be another one: what he unlocked, and how far he is, is the other's (ADR 0033)."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts import selectors as accounts
from achievements import backfilling
from achievements.facts import TotalsRanked, UnlocksJoined
from achievements.models import Achievement, State, Type, Unlock
from achievements.selectors import candidates, definitions
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.unlocking import Item
from achievements.weighing import record_weighed
from core import clock
from core.db import LostRace, run_prepared
from core.facts import publish
from core.ids import new_id


def move(*, leaves: int, stays: int, shared: frozenset[int]) -> set[int]:
    """Give what a player unlocked, and his steps, to another one, inside the transaction that joins them.

    Of an achievement that both have the earlier unlock stays and counts once; of steps the greater number. What both
    together meet is unlocked.

    Returns:
        The games in which both have unlocks or steps.

    Raises:
        LostRace: a catalogue changed meanwhile.

    Publishes:
        UnlocksJoined, for each game; TotalsRanked; AchievementsUnlocked of what both together meet.

    """
    for hold in _HOLDS:
        run_prepared(hold, [leaves, stays])
    games = {row[0] for row in run_prepared(_GAMES, [leaves, stays])}
    gone = run_prepared(_OF_PLAYER, [leaves])
    dropped = run_prepared(_DROPPED, [leaves, stays])
    for statement in (*_UNLOCKS, *_FLAGS, *_STEPS, *_PACES, *_CONDITIONS, *_REPORTS):
        run_prepared(statement, [leaves, stays])
    _announce(gone, dropped, leaves=leaves, stays=stays)
    totals = [list(row) for statement in _TOTALS for row in run_prepared(statement, [leaves, stays])]
    if totals:
        publish(TotalsRanked(totals), studio_id=None, size=len(totals))
    _meet(games | shared | _being_looked_at(), stays)
    return games


# In the order in which unlocks and revokes lock them.
_HOLDS = (
    (
        "SELECT FROM achievements_progress WHERE player_id = $1 OR player_id = $2"
        " ORDER BY player_id, achievement_id FOR UPDATE"
    ),
    (
        "SELECT FROM achievements_flaggedunlock WHERE player_id = $1 OR player_id = $2"
        " ORDER BY player_id, achievement_id FOR UPDATE"
    ),
    (
        "SELECT FROM achievements_playergame WHERE player_id = $1 OR player_id = $2"
        " ORDER BY player_id, game_id FOR UPDATE"
    ),
    "SELECT FROM achievements_playertotal WHERE player_id = $1 OR player_id = $2 ORDER BY player_id FOR UPDATE",
)
_GAMES = """
(SELECT game_id FROM achievements_playergame WHERE player_id = $1
  UNION SELECT a.game_id FROM achievements_progress p JOIN achievements_achievement a ON a.id = p.achievement_id
         WHERE p.player_id = $1)
INTERSECT
(SELECT game_id FROM achievements_playergame WHERE player_id = $2
  UNION SELECT a.game_id FROM achievements_progress p JOIN achievements_achievement a ON a.id = p.achievement_id
         WHERE p.player_id = $2)
"""
_OF_PLAYER = "SELECT game_id, achievement_id FROM achievements_unlock WHERE player_id = $1 ORDER BY 1, 2"
# Of two unlocks the earlier one stays: the other one is dropped, whose ever it was.
_DROPPED = """
SELECT b.game_id, CASE WHEN b.unlocked_at < k.unlocked_at THEN $2::bigint ELSE $1::bigint END,
       b.achievement_id, CASE WHEN b.unlocked_at < k.unlocked_at THEN k.points ELSE b.points END,
       (extract(epoch FROM greatest(k.unlocked_at, b.unlocked_at)) * 1000000)::bigint
  FROM achievements_unlock b JOIN achievements_unlock k ON k.achievement_id = b.achievement_id AND k.player_id = $2
 WHERE b.player_id = $1 ORDER BY 1, 3
"""
_UNLOCKS = (
    """
    UPDATE achievements_unlock k
       SET points = b.points, unlocked_at = b.unlocked_at, heard_at = b.heard_at, event_id = b.event_id
      FROM achievements_unlock b
     WHERE b.player_id = $1 AND k.player_id = $2 AND k.achievement_id = b.achievement_id
       AND b.unlocked_at < k.unlocked_at
    """,
    """
    DELETE FROM achievements_unlock b WHERE b.player_id = $1
       AND EXISTS (SELECT FROM achievements_unlock k WHERE k.player_id = $2 AND k.achievement_id = b.achievement_id)
    """,
    "UPDATE achievements_unlock SET player_id = $2 WHERE player_id = $1",
    "UPDATE achievements_revokedunlock SET player_id = $2 WHERE player_id = $1",
)
# What one of both has needs no look any more; of two that were kept apart that of who stays is kept, with its decision.
_FLAGS = (
    """
    DELETE FROM achievements_flaggedunlock f WHERE f.player_id IN ($1, $2) AND f.state <> 'approved'
       AND EXISTS (SELECT FROM achievements_unlock k WHERE k.player_id = $2 AND k.achievement_id = f.achievement_id)
    """,
    """
    DELETE FROM achievements_flaggedunlock b WHERE b.player_id = $1
       AND EXISTS (SELECT FROM achievements_flaggedunlock k
                    WHERE k.player_id = $2 AND k.achievement_id = b.achievement_id)
    """,
    "UPDATE achievements_flaggedunlock SET player_id = $2 WHERE player_id = $1",
)
# A version by the clock, as reports have it.
_STEPS = (
    """
    UPDATE achievements_progress k
       SET current = greatest(k.current, b.current), updated_at = greatest(k.updated_at, b.updated_at),
           version = greatest(k.version + 1, b.version + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
      FROM achievements_progress b
     WHERE b.player_id = $1 AND k.player_id = $2 AND k.achievement_id = b.achievement_id
    """,
    """
    DELETE FROM achievements_progress b WHERE b.player_id = $1
       AND EXISTS (SELECT FROM achievements_progress k WHERE k.player_id = $2 AND k.achievement_id = b.achievement_id)
    """,
    "UPDATE achievements_progress SET player_id = $2 WHERE player_id = $1",
)
# Who was too fast as either was so as both. Marks that are not about the steps that stay are forgotten by themselves.
_PACES = (
    """
    UPDATE achievements_pace k SET steps = b.steps, seconds = b.seconds, until_us = b.until_us
      FROM achievements_pace b
     WHERE b.player_id = $1 AND k.player_id = $2 AND k.achievement_id = b.achievement_id AND k.steps IS NULL
    """,
    """
    DELETE FROM achievements_pace b WHERE b.player_id = $1
       AND EXISTS (SELECT FROM achievements_pace k WHERE k.player_id = $2 AND k.achievement_id = b.achievement_id)
    """,
    "UPDATE achievements_pace SET player_id = $2 WHERE player_id = $1",
)
_CONDITIONS = (
    """
    UPDATE achievements_conditionmet k SET value = b.value, event_id = b.event_id, met_at = b.met_at
      FROM achievements_conditionmet b
     WHERE b.player_id = $1 AND k.player_id = $2 AND k.achievement_id = b.achievement_id
       AND k.condition = b.condition AND b.met_at < k.met_at
    """,
    """
    DELETE FROM achievements_conditionmet b WHERE b.player_id = $1
       AND EXISTS (SELECT FROM achievements_conditionmet k WHERE k.player_id = $2
                      AND k.achievement_id = b.achievement_id AND k.condition = b.condition)
    """,
    "UPDATE achievements_conditionmet SET player_id = $2 WHERE player_id = $1",
)
# Of one achievement a person has one open report: that of who stays.
_REPORTS = (
    """
    UPDATE achievements_playerreport b SET state = 'resolved', handled_at = now(), handled_by = 'platform'
     WHERE b.player_id = $1 AND b.state = 'open'
       AND EXISTS (SELECT FROM achievements_playerreport k
                    WHERE k.player_id = $2 AND k.achievement_id = b.achievement_id AND k.state = 'open')
    """,
    "UPDATE achievements_playerreport SET player_id = $2 WHERE player_id = $1",
)
# Totals are made anew of the unlocks that are there now. Their points were reached when the later of both had his, and
# no later than when the last unlock with points was heard of, as where unlocks are taken back (revoking.py).
_IN_GAMES = """
WITH gone AS (
    DELETE FROM achievements_playergame WHERE player_id = $1 RETURNING *
), had AS (
    SELECT * FROM gone
     UNION ALL SELECT * FROM achievements_playergame WHERE player_id = $2 AND game_id IN (SELECT game_id FROM gone)
), sides AS (
    SELECT game_id, min(studio_id) AS studio_id, min(first_unlock_at) AS first_at, max(last_unlock_at) AS last_at,
           coalesce(max(points_reached_at) FILTER (WHERE points > 0), max(points_reached_at)) AS reached_at,
           max(version) AS version
      FROM had GROUP BY game_id
), made AS (
    SELECT s.game_id, coalesce(sum(u.points), 0) AS points, count(u.achievement_id) AS unlocked,
           max(u.heard_at) FILTER (WHERE u.points > 0) AS heard_at, min(u.unlocked_at) AS first_at,
           max(u.unlocked_at) AS last_at
      FROM sides s LEFT JOIN achievements_unlock u ON u.player_id = $2 AND u.game_id = s.game_id GROUP BY s.game_id
), stored AS (
    INSERT INTO achievements_playergame AS t
           (player_id, game_id, studio_id, region, points, unlocked, points_reached_at, first_unlock_at,
            last_unlock_at, ranked, version)
    SELECT $2::bigint, s.game_id, s.studio_id, p.region, m.points, m.unlocked,
           least(s.reached_at, coalesce(m.heard_at, s.reached_at)), coalesce(m.first_at, s.first_at),
           coalesce(m.last_at, s.last_at),
           NOT EXISTS (SELECT FROM accounts_playeridentity x WHERE x.player_id = $2
                          AND x.studio_id = s.studio_id AND x.excluded_at IS NOT NULL), s.version + 1
      FROM sides s JOIN made m USING (game_id) JOIN accounts_player p ON p.id = $2
     ORDER BY s.game_id
    ON CONFLICT (player_id, game_id) DO UPDATE SET
        points = excluded.points, unlocked = excluded.unlocked, points_reached_at = excluded.points_reached_at,
        first_unlock_at = excluded.first_unlock_at, last_unlock_at = excluded.last_unlock_at,
        version = excluded.version
    RETURNING t.game_id, t.player_id, t.region, t.points, t.unlocked, t.points_reached_at, t.version, t.ranked
)
SELECT game_id, player_id, region, points, unlocked, (extract(epoch FROM points_reached_at) * 1000000)::bigint, version,
       ranked
  FROM (SELECT * FROM stored UNION ALL
        SELECT game_id, player_id, region, 0, 0, points_reached_at, version + 1, false FROM gone) AS told
"""
_OVERALL = """
WITH gone AS (
    DELETE FROM achievements_playertotal WHERE player_id = $1 RETURNING *
), had AS (
    SELECT * FROM gone
     UNION ALL SELECT * FROM achievements_playertotal WHERE player_id = $2 AND EXISTS (SELECT FROM gone)
), sides AS (
    SELECT coalesce(max(points_reached_at) FILTER (WHERE points > 0), max(points_reached_at)) AS reached_at,
           max(version) AS version
      FROM had HAVING count(*) > 0
), made AS (
    SELECT coalesce(sum(points), 0) AS points, count(*) AS unlocked,
           max(heard_at) FILTER (WHERE points > 0) AS heard_at
      FROM achievements_unlock WHERE player_id = $2
), stored AS (
    INSERT INTO achievements_playertotal AS t (player_id, region, points, unlocked, points_reached_at, version)
    SELECT $2::bigint, p.region, m.points, m.unlocked, least(s.reached_at, coalesce(m.heard_at, s.reached_at)),
           s.version + 1
      FROM sides s CROSS JOIN made m JOIN accounts_player p ON p.id = $2
    ON CONFLICT (player_id) DO UPDATE SET
        points = excluded.points, unlocked = excluded.unlocked, points_reached_at = excluded.points_reached_at,
        version = excluded.version
    RETURNING t.player_id, t.region, t.points, t.unlocked, t.points_reached_at, t.version
)
SELECT NULL, player_id, region, points, unlocked, (extract(epoch FROM points_reached_at) * 1000000)::bigint, version,
       is_there
  FROM (SELECT *, true AS is_there FROM stored UNION ALL
        SELECT player_id, region, 0, 0, points_reached_at, version + 1, false FROM gone) AS told
"""
_TOTALS = (_IN_GAMES, _OVERALL)


def _announce(
    gone: Iterable[tuple[Any, ...]], dropped: Iterable[tuple[Any, ...]], *, leaves: int, stays: int
) -> None:
    """Tell of each game what is whose now."""
    went, twice = defaultdict(list), defaultdict(list)
    for game_id, achievement_id in gone:
        went[game_id].append(achievement_id)
    for game_id, *row in dropped:
        twice[game_id].append(row)
    games = accounts.games_by_id(went)
    for game_id, achievement_ids in went.items():
        both = {row[1] for row in twice[game_id]}
        fact = UnlocksJoined(
            game_id,
            gone=[[leaves, pk] for pk in achievement_ids],
            come=[[stays, pk] for pk in achievement_ids if pk not in both],
            dropped=twice[game_id],
        )
        publish(fact, studio_id=games[game_id].studio_id, size=len(achievement_ids))


def _being_looked_at() -> set[int]:
    """Return the games in which players are looked at just now: who stays may have had his turn."""
    return set(backfilling.under_way(at=clock.now()).values_list("game_id", flat=True))


def _meet(game_ids: Collection[int], player_id: int) -> None:
    """Unlock what a player meets by all that he has now, and the metas that this completes."""
    not_by_hand = ~Q(type=Type.STANDARD) | Q(stat__isnull=False) | Q(goal__isnull=False)
    is_held = Exists(Unlock.objects.filter(player_id=player_id, achievement_id=OuterRef("pk")))
    rows = Achievement.objects.filter(not_by_hand, ~is_held, game_id__in=game_ids).exclude(
        state=State.ARCHIVED
    )
    studios = dict(rows.values_list("game_id", "studio_id").distinct())
    items = []
    for game_id, studio_id in sorted(studios.items()):
        items += _met(definitions.fresh_catalogue(game_id), player_id, studio_id)
    outcomes = record_weighed(items, at=clock.now(), judges=False)
    if any(outcome.unlocked_at is None for outcome in outcomes):
        raise LostRace("a player or a catalogue changed meanwhile")


def _met(catalogue: GameCatalogue, player_id: int, studio_id: int) -> list[Item]:
    found = []
    for definition in catalogue.by_key.values():
        if not _may_be_had(definition, player_id, catalogue.game_id):
            continue
        wanted = candidates.plan(catalogue, definition, studio_id=studio_id)
        for one in candidates.reached(wanted, [player_id]) if wanted is not None else ():
            item = Item(
                studio_id=studio_id,
                external_id=one.external_id,
                game_id=catalogue.game_id,
                version=catalogue.version,
                achievement_id=definition.id,
                points=definition.points,
                unlocked_at=None,
                event_id=new_id(),
            )
            found.append(item)
    return found


def _may_be_had(definition: Definition, player_id: int, game_id: int) -> bool:
    is_tried = definition.state == State.DRAFT and bool(accounts.tests([game_id], [player_id]))
    return definition.is_open(clock.now()) and (definition.state == State.PUBLISHED or is_tried)
