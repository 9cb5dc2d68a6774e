"""What a studio does to its games: make, change, put away, bring back; and who tests them. Every change is audited."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import selectors
from accounts.models import Game, Player, ServerKey, Tester
from accounts.selectors import GameInfo, PlayerInfo
from core import audit
from core.ids import new_id
from core.refusals import Conflict, NotFound

MOST_TESTERS = 500  # of a game


def create(
    *,
    studio_id: int,
    title: str,
    regions: Collection[str] = (),
    uuid: UUID | None = None,
    actor: str,
    at: datetime,
) -> Game:
    """Create a studio's game; one that has this `uuid` already is returned as it is."""
    with transaction.atomic():
        game, is_new = Game.objects.get_or_create(
            uuid=uuid or new_id(), studio_id=studio_id, defaults={"title": title, "regions": list(regions)}
        )
        if is_new:
            made = {"title": title, "regions": list(regions)}
            _note("game.create", studio_id, game.uuid, actor=actor, at=at, details=made)
    return game


def update(*, studio_id: int, game_id: int, changes: Mapping[str, Any], actor: str, at: datetime) -> bool:
    """Change a game's title, regions or signatures; say whether that changed anything. If not, nothing is noted."""
    with transaction.atomic():
        game = _locked(studio_id, game_id)
        changed = {name: value for name, value in changes.items() if getattr(game, name) != value}
        if changed:
            details = {
                name: {"before": getattr(game, name), "after": value} for name, value in changed.items()
            }
            for name, value in changed.items():
                setattr(game, name, value)
            game.save(update_fields=[*changed, "updated_at"])
            _note("game.update", studio_id, game.uuid, actor=actor, at=at, details=details)
    selectors.forget_games()
    return bool(changed)


def archive(*, studio_id: int, game_id: int, reason: str, actor: str, at: datetime) -> bool:
    """Put a game away and revoke the keys that are bound to it; say whether that changed anything.

    All that players have in it stays, and keys of the whole studio still reach it: this is about the studio's own
    lists, and about servers that only this game had.
    """
    with transaction.atomic():
        game = _locked(studio_id, game_id)
        if game.archived_at is not None:
            return False
        game.archived_at = at
        game.save(update_fields=["archived_at"])
        bound = ServerKey.objects.select_for_update().filter(game_id=game_id, revoked_at=None).order_by("id")
        revoked = {row.pk: str(row.uuid) for row in bound}
        ServerKey.objects.filter(pk__in=revoked).update(revoked_at=at)
        details = {"title": game.title, "revoked_keys": list(revoked.values())}
        _note("game.archive", studio_id, game.uuid, reason=reason, actor=actor, at=at, details=details)
    selectors.forget_keys()
    selectors.forget_games()
    return True


def restore(*, studio_id: int, game_id: int, actor: str, at: datetime) -> bool:
    """Bring a game back that was put away; say whether that changed anything. Its revoked keys stay revoked."""
    with transaction.atomic():
        game = _locked(studio_id, game_id)
        if game.archived_at is None:
            return False
        game.archived_at = None
        game.save(update_fields=["archived_at"])
        _note("game.restore", studio_id, game.uuid, actor=actor, at=at, details={"title": game.title})
    selectors.forget_games()
    return True


def add_tester(*, game: GameInfo, player: PlayerInfo, reason: str = "", actor: str, at: datetime) -> bool:
    """Let a player unlock a game's drafts; say whether that changed anything.

    Raises:
        Conflict: the game has five hundred testers, or the player was joined to another just now.

    """
    with transaction.atomic():
        _locked(game.studio_id, game.id)  # so that they are counted one at a time
        if not Player.objects.select_for_update(no_key=True).filter(pk=player.id).exists():
            raise Conflict("This player was linked to another one just now. Send it again.")
        testers = Tester.objects.filter(game_id=game.id)
        if testers.filter(player_id=player.id).exists():
            return False
        if testers.count() >= MOST_TESTERS:
            raise Conflict(f"A game has at most {MOST_TESTERS} testers. Remove one first.")
        Tester.objects.create(game_id=game.id, player_id=player.id)
        _note_tester("tester.add", game, player, reason=reason, actor=actor, at=at)
    return True


def remove_tester(*, game: GameInfo, player: PlayerInfo, reason: str = "", actor: str, at: datetime) -> bool:
    """Let a player unlock a game's drafts no more; say whether that changed anything. What he has, he keeps."""
    with transaction.atomic():
        removed, _ = Tester.objects.filter(game_id=game.id, player_id=player.id).delete()
        if removed:
            _note_tester("tester.remove", game, player, reason=reason, actor=actor, at=at)
    return bool(removed)


def _locked(studio_id: int, game_id: int) -> Game:
    game = Game.objects.select_for_update(no_key=True).filter(pk=game_id, studio_id=studio_id).first()
    if game is None:
        raise NotFound("There is no such game.")
    return game


def _note_tester(
    action: str, game: GameInfo, player: PlayerInfo, *, reason: str, actor: str, at: datetime
) -> None:
    who = {"player": str(player.uuid), "external_id": player.external_id}
    _note(action, game.studio_id, game.uuid, reason=reason, actor=actor, at=at, details=who)


def _note(
    action: str,
    studio_id: int,
    uuid: UUID,
    *,
    actor: str,
    at: datetime,
    reason: str = "",
    details: Mapping[str, Any],
) -> None:
    audit.record(
        studio_id=studio_id,
        actor=actor,
        action=action,
        kind="game",
        object_id=uuid,
        reason=reason,
        at=at,
        details=details,
    )
