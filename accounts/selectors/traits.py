"""What is true of which players: where they live, who is banned, excluded or hidden; each in one query."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal

from accounts.models import PlayerIdentity
from core.db import array_literal, run_prepared, text_array_literal

_LANGUAGES = "SELECT id, language FROM accounts_player WHERE id = ANY($1::bigint[]) AND language <> ''"
_TIME_ZONES = """
    SELECT id, time_zone FROM accounts_player WHERE id = ANY($1::bigint[])
    UNION ALL SELECT player_id, time_zone FROM accounts_joinedplayer WHERE player_id = ANY($1::bigint[])
"""


def time_zones(player_ids: Iterable[int]) -> dict[int, str]:
    """Return players' time zones (IANA names), in one query; of who was joined his own before that, of nobody UTC."""
    wanted = set(player_ids)
    rows = run_prepared(_TIME_ZONES, [array_literal(wanted)])
    return dict.fromkeys(wanted, "UTC") | dict(rows)


def languages(player_ids: Iterable[int]) -> dict[int, str]:
    """Return in which language players read games' texts (BCP 47), in one query; only of those who chose one."""
    return dict(run_prepared(_LANGUAGES, [array_literal(set(player_ids))]))


def time_zone_of(player_id: int) -> str | None:
    """Return a player's time zone (an IANA name); None for one who is gone or was erased."""
    rows = run_prepared(
        "SELECT time_zone FROM accounts_player WHERE id = $1 AND erased_at IS NULL", [player_id]
    )
    return rows[0][0] if rows else None


def studio_ids_of(player_id: int) -> list[int]:
    """Return the studios that know a player, by internal id."""
    rows = PlayerIdentity.objects.filter(player_id=player_id)
    return list(rows.values_list("studio_id", flat=True).distinct().order_by("studio_id"))


# A partial index holds the excluded ones only: there are few, however many are asked for.
_EXCLUDED = """
    SELECT DISTINCT studio_id, player_id FROM accounts_playeridentity
     WHERE excluded_at IS NOT NULL AND player_id = ANY($1::bigint[])
"""


def excluded_players(player_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return `(studio, player)` for each studio that took one of the players off its boards."""
    return {(row[0], row[1]) for row in run_prepared(_EXCLUDED, [array_literal(player_ids)])}


_EXCLUDED_OF = """
    SELECT player_id, min(excluded_at) FROM accounts_playeridentity
     WHERE excluded_at IS NOT NULL AND studio_id = $1 AND player_id < $2
     GROUP BY player_id ORDER BY player_id DESC LIMIT $3
"""


def excluded_of(studio_id: int, *, before: int = 2**62, limit: int) -> list[tuple[int, datetime]]:
    """Return whom a studio took off its boards and since when, by internal ids from before one on, newest first."""
    return [(row[0], row[1]) for row in run_prepared(_EXCLUDED_OF, [studio_id, before, limit])]


_HIDDEN = """
    SELECT id FROM accounts_player
     WHERE id = ANY($1::bigint[]) AND (visibility = 'private' OR erased_at IS NOT NULL OR {part} = 'private')
"""


def hidden_players(player_ids: Iterable[int], *, part: Literal["feed", "presence"]) -> set[int]:
    """Return which of the players show friends nothing of a part: it or all is private, or they were erased.

    In one query.
    """
    sql = _HIDDEN.format(part=f"{part}_visibility")
    return {row[0] for row in run_prepared(sql, [array_literal(player_ids)])}


_BANNED = """
    SELECT DISTINCT studio_id, player_id FROM accounts_playeridentity
     WHERE banned_at IS NOT NULL AND player_id = ANY($1::bigint[])
"""


def banned_players(player_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return `(studio, player)` for each studio that banned one of the players; in one query."""
    return {(row[0], row[1]) for row in run_prepared(_BANNED, [array_literal(player_ids)])}


_LIVING_ELSEWHERE = """
    SELECT p.id, p.region FROM unnest($1::bigint[], $2::text[]) AS w (player_id, region)
      JOIN accounts_player p ON p.id = w.player_id AND p.region <> w.region
"""


def living_elsewhere(said: Collection[tuple[int, str]]) -> dict[int, str]:
    """Return the present regions of those players of whom another one is said in `(player, region)`."""
    if not said:
        return {}
    players, regions = zip(*said, strict=True)
    return dict(run_prepared(_LIVING_ELSEWHERE, [array_literal(players), text_array_literal(regions)]))
