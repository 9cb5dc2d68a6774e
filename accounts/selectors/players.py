"""Single players, kept in the process where only who is meant is asked, and who was joined to whom."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts.models import Player, PlayerIdentity
from accounts.selectors.studios import DEMO_STUDIO
from core.db import array_literal, run_prepared
from core.refusals import Conflict

# An id comes to mean another player only by a link code, which is looked for every JOINS_SECONDS (ADR 0033).
PLAYER_SECONDS = 30.0
JOINS_SECONDS = 2.0
_KEPT_PLAYERS = 50_000
DEMO_PLAYER: str = settings.DEMO_PLAYER


@dataclass(frozen=True, slots=True)
class PlayerInfo:
    """A player, as others may show him; `external_id` is the asking studio's, if it has one."""

    id: int
    uuid: UUID
    display_name: str
    region: str
    avatar_url: str
    visibility: str
    time_zone: str
    external_id: str | None
    banned: bool = False
    erased: bool = False
    tokens_from: datetime | None = None
    games_visibility: str = "public"
    feed_visibility: str = "public"
    presence_visibility: str = "public"
    language: str = ""


_players: dict[tuple[int, str], tuple[float, PlayerInfo | None]] = {}
_late_joins: tuple[float, frozenset[int]] = (float("-inf"), frozenset())


def forget_players() -> None:
    """Empty this process's kept players (after a change here, and between tests)."""
    _players.clear()


# Nearly every request about a player asks one of these: prepared, and without the ORM a third of the time.
_PLAYER = """
    SELECT p.id, p.uuid, p.display_name, p.region, p.avatar_url, p.visibility, p.time_zone,
           x.external_id, x.banned_at IS NOT NULL, p.erased_at IS NOT NULL, x.tokens_from,
           p.games_visibility, p.feed_visibility, p.presence_visibility, p.language FROM accounts_player p
"""
_PLAYER_OF_STUDIO = f"""{_PLAYER}
      JOIN accounts_playeridentity x ON x.player_id = p.id WHERE x.studio_id = $1 AND x.external_id = $2::text
"""
_PLAYER_BY_UUID = f"""{_PLAYER}
      LEFT JOIN accounts_playeridentity x ON x.player_id = p.id AND x.studio_id = $2
     WHERE p.uuid = $1::uuid ORDER BY x.id LIMIT 1
"""


def player_of_studio(studio_id: int, external_id: str) -> PlayerInfo | None:
    """Return the player whom a studio calls `external_id`."""
    rows = run_prepared(_PLAYER_OF_STUDIO, [studio_id, external_id])
    return PlayerInfo(*rows[0]) if rows else None


def kept_player_of_studio(studio_id: int, external_id: str) -> PlayerInfo | None:
    """Return `player_of_studio` as of at most PLAYER_SECONDS ago: for reads that only ask who is meant.

    An id that a link code lets name another one names him within a few seconds.
    """
    key = (studio_id, external_id)
    loaded_at, info = _players.get(key, (float("-inf"), None))
    now = time.monotonic()
    if now - loaded_at > PLAYER_SECONDS or (now - loaded_at > JOINS_SECONDS and _was_joined_lately(now)):
        info = player_of_studio(studio_id, external_id)
        if info is None:
            return None  # who is named a moment later is known at once
        if len(_players) >= _KEPT_PLAYERS:
            _players.clear()
        _players[key] = now, info
    return info


# Times are those of requests, and become visible in another order: what is new is not always the latest.
_LATE_JOINS = """
SELECT player_id FROM accounts_joinedplayer WHERE joined_at > now() - interval '2 minutes'
 ORDER BY joined_at DESC LIMIT 1000
"""


def _was_joined_lately(now: float) -> bool:
    """Say whether players were joined since this was last looked for; then nobody is kept any more."""
    global _late_joins  # noqa: PLW0603 - one for the process, as what is kept
    looked_at, known = _late_joins
    if now - looked_at <= JOINS_SECONDS:
        return False
    joined = frozenset(row[0] for row in run_prepared(_LATE_JOINS, []))
    _late_joins = now, joined
    if joined <= known:
        return False
    _players.clear()
    return True


def unknown_players(studio_id: int, external_ids: Iterable[str]) -> set[str]:
    """Return those of the ids by which a studio has named nobody yet, in one query."""
    wanted = set(external_ids)
    known = PlayerIdentity.objects.filter(studio_id=studio_id, external_id__in=wanted)
    return wanted - set(known.values_list("external_id", flat=True))


def player_by_uuid(uuid: UUID, *, studio_id: int | None = None, known: bool = True) -> PlayerInfo | None:
    """Return a player by the platform's id; with `studio_id` only if that studio knows him, unless not `known`."""
    rows = run_prepared(_PLAYER_BY_UUID, [uuid, studio_id])
    info = PlayerInfo(*rows[0]) if rows else None
    is_unknown = info is not None and studio_id is not None and info.external_id is None
    return None if known and is_unknown else info


def demo_player() -> PlayerInfo | None:
    """Return the player whom the demo is about, as the demo's studio names him; None where there is no demo."""
    rows = PlayerIdentity.objects.select_related("player")
    row = rows.filter(studio__uuid=DEMO_STUDIO, external_id=DEMO_PLAYER).first()
    return None if row is None else _player_info(row.player, row)


def _player_info(player: Player, identity: PlayerIdentity | None) -> PlayerInfo:
    return PlayerInfo(
        id=player.pk,
        uuid=player.uuid,
        display_name=player.display_name,
        region=player.region,
        avatar_url=player.avatar_url,
        visibility=player.visibility,
        time_zone=player.time_zone,
        external_id=identity.external_id if identity else None,
        banned=identity is not None and identity.banned_at is not None,
        erased=player.erased_at is not None,
        games_visibility=player.games_visibility,
        feed_visibility=player.feed_visibility,
        presence_visibility=player.presence_visibility,
        language=player.language,
    )


_JOINED = """
SELECT player_id, into_id FROM accounts_joinedplayer WHERE player_id = ANY($1::bigint[]) AND into_id <> player_id
"""


def joined_players(ids: Iterable[int]) -> dict[int, int]:
    """Return whom those of the players are who were joined to others by link codes; in one query."""
    wanted = set(ids)
    return dict(run_prepared(_JOINED, [array_literal(wanted)])) if wanted else {}


def require_himself(player_id: int) -> None:
    """Refuse what found nothing of a player since he was joined to another just now. Raises Conflict."""
    if joined_players([player_id]):
        raise Conflict("This player was linked to another one just now. Send it again.")
