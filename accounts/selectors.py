"""What others ask accounts; keys and games are kept in the process for a few seconds."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.calls.models import CallCount
from accounts.models import (
    Game,
    Member,
    Player,
    PlayerIdentity,
    Role,
    ServerKey,
    Studio,
    Tester,
    Visibility,
)
from core.db import array_literal, run_prepared, text_array_literal
from core.refusals import Conflict

# A revoked key stops working everywhere within 5 s (api.md, Who is calling).
KEY_SECONDS = 4.0
KEY_REFRESH_SECONDS = 2.0
_KEPT_KEYS = 10_000
# An id comes to mean another player only by a link code, which is looked for every JOINS_SECONDS (ADR 0033).
PLAYER_SECONDS = 30.0
JOINS_SECONDS = 2.0
_KEPT_PLAYERS = 50_000
MOST_STUDIOS = 100  # of a user
MOST_KEYS = 500
MOST_TOLD = 20  # owners who get a mail
MOST_GAMES = 500  # of a studio
# What `manage.py demo` makes, and the demo's page shows.
DEMO_STUDIO: UUID = settings.DEMO_STUDIO
DEMO_PLAYER: str = settings.DEMO_PLAYER


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom a server key stands for."""

    key_id: int
    key_uuid: UUID
    studio_id: int
    game_id: int | None
    game_uuid: UUID | None
    scopes: frozenset[str]
    expires_at: datetime | None
    rotated_at: datetime | None = None

    @property
    def caller(self) -> str:
        """The owner of idempotency keys."""
        return f"studio:{self.studio_id}"

    @property
    def actor(self) -> str:
        """Who did it, in the audit log."""
        return f"key:{self.key_uuid}"

    def has_expired(self, at: datetime) -> bool:
        """Say whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= at


@dataclass(frozen=True, slots=True)
class GameInfo:
    """A game, as others need it."""

    id: int
    uuid: UUID
    studio_id: int
    title: str
    regions: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A server key as its studio sees it."""

    id: int
    uuid: UUID
    name: str
    hint: str
    game_id: int | None
    scopes: tuple[str, ...]
    is_active: bool


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


_keys: dict[bytes, tuple[float, KeyHolder | None]] = {}
_key_loading = threading.Lock()
_games: dict[UUID, GameInfo] = {}
_players: dict[tuple[int, str], tuple[float, PlayerInfo | None]] = {}
_late_joins: tuple[float, frozenset[int]] = (float("-inf"), frozenset())


@dataclass(frozen=True, slots=True)
class Membership:
    """A studio, and what somebody is there."""

    studio_id: int
    studio_uuid: UUID
    name: str
    role: str


def memberships(user_id: int) -> list[Membership]:
    """Return a user's studios by name; somebody who is locked out has none."""
    rows = Member.objects.filter(user_id=user_id, user__is_active=True).select_related("studio")
    found = [
        Membership(row.studio_id, row.studio.uuid, row.studio.name, row.role) for row in rows[:MOST_STUDIOS]
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.studio_id))


def games_by_title(studio_id: int) -> list[GameInfo]:
    """Return a studio's games by title, those that are put away too; of very many the newest."""
    rows = Game.objects.filter(studio_id=studio_id).order_by("-id")[:MOST_GAMES]
    return sorted((_game_info(row) for row in rows), key=lambda one: (one.title.casefold(), one.id))


def keys_of(studio_id: int) -> list[KeyInfo]:
    """Return a studio's keys, the newest first."""
    now = timezone.now()
    rows = ServerKey.objects.filter(studio_id=studio_id).order_by("-id")[:MOST_KEYS]
    return [
        KeyInfo(
            row.pk,
            row.uuid,
            row.name,
            row.hint,
            row.game_id,
            tuple(row.scopes),
            row.revoked_at is None and (row.expires_at is None or row.expires_at > now),
        )
        for row in rows
    ]


def key_holder(digest: bytes) -> KeyHolder | None:
    """Return whom the key with this hash stands for, at most KEY_SECONDS old; None if unknown, revoked or expired."""
    holder = issued_key(digest)
    return None if holder is None or holder.has_expired(timezone.now()) else holder


def issued_key(digest: bytes) -> KeyHolder | None:
    """Return `key_holder`, and of an expired key whom it stood for."""
    loaded_at, holder = _keys.get(digest, (float("-inf"), None))
    age = time.monotonic() - loaded_at
    # One thread looks again in time while the others go on: at its end all would ask at once.
    if age > KEY_REFRESH_SECONDS and _key_loading.acquire(blocking=age > KEY_SECONDS):
        try:
            holder = _reload_key(digest)
        finally:
            _key_loading.release()
    return holder


def _reload_key(digest: bytes) -> KeyHolder | None:
    loaded_at, holder = _keys.get(digest, (float("-inf"), None))
    if time.monotonic() - loaded_at > KEY_REFRESH_SECONDS:  # else another thread was quicker
        now = time.monotonic()
        holder = _load_key(digest)
        if len(_keys) >= _KEPT_KEYS:
            _keys.clear()
        _keys[digest] = (now, holder)
    return holder


def _load_key(digest: bytes) -> KeyHolder | None:
    key = ServerKey.objects.select_related("game").filter(hash=digest, revoked_at=None).first()
    if key is None:
        return None
    return KeyHolder(
        key_id=key.pk,
        key_uuid=key.uuid,
        studio_id=key.studio_id,
        game_id=key.game_id,
        game_uuid=key.game.uuid if key.game else None,
        scopes=frozenset(key.scopes),
        expires_at=key.expires_at,
        rotated_at=key.rotated_at,
    )


def forget_keys() -> None:
    """Empty this process's kept keys (after a revocation here, and between tests)."""
    _keys.clear()


def forget_games() -> None:
    """Empty this process's kept games (after a change here, and between tests)."""
    _games.clear()


def forget_players() -> None:
    """Empty this process's kept players (after a change here, and between tests)."""
    _players.clear()


def game(uuid: UUID, *, studio_id: int | None = None) -> GameInfo | None:
    """Return a game, or None if it does not exist or belongs to another studio than `studio_id`.

    A game never moves to another studio; its title and regions may be old, so show those from `fresh_game`.
    """
    info = _games.get(uuid)
    if info is None:
        info = fresh_game(uuid)
        if info is None:
            return None
        _games[uuid] = info
    return info if studio_id is None or info.studio_id == studio_id else None


def fresh_game(uuid: UUID) -> GameInfo | None:
    """Return a game as it is now."""
    row = Game.objects.filter(uuid=uuid).first()
    return None if row is None else _game_info(row)


def games_of(studio_id: int, *, after_id: int = 0, limit: int, only: int | None = None) -> list[GameInfo]:
    """Return a studio's games behind a position, oldest first; with `only` at most that one."""
    rows = Game.objects.filter(studio_id=studio_id, pk__gt=after_id)
    if only is not None:
        rows = rows.filter(pk=only)
    return [_game_info(row) for row in rows.order_by("id")[:limit]]


def games_by_id(ids: Iterable[int]) -> dict[int, GameInfo]:
    """Return games by internal id, in one query."""
    return {row.pk: _game_info(row) for row in Game.objects.filter(pk__in=set(ids))}


def _game_info(row: Game) -> GameInfo:
    return GameInfo(
        row.pk,
        row.uuid,
        row.studio_id,
        row.title,
        tuple(row.regions),
        row.created_at,
        row.updated_at,
        row.archived_at,
    )


# Nearly every request about a player asks one of these: prepared, and without the ORM a third of the time.
_PLAYER = """
    SELECT p.id, p.uuid, p.display_name, p.region, p.avatar_url, p.visibility, p.time_zone,
           x.external_id, x.banned_at IS NOT NULL, p.erased_at IS NOT NULL, x.tokens_from FROM accounts_player p
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


def demo_studio_id() -> int | None:
    """Return the demo's studio; None where there is no demo."""
    return Studio.objects.filter(uuid=DEMO_STUDIO).values_list("pk", flat=True).first()


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


_Shown = TypeVar("_Shown")


def _with_joined(
    found: dict[int, _Shown], ids: Collection[int], look_up: Callable[[Collection[int]], dict[int, _Shown]]
) -> dict[int, _Shown]:
    """Let who is missing since he was joined be shown as whom he is."""
    missing = [player_id for player_id in ids if player_id not in found]
    joined = joined_players(missing)
    if joined:
        others = look_up(set(joined.values()))
        found |= {gone: others[into] for gone, into in joined.items() if into in others}
    return found


# A board's page shows a thousand players: one prepared statement, and values as they are shown.
_PLAYERS_SHOWN = """
    SELECT p.id, p.uuid::text, p.display_name, p.region, p.avatar_url
      FROM accounts_player p WHERE p.id = ANY($1::bigint[])
"""
_PLAYERS_SHOWN_TO_STUDIO = """
    SELECT p.id, p.uuid::text, p.display_name, p.region, p.avatar_url, i.external_id
      FROM accounts_player p LEFT JOIN accounts_playeridentity i ON i.player_id = p.id AND i.studio_id = $2
     WHERE p.id = ANY($1::bigint[]) ORDER BY i.id DESC
"""


def players_shown(ids: Iterable[int], *, studio_id: int | None = None) -> dict[int, dict[str, str]]:
    """Return players by internal id as lists of the API show them; `external_id` only to `studio_id`.

    Who was joined to another is shown as the other.
    """
    listed = list(ids)
    return _with_joined(_shown(listed, studio_id), listed, lambda others: _shown(others, studio_id))


def _shown(ids: Iterable[int], studio_id: int | None) -> dict[int, dict[str, str]]:
    if studio_id is None:
        rows = run_prepared(_PLAYERS_SHOWN, [array_literal(ids)])
    else:
        rows = run_prepared(_PLAYERS_SHOWN_TO_STUDIO, [array_literal(ids), studio_id])
    shown = {
        row[0]: {"id": row[1], "display_name": row[2], "region": row[3], "avatar_url": row[4]} for row in rows
    }
    if studio_id is not None:
        for row in rows:  # of several ids the first that the studio gave comes last
            if row[5] is not None:
                shown[row[0]]["external_id"] = row[5]
    return shown


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a studio's past is about.

    Attributes:
        external_id: the first that the studio gave.
        was: of a player who was joined to another, who is named here, his own UUID.

    """

    id: str
    external_id: str
    was: str | None = None


_NAMED = """
    SELECT w.id, p.uuid::text, i.external_id, j.uuid::text
      FROM unnest($1::bigint[]) AS w (id)
      LEFT JOIN accounts_joinedplayer j ON j.player_id = w.id
      JOIN accounts_player p ON p.id = coalesce(j.into_id, w.id) AND p.erased_at IS NULL
      JOIN LATERAL (SELECT external_id FROM accounts_playeridentity x
                     WHERE x.player_id = p.id AND x.studio_id = $2 ORDER BY x.id LIMIT 1) AS i ON true
"""


def players_named(ids: Iterable[int], *, studio_id: int) -> dict[int, Named]:
    """Return players by internal id as a studio names them, in one query; whom it erased is left out."""
    wanted = set(ids)
    rows = run_prepared(_NAMED, [array_literal(wanted), studio_id]) if wanted else []
    return {row[0]: Named(*row[1:]) for row in rows}


_PLAYERS_ON_BOARDS = """
    SELECT p.id, p.uuid::text, p.display_name, p.region, p.avatar_url, i.external_id,
           p.visibility = 'public' OR p.visibility = $3::text
      FROM accounts_player p LEFT JOIN accounts_playeridentity i ON i.player_id = p.id AND i.studio_id = $2
     WHERE p.id = ANY($1::bigint[]) ORDER BY i.id DESC
"""
_NOBODY = {"id": None, "display_name": "", "avatar_url": ""}


def players_on_boards(
    ids: Iterable[int], *, studio_id: int | None = None, by_friends: bool = False
) -> dict[int, dict[str, str | None]]:
    """Return players by internal id as boards show them: who is not to be seen keeps a nameless place.

    A studio sees those whom it names, with its ids; friends (`by_friends`) see each other unless they are private. Who
    was joined to another is shown as the other.
    """
    listed = list(ids)

    def look_up(wanted: Iterable[int]) -> dict[int, dict[str, str | None]]:
        return _on_boards(wanted, studio_id=studio_id, by_friends=by_friends)

    return _with_joined(look_up(listed), listed, look_up)


def _on_boards(
    ids: Iterable[int], *, studio_id: int | None, by_friends: bool
) -> dict[int, dict[str, str | None]]:
    visibility = Visibility.FRIENDS if by_friends else Visibility.PUBLIC
    rows = run_prepared(_PLAYERS_ON_BOARDS, [array_literal(ids), studio_id, visibility.value])
    shown: dict[int, dict[str, str | None]] = {}
    for pk, uuid, name, region, avatar_url, external_id, is_seen in rows:
        if external_id is None and not is_seen:
            shown[pk] = {**_NOBODY, "region": region}
            continue
        shown[pk] = {"id": uuid, "display_name": name, "region": region, "avatar_url": avatar_url}
        if external_id is not None:  # of several ids the first that the studio gave comes last
            shown[pk]["external_id"] = external_id
    return shown


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
    )


def testers(game: GameInfo, external_ids: Iterable[str]) -> set[str]:
    """Return which of the players, as the game's studio names them, test the game; in one query."""
    rows = PlayerIdentity.objects.filter(
        studio_id=game.studio_id, external_id__in=set(external_ids), player__tests__game_id=game.id
    )
    return set(rows.values_list("external_id", flat=True))


_TIME_ZONES = """
    SELECT id, time_zone FROM accounts_player WHERE id = ANY($1::bigint[])
    UNION ALL SELECT player_id, time_zone FROM accounts_joinedplayer WHERE player_id = ANY($1::bigint[])
"""


def time_zones(player_ids: Iterable[int]) -> dict[int, str]:
    """Return players' time zones (IANA names), in one query; of who was joined his own before that, of nobody UTC."""
    wanted = set(player_ids)
    rows = run_prepared(_TIME_ZONES, [array_literal(wanted)])
    return dict.fromkeys(wanted, "UTC") | dict(rows)


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


def every_game(studio_id: int) -> list[GameInfo]:
    """Return all games that a studio ever had, oldest first: for what must leave none out."""
    return [_game_info(row) for row in Game.objects.filter(studio_id=studio_id).order_by("id")]


def game_ids_of(studio_id: int) -> list[int]:
    """Return a studio's games by internal id."""
    return list(Game.objects.filter(studio_id=studio_id).values_list("pk", flat=True))


def tested_games(studio_id: int, player_id: int) -> list[GameInfo]:
    """Return the games of a studio that a player tests, at most 1,000."""
    rows = Game.objects.filter(studio_id=studio_id, testers__player_id=player_id).order_by("id")
    return [_game_info(row) for row in rows[:1000]]


def tests(game_ids: Iterable[int], player_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return `(game, player)` for each of the players who tests one of the games; in one query."""
    rows = Tester.objects.filter(game_id__in=set(game_ids), player_id__in=set(player_ids))
    return set(rows.values_list("game_id", "player_id"))


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
     WHERE id = ANY($1::bigint[]) AND (visibility = 'private' OR erased_at IS NOT NULL)
"""


def hidden_players(player_ids: Iterable[int]) -> set[int]:
    """Return which of the players show friends nothing: they are private, or were erased; in one query."""
    return {row[0] for row in run_prepared(_HIDDEN, [array_literal(player_ids)])}


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


def studio_pks(uuids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the internal ids of studios, in one query; who is unknown is left out."""
    return dict(Studio.objects.filter(uuid__in=set(uuids)).values_list("uuid", "pk"))


def studio_named(pk: int) -> tuple[UUID, str] | None:
    """Return a studio's public id and its name, or None if there is no such studio."""
    return Studio.objects.filter(pk=pk).values_list("uuid", "name").first()


def studio_uuid(pk: int) -> UUID | None:
    """Return a studio's public id, or None if there is no such studio."""
    return Studio.objects.filter(pk=pk).values_list("uuid", flat=True).first()


def owner_addresses(studio_id: int) -> list[str]:
    """Return the e-mail addresses of a studio's owners, but for who is locked out; of very many the first."""
    rows = Member.objects.filter(studio_id=studio_id, role=Role.OWNER, user__is_active=True)
    return list(rows.order_by("pk").values_list("user__email", flat=True)[:MOST_TOLD])


def studio_name(pk: int) -> str:
    """Return a studio's name, empty if there is no such studio."""
    return Studio.objects.filter(pk=pk).values_list("name", flat=True).first() or ""


def calls_by_day(studio_id: int, *, since: date) -> dict[tuple[date, str], int]:
    """Return how many calls a studio made on each day (UTC) from a date, by how they ended."""
    rows = CallCount.objects.filter(studio_id=studio_id, day__gte=since)
    return {(day, ending): count for day, ending, count in rows.values_list("day", "ending", "count")}
