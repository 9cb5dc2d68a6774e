"""A studio's players: found by an id or a part of a name, and shown as the studio knows them.

Every look-up is bounded: whoever asks for what fits too many hears that not all were looked at.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from accounts import selectors
from accounts.models import JoinedPlayer, PlayerIdentity, PlayerSession
from accounts.selectors import PlayerInfo
from core import replica
from core.db import array_literal, run_prepared
from core.ids import parse_id

MOST_BY_ID = 1_000  # identities that begin so
MOST_BY_NAME = (
    2_000  # players of the whole instance whose names fit: a look each tells if they are the studio's
)
FEW_PLAYERS = 5_000  # of a studio: so many are looked at one by one
LONGEST = 128  # of an id, and of a name
# What has no three letters or digits in a row has no trigram, so that it is taken as the beginning of a name.
_PART = re.compile(r"[^\W_]{3}")
MOST_IDS = 20  # of a player that are shown
NAME_PARTS = "players_by_part_of_name"  # the index, where the database has pg_trgm
_NAMES = 7  # where a row of _KNOWN has them
_LAST = "\U0010ffff"  # behind every character that an id or a name may hold


@dataclass(frozen=True, slots=True)
class Known:
    """A player as a studio knows him.

    Attributes:
        external_ids: the studio's ids for him, the first one first, at most MOST_IDS of them.
        ids: how many there are.
        since: when the studio named him first.
        tests: how many of the studio's games he tests.

    """

    id: int
    uuid: UUID
    display_name: str
    region: str
    avatar_url: str
    visibility: str
    time_zone: str
    external_ids: tuple[str, ...]
    ids: int
    banned_at: datetime | None
    excluded_at: datetime | None
    since: datetime
    tests: int

    @property
    def external_id(self) -> str:
        """The first id that the studio gave him."""
        return self.external_ids[0]

    @property
    def name(self) -> str:
        """What he is called: by his name, or as the studio calls him."""
        return self.display_name or self.external_id


@dataclass(frozen=True, slots=True)
class Finding:
    """Who fits, by internal id, the newest first; `is_cut` says that not everybody was looked at."""

    player_ids: tuple[int, ...]
    is_cut: bool


class Named(NamedTuple):
    """An id that a studio gave a player."""

    id: int
    external_id: str
    created_at: datetime
    banned_at: datetime | None
    excluded_at: datetime | None
    tokens_from: datetime | None


class Browser(NamedTuple):
    """A browser in which a player was signed in by a studio's token."""

    id: int
    user_agent: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


_KNOWN = """
SELECT p.id, p.uuid, p.display_name, p.region, p.avatar_url, p.visibility, p.time_zone, i.names, i.count,
       i.banned_at, i.excluded_at, i.since,
       (SELECT count(*) FROM accounts_tester t JOIN accounts_game g ON g.id = t.game_id
         WHERE t.player_id = p.id AND g.studio_id = $2)
  FROM unnest($1::bigint[]) AS w (player_id)
  JOIN accounts_player p ON p.id = w.player_id AND p.erased_at IS NULL
 CROSS JOIN LATERAL (
     SELECT (array_agg(x.external_id ORDER BY x.id))[1:$3] AS names, count(*) AS count, min(x.banned_at) AS banned_at,
            min(x.excluded_at) AS excluded_at, min(x.created_at) AS since
       FROM accounts_playeridentity x WHERE x.player_id = p.id AND x.studio_id = $2) AS i
 WHERE i.count > 0
"""


def known(studio_id: int, player_ids: Iterable[int]) -> dict[int, Known]:
    """Return those of the players whom a studio knows, by internal id, in one query; erased ones are left out."""
    rows = run_prepared(_KNOWN, [array_literal(player_ids), studio_id, MOST_IDS])
    return {row[0]: _known(row) for row in rows}


def _known(row: tuple[Any, ...]) -> Known:
    values = [*row[:_NAMES], tuple(row[_NAMES]), *row[_NAMES + 1 :]]
    return Known(*values)


def known_by_uuid(studio_id: int, uuid: UUID) -> Known | None:
    """Return a player by the platform's id if the studio knows him; None for any other, and for one who was erased."""
    found = named(studio_id, uuid)
    return None if found is None else found[0]


def joined_into(studio_id: int, uuid: UUID) -> UUID | None:
    """Return who somebody is now who was joined to another by a link code, if the studio knows that one."""
    into = JoinedPlayer.objects.filter(uuid=uuid).values_list("into__uuid", flat=True).first()
    found = None if into is None else known_by_uuid(studio_id, into)
    return None if found is None else found.uuid


def named(studio_id: int, uuid: UUID) -> tuple[Known, PlayerInfo] | None:
    """Return `known_by_uuid`, and the player as services take him."""
    info = selectors.player_by_uuid(uuid, studio_id=studio_id)
    person = None if info is None else known(studio_id, [info.id]).get(info.id)
    return None if info is None or person is None else (person, info)


# The range is what LIKE 'text%' would be made to, whatever the plan is made for; in the order of the index.
_BY_ID = """
SELECT DISTINCT player_id FROM (
    SELECT player_id FROM accounts_playeridentity
     WHERE studio_id = $1 AND external_id ~>=~ $2::text AND external_id ~<~ $3::text
     ORDER BY external_id USING ~<~ LIMIT $4) AS listed
"""
# Of a studio of few players its own are looked at, each by its key: others' names neither hide them nor show. Of a
# larger one the names of the instance are, as far as they fit.
_FORM_OF_BY_NAME = """
WITH own AS MATERIALIZED (
    SELECT player_id FROM accounts_playeridentity WHERE studio_id = $1
     ORDER BY external_id USING ~<~ LIMIT $5::bigint + 1  -- by its index, whatever the plan is made for
), few AS MATERIALIZED (
    SELECT count(*) <= $5::bigint AS are FROM own
), called AS MATERIALIZED (
    SELECT id FROM accounts_player WHERE NOT (SELECT are FROM few) AND display_name <> '' AND {fit} LIMIT $4
)
SELECT DISTINCT p.id, true, true
  FROM own CROSS JOIN LATERAL (SELECT id, display_name FROM accounts_player WHERE id = own.player_id OFFSET 0) AS p
 WHERE (SELECT are FROM few) AND p.display_name ILIKE $2::text
UNION ALL
SELECT id, EXISTS (SELECT FROM accounts_playeridentity i WHERE i.player_id = called.id AND i.studio_id = $1), false
  FROM called
"""
_BY_PART = _FORM_OF_BY_NAME.format(fit="display_name ILIKE $2::text AND $3::text IS NOT NULL")
_BY_BEGINNING = _FORM_OF_BY_NAME.format(
    fit="""lower(display_name) ~>=~ lower($3::text) AND lower(display_name) ~<~ lower($3::text || $6::text)
            ORDER BY lower(display_name) USING ~<~"""
)


def find(studio_id: int, text: str, *, before_id: int | None = None, limit: int) -> Finding:
    """Return who of a studio's players fits a text, in at most four queries; nobody for an empty one.

    The text is the platform's id (`id:<uuid>` or plain), the beginning of an id of the studio's, or a part of a name.
    """
    whole, text = text, text.strip()
    if not text or not whole.isprintable() or len(whole) > LONGEST:
        return Finding((), is_cut=False)
    by_uuid = _by_uuid(studio_id, text)
    named, ids_are_cut = _by_id(studio_id, text, whole)
    called, names_are_cut = _by_name(studio_id, text)
    wanted = sorted({*by_uuid, *named, *called}, reverse=True)
    behind = [pk for pk in wanted if before_id is None or pk < before_id]
    return Finding(tuple(behind[:limit]), is_cut=ids_are_cut or names_are_cut)


def _by_uuid(studio_id: int, text: str) -> list[int]:
    uuid = parse_id(text.removeprefix("id:"))
    info = None if uuid is None else selectors.player_by_uuid(uuid, studio_id=studio_id)
    return [] if info is None else [info.id]


def _by_id(studio_id: int, text: str, whole: str) -> tuple[list[int], bool]:
    called_so = selectors.player_of_studio(studio_id, whole)  # he is there however many others are
    rows = run_prepared(_BY_ID, [studio_id, text, text + _LAST, MOST_BY_ID])
    listed = [row[0] for row in rows]
    return [*listed, *([called_so.id] if called_so else [])], len(listed) >= MOST_BY_ID


def _by_name(studio_id: int, text: str) -> tuple[list[int], bool]:
    limits = [MOST_BY_NAME, FEW_PLAYERS]
    if _PART.search(text) is not None and _knows_parts():
        rows = replica.read(_BY_PART, [studio_id, f"%{_escaped(text)}%", text, *limits])
    else:
        rows = replica.read(_BY_BEGINNING, [studio_id, f"{_escaped(text)}%", text, *limits, _LAST])
    is_cut = sum(not is_own for _, _, is_own in rows) >= MOST_BY_NAME
    return [pk for pk, is_known, _ in rows if is_known], is_cut


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@cache
def _knows_parts() -> bool:
    """Say whether names can be found by a part (migration 0031): else only by their beginning."""
    sql = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1::text) AND indisvalid)"
    found: bool = run_prepared(sql, [NAME_PARTS])[0][0]
    return found


def ids(studio_id: int, player_id: int, *, after_id: int = 0, limit: int) -> list[Named]:
    """Return a studio's ids for a player, the first one first, from behind a row."""
    rows = PlayerIdentity.objects.filter(studio_id=studio_id, player_id=player_id, pk__gt=after_id)
    return [
        Named(row.pk, row.external_id, row.created_at, row.banned_at, row.excluded_at, row.tokens_from)
        for row in rows.order_by("id")[:limit]
    ]


def browsers(studio_id: int, player_id: int, *, after_id: int = 0, limit: int) -> list[Browser]:
    """Return the browsers in which a player was signed in by a studio's tokens, oldest first, from behind a row."""
    rows = PlayerSession.objects.filter(studio_id=studio_id, player_id=player_id, pk__gt=after_id)
    return [
        Browser(row.pk, row.user_agent, row.created_at, row.expires_at, row.ended_at)
        for row in rows.order_by("id")[:limit]
    ]
