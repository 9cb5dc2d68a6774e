"""What is between two players, and whom both know."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.selectors import PlayerInfo
from core.db import array_literal, run_prepared
from social.selectors import seeing
from social.selectors.seeing import Asker


@dataclass(frozen=True, slots=True)
class Between:
    """What is between a player and another one; `sent` and `received` are the ids of requests that wait."""

    is_friend: bool = False
    blocks: bool = False
    sent: UUID | None = None
    received: UUID | None = None


NOTHING = Between()

_BETWEEN = """
SELECT w.id,
       EXISTS (SELECT FROM social_friendship f WHERE f.player_id = $1 AND f.friend_id = w.id),
       EXISTS (SELECT FROM social_block b WHERE b.player_id = $1 AND b.blocked_id = w.id),
       (SELECT r.uuid FROM social_friendrequest r WHERE r.sender_id = $1 AND r.receiver_id = w.id),
       (SELECT r.uuid FROM social_friendrequest r WHERE r.sender_id = w.id AND r.receiver_id = $1)
  FROM unnest($2::bigint[]) AS w (id)
"""


def between(player_id: int, other_ids: Iterable[int]) -> dict[int, Between]:
    """Return what is between a player and each of several others, in one query.

    A request of whom the player blocks is there and must not be shown: `blocks` says so.
    """
    rows = run_prepared(_BETWEEN, [player_id, array_literal(other_ids)])
    return {row[0]: Between(row[1], row[2], row[3], None if row[2] else row[4]) for row in rows}


_BLOCKED = """
SELECT CASE WHEN player_id = $1 THEN blocked_id ELSE player_id END FROM social_block
 WHERE (player_id = $1 AND blocked_id = ANY($2::bigint[])) OR (blocked_id = $1 AND player_id = ANY($2::bigint[]))
"""


def blocked(player_id: int, other_ids: Collection[int]) -> set[int]:
    """Return which of several others a player blocks or is blocked by, in one query."""
    return {row[0] for row in run_prepared(_BLOCKED, [player_id, array_literal(other_ids)])}


_COMMON = """
SELECT a.friend_id FROM social_friendship a
  JOIN social_friendship b ON b.player_id = $2 AND b.friend_id = a.friend_id WHERE a.player_id = $1
"""


def common_friends(player_id: int, other_id: int) -> list[PlayerInfo]:
    """Return the friends of both whom the first one may see, in two queries; by name."""
    ids = [row[0] for row in run_prepared(_COMMON, [player_id, other_id])]
    if not ids:
        return []
    seen = seeing.friends_seen(ids, of=player_id, asker=Asker(None, player_id))
    seen.pop(player_id, None)
    return sorted(seen.values(), key=lambda one: (one.display_name.casefold(), one.id))
