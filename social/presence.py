"""Who is there: the statements of presence, and what follows from it (docs/adr/0030)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.selectors import hidden_players
from core.clock import microseconds
from core.db import array_literal, run_prepared
from stats.selectors.playtimes import last_played

ONLINE = timedelta(minutes=5)  # after the last sign of life, if nobody said good-bye
_PLAYED = timedelta(minutes=1)  # how much news a game's sign of life must be to be written

# Upserts in the order of players, so that those who meet wait for each other. After ONLINE without a sign of life
# whatever processes are listed were killed. Said twice it is the same.
_ATTEND = """
INSERT INTO social_presence AS p (player_id, seen_at, places)
SELECT player_id, $3::timestamptz, CASE WHEN is_here THEN ARRAY[$4::bigint] ELSE '{}' END
  FROM unnest($1::bigint[], $2::boolean[]) AS w (player_id, is_here) ORDER BY player_id
ON CONFLICT (player_id) DO UPDATE
   SET seen_at = greatest(p.seen_at, excluded.seen_at),
       places = CASE WHEN p.seen_at < excluded.seen_at - $5::interval THEN excluded.places
                     ELSE array_remove(p.places, $4::bigint) || excluded.places END
"""
_PLAY = """
INSERT INTO social_presence AS p (player_id, seen_at, places)
SELECT player_id, 'epoch'::timestamptz + seen_us * interval '1 microsecond', '{}'
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, seen_us) ORDER BY player_id
ON CONFLICT (player_id) DO UPDATE
   SET seen_at = excluded.seen_at,
       places = CASE WHEN p.seen_at < excluded.seen_at - $4::interval THEN '{}' ELSE p.places END
 WHERE p.seen_at < excluded.seen_at - $3::interval
"""
_SEEN = """
SELECT player_id, seen_at, cardinality(places) > 0 FROM social_presence WHERE player_id = ANY($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether somebody is there, when he was seen last, and which game of which studio he plays, by internal id."""

    is_online: bool = False
    last_seen_at: datetime | None = None
    game_id: int | None = None
    studio_id: int | None = None


UNSEEN = Presence()


def attend(players: Mapping[int, bool], *, place: int, at: datetime) -> None:
    """Note of players whether they are connected to a `live` process, called `place`. Repeating it is safe."""
    ordered = sorted(players.items())
    ids = array_literal(player for player, _ in ordered)
    run_prepared(_ATTEND, [ids, array_literal(is_here for _, is_here in ordered), at, place, ONLINE])


def note_play(seen: Mapping[int, int], *, before: datetime) -> None:
    """Note when players were seen in games, in microseconds since 1970; not later than `before`, whatever is said."""
    ordered = sorted((player, min(us, microseconds(before))) for player, us in seen.items())
    if ordered:
        columns = [array_literal(column) for column in zip(*ordered, strict=True)]
        run_prepared(_PLAY, [*columns, _PLAYED, ONLINE])


def presences(player_ids: Collection[int], *, at: datetime) -> dict[int, Presence]:
    """Return what friends may see of players, in three queries; UNSEEN of who hides or was never seen."""
    hidden = hidden_players(player_ids, part="presence")
    shown = [player for player in player_ids if player not in hidden]
    seen = {row[0]: row[1:] for row in run_prepared(_SEEN, [array_literal(shown)])}
    played = last_played(shown, at=at)
    found = dict.fromkeys(player_ids, UNSEEN)
    for player in seen.keys() | played.keys():
        seen_at, is_connected = seen.get(player, (None, False))
        play = played.get(player)
        is_playing = play is not None and play.is_playing
        found[player] = Presence(
            is_online=is_playing or (is_connected and seen_at >= at - ONLINE),
            last_seen_at=_latest([seen_at, None if play is None else play.seen_at]),
            game_id=play.game_id if play is not None and is_playing else None,
            studio_id=play.studio_id if play is not None and is_playing else None,
        )
    return found


def _latest(times: Sequence[datetime | None]) -> datetime | None:
    return max((time for time in times if time is not None), default=None)
