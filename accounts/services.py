"""Every write of accounts: studios, members, games, keys, players, tokens."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts import members, own_choices, selectors, sessions, shown, tokens
from accounts.erasure import ledger
from accounts.facts import PlayersBanned, PlayersChanged, PlayersExcluded
from accounts.keys import SCOPES, key_hash, new_key
from accounts.models import Dismissal, Game, Member, Player, PlayerIdentity, Role, ServerKey, Studio, User
from accounts.roles import Act
from core import audit
from core.facts import publish
from core.ids import new_id
from core.refusals import Conflict, Gone, Invalid

MAX_EXTERNAL_ID = 128


def create_studio(*, name: str, owner: User | None = None, uuid: UUID | None = None) -> Studio:
    """Create a studio; `owner` becomes its first member.

    Raises:
        Conflict: he is in as many studios as one can be.

    """
    with transaction.atomic():
        if owner is not None:
            members.need_room(owner)
        studio = Studio.objects.create(name=name, uuid=uuid or new_id())
        if owner is not None:
            Member.objects.create(studio=studio, user=owner, role=Role.OWNER)
            _note_studio("studio.create", studio, name=name, by=owner, at=studio.created_at)
    return studio


def rename_studio(*, studio_id: int, name: str, by: User, at: datetime) -> bool:
    """Give a studio another name.

    Returns:
        Whether that changed anything; if not, nothing is noted.

    Raises:
        Forbidden: by somebody who may not change the studio.

    """
    with transaction.atomic():
        members.lock(studio_id)
        members.need(studio_id, Act.MANAGE_STUDIO, by=by)
        studio = Studio.objects.get(pk=studio_id)
        before, studio.name = studio.name, name
        if name == before:
            return False
        studio.save(update_fields=["name"])
        _note_studio("studio.rename", studio, by=by, at=at, before=before, after=name)
    return True


def _note_studio(action: str, studio: Studio, *, by: User, at: datetime, **details: str) -> None:
    audit.record(
        studio_id=studio.pk,
        actor=by.actor,
        action=action,
        kind="studio",
        object_id=studio.uuid,
        reason="",
        at=at,
        details=details,
    )


def create_game(*, studio_id: int, title: str, regions: Iterable[str] = (), uuid: UUID | None = None) -> Game:
    """Create a studio's game."""
    return Game.objects.create(studio_id=studio_id, title=title, regions=list(regions), uuid=uuid or new_id())


def update_game(*, game_id: int, changes: dict[str, Any]) -> Game:
    """Change a game's title or regions."""
    with transaction.atomic():
        game = Game.objects.select_for_update().get(pk=game_id)
        for name, value in changes.items():
            setattr(game, name, value)
        game.save(update_fields=[*changes, "updated_at"])
    selectors.forget_games()
    return game


def issue_key(
    *,
    studio_id: int,
    name: str,
    scopes: Iterable[str] = SCOPES,
    game_id: int | None = None,
    expires_at: datetime | None = None,
    uuid: UUID | None = None,
    user_id: int | None = None,
    writes_per_s: int | None = None,
    reads_per_s: int | None = None,
) -> tuple[ServerKey, str]:
    """Create a server key; return its row and the key itself, which can't be shown again."""
    unknown = set(scopes) - set(SCOPES)
    if unknown:
        raise Invalid.value("/scopes", f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(SCOPES)}.")
    key = new_key()
    row = ServerKey.objects.create(
        studio_id=studio_id,
        game_id=game_id,
        name=name,
        hash=key_hash(key),
        hint=key[-4:],
        scopes=sorted(scopes),
        expires_at=expires_at,
        uuid=uuid or new_id(),
        created_by_id=user_id,
        writes_per_s=writes_per_s,
        reads_per_s=reads_per_s,
    )
    return row, key


def revoke_key(*, key_id: int, at: datetime) -> None:
    """Revoke a key: here at once, in other processes when their kept copy is KEY_SECONDS old."""
    ServerKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=at)
    selectors.forget_keys()


def clean_external_id(text: Any) -> str:
    """Return a studio's id for a player.

    Raises:
        ValueError: not 1 to 128 printable characters.

    """
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_EXTERNAL_ID or not text.isprintable():
        raise ValueError("A player's id has 1 to 128 printable characters.")
    if text.startswith("id:") or text == "me":
        raise ValueError("`me` and ids that start with `id:` are the platform's own; use another id.")
    return text


_CREATE = """
    WITH named AS (
        INSERT INTO accounts_playeridentity (studio_id, external_id, player_id, created_at)
        SELECT %(studio)s, external_id, nextval(pg_get_serial_sequence('accounts_player', 'id')), now()
          FROM unnest(%(ids)s::text[]) AS external_id ORDER BY external_id
        ON CONFLICT (studio_id, external_id) DO NOTHING
        RETURNING external_id, player_id
    ), made AS (
        INSERT INTO accounts_player (id, uuid, display_name, region, avatar_url, visibility, created_at)
        OVERRIDING SYSTEM VALUE
        SELECT player_id, uuid, '', '', '', 'public', now()
          FROM named JOIN unnest(%(ids)s::text[], %(uuids)s::uuid[]) AS minted (external_id, uuid) USING (external_id)
        RETURNING id
    )
    SELECT id, external_id FROM made JOIN named ON player_id = id
"""


def create_players(*, studio_id: int, external_ids: Iterable[str]) -> None:
    """Create the players whom a studio names for the first time; known ones stay as they are.

    Whoever was erased is not created again: his name stays unknown.
    """
    ids = set(external_ids)
    while True:
        ids -= ledger.erased(studio_id, ids)
        with transaction.atomic():
            created = _created(studio_id, sorted(ids))
            # Somebody may have been erased since: his name was his until that was committed.
            if not created or not ledger.erased(studio_id, created):
                return
            transaction.set_rollback(True)


def _created(studio_id: int, ids: list[str]) -> list[str]:
    """Create players, and return the names of those who are new."""
    with connection.cursor() as cursor:
        cursor.execute(_CREATE, {"studio": studio_id, "ids": ids, "uuids": [new_id() for _ in ids]})
        created = cursor.fetchall()
    if created:
        publish(
            PlayersChanged([[pk, ""] for pk, _ in created], created=True),
            studio_id=studio_id,
            size=len(created),
        )
    return [name for _, name in created]


def update_player(*, studio_id: int, external_id: str, changes: dict[str, Any]) -> selectors.PlayerInfo:
    """Create or change the player whom a studio calls `external_id`; an absent field keeps its value.

    So does one that the person chose himself in his account.

    Raises:
        Gone: the person was erased.

    """
    with transaction.atomic():
        create_players(studio_id=studio_id, external_ids=[external_id])
        player = _lock_named(studio_id, external_id)
        changed = {name: value for name, value in changes.items() if getattr(player, name) != value}
        if changed:
            changed = {name: changed[name] for name in changed.keys() - own_choices.of(player.pk)}
        for name, value in changed.items():
            setattr(player, name, value)
        selectors.forget_players()
        if changed:
            player.save(update_fields=list(changed))
            publish(PlayersChanged([[player.pk, player.region]]), studio_id=studio_id)
            transaction.on_commit(lambda: shown.forget(player.pk), robust=True)
    after = selectors.player_of_studio(studio_id, external_id)
    if after is None:
        raise Gone("This person was erased.")
    return after


def _lock_named(studio_id: int, external_id: str) -> Player:
    """Lock the player whom a known id names; of one who is joined to another just now it is the other one.

    Raises Gone if the id names nobody (any more): its person was erased.
    """
    while True:
        info = selectors.player_of_studio(studio_id, external_id)
        if info is None:
            raise Gone("This person was erased and can't be written to again.")
        player = Player.objects.select_for_update().filter(pk=info.id).first()
        if player is not None and player.erased_at is not None:
            raise Gone("This person was erased and can't be written to again.")
        if player is not None:
            return player


def exclude_player(
    *, studio_id: int, player: selectors.PlayerInfo, excluded: bool, reason: str, actor: str, at: datetime
) -> bool:
    """Take a player off all of a studio's boards, or back, by all of the studio's ids for him.

    Returns:
        Whether that changed anything; if not, nothing is noted.

    Raises:
        Conflict: the player was joined to another just now.

    Publishes:
        PlayersExcluded.

    """
    with transaction.atomic():
        changed = _mark(studio_id, player, "excluded_at", at if excluded else None)
        if changed:
            publish(PlayersExcluded([[player.id, excluded]]), studio_id=studio_id)
            action = "player.exclude" if excluded else "player.include"
            _note(action, studio_id, player, reason=reason, actor=actor, at=at)
    return changed


def ban_player(
    *, studio_id: int, player: selectors.PlayerInfo, banned: bool, reason: str, actor: str, at: datetime
) -> bool:
    """Ban a player from all of a studio's games, or let him back, by all of the studio's ids for him.

    Returns:
        Whether that changed anything; if not, nothing is noted.

    Raises:
        Conflict: the player was joined to another just now.

    Publishes:
        PlayersBanned.

    """
    with transaction.atomic():
        changed = _mark(studio_id, player, "banned_at", at if banned else None)
        if changed:
            publish(PlayersBanned([[player.id, banned]]), studio_id=studio_id)
            action = "player.ban" if banned else "player.unban"
            _note(action, studio_id, player, reason=reason, actor=actor, at=at)
            if banned:
                why = Dismissal.Kind.BAN
                sessions.end_of_studio(player_id=player.id, studio_id=studio_id, why=why, at=at)
            transaction.on_commit(selectors.forget_players, robust=True)
    return changed


def revoke_player_tokens(*, studio_id: int, player: selectors.PlayerInfo, actor: str, at: datetime) -> None:
    """Revoke every token that a studio issued for a player until now, and what sessions were begun with them.

    Open connections close within seconds.
    """
    with transaction.atomic():
        mine = PlayerIdentity.objects.filter(studio_id=studio_id, player_id=player.id)
        mine.update(tokens_from=at)
        why = Dismissal.Kind.TOKENS
        sessions.end_of_studio(player_id=player.id, studio_id=studio_id, why=why, at=at)
        _note("player.revoke_tokens", studio_id, player, reason="", actor=actor, at=at)
    selectors.forget_players()


def _mark(studio_id: int, player: selectors.PlayerInfo, column: str, since: datetime | None) -> bool:
    """Set a time at all of a studio's ids for a player that have none, or take it away; say whether any changed.

    Raises Conflict for one whose ids name another by now: nothing would be marked, and nobody would know.
    """
    if not Player.objects.select_for_update(no_key=True).filter(pk=player.id).exists():
        raise Conflict("This player was linked to another one just now. Send it again.")
    mine = PlayerIdentity.objects.filter(studio_id=studio_id, player_id=player.id)
    return bool(mine.filter(**{f"{column}__isnull": since is not None}).update(**{column: since}))


def _note(
    action: str, studio_id: int, player: selectors.PlayerInfo, *, reason: str, actor: str, at: datetime
) -> None:
    audit.record(
        studio_id=studio_id,
        actor=actor,
        action=action,
        kind="player",
        object_id=player.uuid,
        reason=reason,
        at=at,
    )


def issue_player_token(*, player: UUID, game: UUID, at: datetime) -> tuple[str, datetime]:
    """Return a token for a player in a game, and when it ends."""
    return tokens.issue(player=player, game=game, at=at)


def clean_region(text: str) -> str:
    """Return a region's name: up to 16 letters, digits, `-` and `_`, upper case; empty for none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,16}", text, re.ASCII):
        raise ValueError("A region has up to 16 letters, digits, - or _, such as EU.")
    return text.upper()
