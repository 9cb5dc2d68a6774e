"""A person is erased: his scores go; of a period that is final the place stays, and is nobody's (ADR 0047)."""

from collections.abc import Iterable

import orjson
from django.db import connection, transaction

from core.db import array_literal, run_prepared
from core.persons import Person, Taken
from leaderboards import filling, locking, standings
from leaderboards.keys import Board
from leaderboards.models import Period, PeriodState, Snapshot
from leaderboards.selectors import definitions
from leaderboards.services.moving import CHANGED, NEXT_VERSION, announce

_WHO = "player_id = ANY($1::bigint[])"
_OF_HIM = f"t.{_WHO} AND ($2::bigint IS NULL OR t.studio_id = $2)"
_LIVE = "q.id = t.period_id AND q.state IN ('open', 'finalising') AND b.id = q.leaderboard_id"
_PERIODS = f"""
SELECT t.period_id FROM leaderboards_score t JOIN leaderboards_period q ON q.id = t.period_id
 WHERE {_OF_HIM} AND q.state IN ('open', 'finalising')
"""  # noqa: S608 - constants of ours
_HOLD = f"SELECT FROM leaderboards_score t WHERE {_OF_HIM} ORDER BY player_id, period_id FOR UPDATE"
_OFF = CHANGED.replace("t.version,", f"{NEXT_VERSION},").rpartition(",")[0]
_TAKE = f"""
DELETE FROM leaderboards_score t USING leaderboards_period q, leaderboards_leaderboard b
 WHERE {_OF_HIM} AND {_LIVE} RETURNING {_OFF}
"""  # noqa: S608 - constants of ours
_TAKE_DISCARDED = f"""
WITH gone AS (
    DELETE FROM leaderboards_score t USING leaderboards_period q
     WHERE {_OF_HIM} AND q.id = t.period_id AND q.state = 'discarded' RETURNING 1
) SELECT count(*) FROM gone
"""  # noqa: S608 - constants of ours
_TAKE_FLAGGED = f"""
WITH gone AS (DELETE FROM leaderboards_flaggedscore t WHERE {_OF_HIM} RETURNING 1) SELECT count(*) FROM gone
"""  # noqa: S608 - constants of ours
# A trigger lets final scores change where this is set: what is left says a place, a region and a score.
_LET_GO = "SET LOCAL laurel.erasing = 'on'"
_KEEP_AGAIN = "SET LOCAL laurel.erasing = ''"
_MAKE_NAMELESS = f"""
UPDATE leaderboards_score t SET player_id = s.stand_in, metadata = NULL, event_id = gen_random_uuid()
  FROM unnest($1::bigint[], $3::bigint[]) AS s (player_id, stand_in), leaderboards_period q
 WHERE {_OF_HIM} AND s.player_id = t.player_id AND q.id = t.period_id AND q.state = 'final'
   AND (t.metadata IS NOT NULL OR s.stand_in <> t.player_id)
RETURNING t.period_id
"""  # noqa: S608 - constants of ours
_FINAL = """
SELECT t.period_id FROM leaderboards_score t JOIN leaderboards_period q ON q.id = t.period_id
 WHERE t.player_id = ANY($1::bigint[]) AND q.state = 'final' AND q.standings_hash IS NOT NULL
"""
_EVENTS = f"""
WITH gone AS (
    DELETE FROM leaderboards_submission t USING leaderboards_leaderboard b
     WHERE b.id = t.leaderboard_id AND t.{_WHO} AND ($2::bigint IS NULL OR b.studio_id = $2) RETURNING 1
) SELECT count(*) FROM gone
"""  # noqa: S608 - constants of ours
_SAMPLES = f"""
WITH gone AS (
    DELETE FROM leaderboards_ranksample t
     WHERE t.{_WHO} AND ($2::bigint IS NULL OR split_part(t.board, ':', 2) IN
                         (SELECT id::text FROM accounts_game WHERE studio_id = $2)) RETURNING 1
) SELECT count(*) FROM gone
"""  # noqa: S608 - constants of ours
# Of a period that is final the place stays, and the number in it is nobody's where it still is his.
_SNAPSHOTS = """
SELECT s.id FROM leaderboards_snapshot s
 WHERE s.top LIKE ANY($1::text[])
   AND ($2::bigint IS NULL
        OR split_part(s.board, ':', 2) IN (SELECT id::text FROM accounts_game WHERE studio_id = $2))
   AND NOT ($3 AND EXISTS (SELECT FROM leaderboards_period q
                            WHERE q.state = 'final' AND s.board LIKE 'scores:%'
                              AND q.id::text = split_part(s.board, ':', 3)))
"""


def erase(person: Person) -> Taken:
    """Take away a person's scores, inside the caller's transaction.

    Publishes:
        ScoresChanged, for each period that is not final.

    """
    who = [array_literal(person.player_ids), person.only_studio]
    locking.share(row[0] for row in run_prepared(_PERIODS, who))
    run_prepared(_HOLD, who)
    gone = run_prepared(_TAKE, who)
    announce((*row, False, "") for row in gone)
    rows = len(gone) + sum(run_prepared(one, who)[0][0] for one in (_TAKE_DISCARDED, _TAKE_FLAGGED))
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO)
        nameless = run_prepared(_MAKE_NAMELESS, [*who, array_literal(person.stand_ins)])
        cursor.execute(_KEEP_AGAIN)
    return Taken(rows + len(nameless))


def finish(person: Person) -> Taken:
    """Take away what came of whoever wrote meanwhile, events, samples and places in snapshots; mend final hashes.

    The file of a final period says something else of him, so it has another hash.
    """
    who = [array_literal(person.player_ids), person.only_studio]
    rows = erase(person).rows + sum(run_prepared(one, who)[0][0] for one in (_EVENTS, _SAMPLES))
    rows += _leave_snapshots(person)
    final = {row[0] for row in run_prepared(_FINAL, [array_literal(person.stand_ins)])}
    return Taken(rows + sum(_hash_again(period_id) for period_id in sorted(final)))


def _leave_snapshots(person: Person) -> int:
    patterns = "{" + ",".join(f'"%[{pk},%"' for pk in person.player_ids) + "}"
    left = 0
    for (pk,) in run_prepared(_SNAPSHOTS, [patterns, person.only_studio, person.is_whole]):
        row = Snapshot.objects.select_for_update().get(pk=pk)
        listed = orjson.loads(row.top)
        kept = [one for one in listed if one[0] not in person.player_ids]
        if len(kept) < len(listed):
            Snapshot.objects.filter(pk=pk).update(top=orjson.dumps(kept).decode())
            left += 1
    return left


def _hash_again(period_id: int) -> int:
    """Say what a final period's standings come to by now; return whether that was something else."""
    period = Period.objects.select_related("leaderboard").get(pk=period_id)
    board = definitions.info_of(period.leaderboard)
    found = standings.summary(period_id, tie_break=board.tie_break, sort=board.sort, decimals=board.decimals)
    is_another = found.sha256 != bytes(period.standings_hash or b"")
    if is_another:
        rows = Period.objects.filter(pk=period_id, state=PeriodState.FINAL)
        rows.update(standings_hash=found.sha256)
        regions = (None, *_regions(period_id))
        boards = [Board(board.game_id, region, period_id, board.tie_break) for region in regions]
        transaction.on_commit(lambda: _drop(boards), robust=True)
    return int(is_another)


def _drop(boards: Iterable[Board]) -> None:
    """Let PostgreSQL answer for boards until they are filled again."""
    for board in boards:
        filling.drop_for_good(board)


def _regions(period_id: int) -> list[str]:
    rows = run_prepared(
        "SELECT DISTINCT region FROM leaderboards_score WHERE period_id = $1 AND region <> ''", [period_id]
    )
    return [row[0] for row in rows]
