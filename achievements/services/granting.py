"""Giving an achievement by hand: an unlock as any other, with the act in the audit log in the same commit."""

from datetime import datetime

from django.db import transaction

from accounts.selectors import GameInfo, PlayerInfo
from achievements.services import unlocks
from achievements.services.unlocks import STUDIO, Unlocked, UnlockRequest
from core import audit
from core.db import retry_conflicts
from core.ids import new_id
from core.refusals import Conflict


def grant(*, game: GameInfo, player: PlayerInfo, key: str, reason: str, actor: str, at: datetime) -> Unlocked:
    """Unlock an achievement for a player by hand: no rule of plausibility holds it back, and one that was counts by it.

    The audit log names the unlock's event, so that its source is known.

    Raises:
        Conflict: the player has it already; nothing is noted then.
        Refused: as `unlock_many` refuses a report: no such achievement, a draft, outside its window, one that unlocks
            by itself, a banned player.

    Publishes:
        AchievementsUnlocked.

    """
    assert player.external_id is not None  # found through the studio's own id
    wanted = UnlockRequest(player.external_id, key, event_id=new_id())

    def act() -> Unlocked:
        with transaction.atomic():
            done = unlocks.unlock(game=game, request=wanted, by=STUDIO, at=at)
            if done.status != "unlocked":
                raise Conflict("The player has this achievement already.")
            audit.record(
                studio_id=game.studio_id,
                actor=actor,
                action="achievement.grant",
                kind="player",
                object_id=player.uuid,
                reason=reason,
                at=at,
                details={
                    "game": str(game.uuid),
                    "achievement": key,
                    "points": done.points,
                    "event": str(done.event_id),
                },
            )
        return done

    return retry_conflicts(act)
