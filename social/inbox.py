"""The inbox's statements: numbers and rows of a batch in two round trips."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from core.clock import microseconds
from core.db import array_literal, run_prepared

_DELETED_AT_ONCE = 5_000  # rows: a long transaction would hold every follower back

# Upserts in the order of players, so that batches that meet wait for each other and don't deadlock. The row stays
# locked until commit: a player's numbers become visible in their order.
_NUMBER = """
INSERT INTO social_inboxcounter AS c (player_id, last_seq)
SELECT player_id, added FROM unnest($1::bigint[], $2::bigint[]) AS i (player_id, added)
ON CONFLICT (player_id) DO UPDATE SET last_seq = c.last_seq + excluded.last_seq
RETURNING player_id, last_seq
"""

# JSON text holds no line break, so one joins the payloads.
_ADD = """
WITH added AS (
    INSERT INTO social_notification (player_id, seq, uuid, kind, game_id, studio_id, created_at, is_quiet,
                                     payload)
    SELECT player_id, seq, uuid, kind, game_id, studio_id,
           'epoch'::timestamptz + created_us * interval '1 microsecond', is_quiet, payload
      FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                  $8::boolean[], string_to_array($9::text, E'\n'))
           AS i (player_id, seq, uuid, kind, game_id, studio_id, created_us, is_quiet, payload)
    ON CONFLICT (player_id, uuid) DO NOTHING
    RETURNING 1
) SELECT count(*) FROM added
"""

_FORGET = """
WITH old AS (
    SELECT ctid FROM social_notification WHERE created_at < 'epoch'::timestamptz + $1 * interval '1 microsecond'
     ORDER BY created_at LIMIT $2
), gone AS (
    DELETE FROM social_notification WHERE ctid = ANY(ARRAY(SELECT ctid FROM old)) RETURNING 1
) SELECT count(*) FROM gone
"""


class Notice(NamedTuple):
    """What a player is to be told; `data` is the event's data as JSON text. What is of no game has no studio either.

    `trace` is the `traceparent` of what it tells of, if that was sampled.
    """

    player_id: int
    uuid: str
    kind: str
    game_id: int | None
    studio_id: int | None
    created_us: int
    data: str
    trace: str = ""


def add(notices: Sequence[Notice], *, quiet: Sequence[bool]) -> tuple[list[int], bool]:
    """Add to inboxes, inside the caller's transaction; what is there already stays as it is.

    `quiet` says of each notice whether live connections are not told of it.

    Returns:
        The number of each notice in its inbox, and whether all of them are new. If not, the numbers of those that
        were there before are left out of the inbox for ever, and which those are is not told.

    """
    players, uuids, kinds, games, studios, created, payloads, _ = zip(*notices, strict=True)
    seqs = _numbers(players)
    of_games = [[pk or "NULL" for pk in column] for column in (games, studios)]
    columns = [array_literal(column) for column in (players, seqs, uuids, kinds, *of_games, created, quiet)]
    added: int = run_prepared(_ADD, [*columns, "\n".join(payloads)])[0][0]
    return seqs, added == len(notices)


# The newest one itself stays: a fact that is applied again must not take it away and find its number used up.
_REPLACE = """
    DELETE FROM social_notification n
     USING unnest($1::bigint[], $2::bigint[], $3::uuid[], string_to_array($4::text, E'\n'))
           AS told (player_id, game_id, uuid, payload)
     WHERE n.player_id = told.player_id AND n.kind = $5::text AND n.read_at IS NULL AND n.game_id = told.game_id
       AND n.payload::json ->> 'board' = told.payload::json ->> 'board' AND n.uuid < told.uuid
"""


# Ids begin with the time, so only what was told since is looked at, by the unique key.
_OUTDATED = """
    SELECT told.uuid::text
      FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], string_to_array($4::text, E'\n'))
           AS told (player_id, game_id, uuid, payload)
     WHERE EXISTS (
           SELECT 1 FROM social_notification n
            WHERE n.player_id = told.player_id AND n.uuid > told.uuid AND n.kind = $5::text
              AND n.game_id = told.game_id AND n.payload::json ->> 'board' = told.payload::json ->> 'board')
"""


def replace_unread(notices: Sequence[Notice]) -> list[Notice]:
    """Delete what players were told of the same boards before and have not read, inside the caller's transaction.

    Returns:
        The notices without those of which something newer was told: that replaced them, when they came first.

    """
    if not notices:
        return []
    players, uuids, kinds, games, _, _, payloads, _ = zip(*notices, strict=True)
    params = [
        array_literal(players),
        array_literal(games),
        array_literal(uuids),
        "\n".join(payloads),
        kinds[0],
    ]
    run_prepared(_REPLACE, params)
    outdated = {row[0] for row in run_prepared(_OUTDATED, params)}
    return [notice for notice in notices if notice.uuid not in outdated]


def _numbers(players: Sequence[int]) -> list[int]:
    """Return the next numbers of each player's inbox, in the order of `players`."""
    counts = sorted(Counter(players).items())
    rows = run_prepared(
        _NUMBER, [array_literal(player for player, _ in counts), array_literal(count for _, count in counts)]
    )
    following: dict[int, int] = dict(rows)
    for player, count in counts:
        following[player] -= count
    seqs = []
    for player in players:
        following[player] += 1
        seqs.append(following[player])
    return seqs


def skip_numbers(count: int) -> None:
    """Leave numbers out of every inbox: a restored database would give them to other notices than it had before."""
    run_prepared("UPDATE social_inboxcounter SET last_seq = last_seq + $1", [count])


def forget(*, before: datetime) -> int:
    """Delete a batch of what was created before a time; return how many rows."""
    deleted: int = run_prepared(_FORGET, [microseconds(before), _DELETED_AT_ONCE])[0][0]
    return deleted
