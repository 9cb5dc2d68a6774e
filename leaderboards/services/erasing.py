"""A person is erased: his scores go; of a period that is final the place stays, and is nobody's (ADR 0047)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import orjson
from django.db import connection, transaction

from core.db import array_literal, run_prepared, text_array_literal
from core.persons import Person, Taken, Takes
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
_AT_ONCE = 20_000  # events, and samples: the next look finds more
_EVENTS = f"""
SELECT t.leaderboard_id, t.event_id FROM leaderboards_submission t
  JOIN leaderboards_leaderboard b ON b.id = t.leaderboard_id
 WHERE t.{_WHO} AND ($2::bigint IS NULL OR b.studio_id = $2) LIMIT $3
"""  # noqa: S608 - constants of ours
_TAKE_EVENTS = f"""
DELETE FROM leaderboards_submission t USING unnest($2::bigint[], $3::uuid[]) AS w (leaderboard_id, event_id)
 WHERE t.leaderboard_id = w.leaderboard_id AND t.event_id = w.event_id AND t.{_WHO}
"""  # noqa: S608 - constants of ours
_SAMPLES = f"""
SELECT t.board, t.player_id, t.taken_at::text FROM leaderboards_ranksample t
 WHERE t.{_WHO} AND ($2::bigint IS NULL OR split_part(t.board, ':', 2) IN
                     (SELECT id::text FROM accounts_game WHERE studio_id = $2)) LIMIT $3
"""  # noqa: S608 - constants of ours
_TAKE_SAMPLES = """
DELETE FROM leaderboards_ranksample t
 USING unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS w (board, player_id, taken_at)
 WHERE t.board = w.board AND t.player_id = w.player_id AND t.taken_at = w.taken_at
"""
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


@dataclass(frozen=True, slots=True)
class _Changed:
    """A final period's standings say something else than their hash, `before`."""

    period_id: int
    before: bytes
    after: bytes
    boards: list[Board]


def look(person: Person) -> Takes:
    """Look for events, samples and places in snapshots, and for final hashes that say something else by now.

    What came of whoever wrote meanwhile is taken away, too; the next look finds what that does to a hash.
    """
    who = [array_literal(person.player_ids), person.only_studio]
    final = {row[0] for row in run_prepared(_FINAL, [array_literal(person.stand_ins)])}
    changed = (_changed(period_id) for period_id in sorted(final))
    return partial(
        _take_away,
        person,
        events=run_prepared(_EVENTS, [*who, _AT_ONCE]),
        samples=run_prepared(_SAMPLES, [*who, _AT_ONCE]),
        snapshots=_snapshots(person),
        finals=[one for one in changed if one is not None],
    )


def _take_away(
    person: Person,
    *,
    events: Sequence[tuple[int, UUID]],
    samples: Sequence[tuple[str, int, str]],
    snapshots: Iterable[int],
    finals: Sequence[_Changed],
) -> Taken:
    rows = erase(person).rows
    if events:
        keys = [array_literal(column) for column in zip(*events, strict=True)]
        run_prepared(_TAKE_EVENTS, [array_literal(person.player_ids), *keys])
    if samples:
        boards, players, times = zip(*samples, strict=True)
        keys = [text_array_literal(boards), array_literal(players), text_array_literal(times)]
        run_prepared(_TAKE_SAMPLES, keys)
    rows += _leave_snapshots(person, snapshots)
    for one in finals:
        _hash_again(one)
    return Taken(rows + len(events) + len(samples) + len(finals))


def _snapshots(person: Person) -> list[int]:
    patterns = "{" + ",".join(f'"%[{pk},%"' for pk in person.player_ids) + "}"
    return [row[0] for row in run_prepared(_SNAPSHOTS, [patterns, person.only_studio, person.is_whole])]


def _leave_snapshots(person: Person, snapshots: Iterable[int]) -> int:
    left = 0
    for row in Snapshot.objects.select_for_update().filter(pk__in=list(snapshots)).order_by("pk"):
        listed = orjson.loads(row.top)
        kept = [one for one in listed if one[0] not in person.player_ids]
        if len(kept) < len(listed):
            Snapshot.objects.filter(pk=row.pk).update(top=orjson.dumps(kept).decode())
            left += 1
    return left


def _changed(period_id: int) -> _Changed | None:
    """Say what a final period's standings come to by now, if that is something else; it reads all of them."""
    period = Period.objects.select_related("leaderboard").get(pk=period_id)
    board = definitions.info_of(period.leaderboard)
    before = bytes(period.standings_hash or b"")
    found = standings.summary(period_id, tie_break=board.tie_break, sort=board.sort, decimals=board.decimals)
    if found.sha256 == before:
        return None
    regions = (None, *_regions(period_id))
    boards = [Board(board.game_id, region, period_id, board.tie_break) for region in regions]
    return _Changed(period_id, before, found.sha256, boards)


def _hash_again(one: _Changed) -> None:
    """Write what standings come to, unless another erasure did meanwhile: the next look judges that anew."""
    rows = Period.objects.filter(pk=one.period_id, state=PeriodState.FINAL, standings_hash=one.before)
    rows.update(standings_hash=one.after)
    transaction.on_commit(lambda: _drop(one.boards), robust=True)


def _drop(boards: Iterable[Board]) -> None:
    """Let PostgreSQL answer for boards until they are filled again."""
    for board in boards:
        filling.drop_for_good(board)


def _regions(period_id: int) -> list[str]:
    rows = run_prepared(
        "SELECT DISTINCT region FROM leaderboards_score WHERE period_id = $1 AND region <> ''", [period_id]
    )
    return [row[0] for row in rows]
