"""Taking unlocks back: one achievement, a game, or everything of a tester, each with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from achievements import flagging, revoking
from achievements.selectors import definitions
from core import audit
from core.db import retry_conflicts
from core.refusals import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Revoked:
    """What a revoke came to; `revoked_at` is None when the achievement was not unlocked."""

    revoked_at: datetime | None
    points: int
    total_points: int
    total_unlocked: int
    available: int


@dataclass(frozen=True, slots=True)
class Reset:
    """How many unlocks were taken back, and how many achievements were on their way."""

    revoked: int = 0
    progress: int = 0


def revoke(*, game: GameInfo, player_id: int, key: str, reason: str, actor: str, at: datetime) -> Revoked:
    """Take an unlock back, with what it was worth; its steps begin anew, and it may be unlocked again.

    Meta achievements that needed it stay.

    Raises:
        NotFound: the game has no such achievement.

    Publishes:
        AchievementsRevoked, OverallChanged, if it was unlocked.

    """
    catalogue = definitions.fresh_catalogue(game.id)
    definition = catalogue.by_key.get(key)
    if definition is None:
        raise NotFound("The game has no such achievement.")
    taken, _ = retry_conflicts(
        lambda: _take_back(game, player_id, {definition.id: key}, reason=reason, actor=actor, at=at)
    )
    return Revoked(taken.at, taken.points_lost, taken.points or 0, taken.unlocked or 0, catalogue.available)


def reset(*, game: GameInfo, player_id: int, key: str | None, reason: str, actor: str, at: datetime) -> Reset:
    """Take back one achievement of a player, or all of a game (`key` None), with the steps on the way.

    Raises:
        NotFound: the game has no such achievement.

    Publishes:
        AchievementsRevoked, OverallChanged, if any was unlocked.

    """
    by_key = definitions.fresh_catalogue(game.id).by_key
    if key is not None and key not in by_key:
        raise NotFound("The game has no such achievement.")
    wanted = {one.id: name for name, one in by_key.items() if key in (None, name)}
    taken, progress = retry_conflicts(
        lambda: _take_back(game, player_id, wanted, reason=reason, actor=actor, at=at)
    )
    return Reset(len(taken.achievement_ids), progress)


def reset_tester(*, studio_id: int, player_id: int, reason: str, actor: str, at: datetime) -> Reset:
    """Take everything back of somebody who tests a studio's games, in all games that he tests, in one commit.

    Raises:
        Conflict: he tests none.

    """
    games = accounts.tested_games(studio_id, player_id)
    if not games:
        raise Conflict("The player tests none of your games: make him a tester, or reset one game.")

    def act() -> Reset:
        with transaction.atomic():
            # Of all games before the totals of any, as reports lock them.
            for game in games:
                wanted = [one.id for one in definitions.fresh_catalogue(game.id).by_key.values()]
                revoking.hold_steps(player_id=player_id, achievement_ids=wanted)
            done = [
                reset(game=game, player_id=player_id, key=None, reason=reason, actor=actor, at=at)
                for game in games
            ]
        return Reset(sum(one.revoked for one in done), sum(one.progress for one in done))

    return retry_conflicts(act)


def _take_back(
    game: GameInfo, player_id: int, wanted: Mapping[int, str], *, reason: str, actor: str, at: datetime
) -> tuple[revoking.Taken, int]:
    """Take back achievements, given as ids with their keys."""
    ids = list(wanted)
    with transaction.atomic():
        revoking.hold_steps(player_id=player_id, achievement_ids=ids)
        # Before the rest, so that what somebody approves just now is taken back behind his commit.
        flagged = flagging.forget(player_id=player_id, achievement_ids=ids)
        taken = revoking.take_back(
            player_id=player_id, game_id=game.id, achievement_ids=ids, reason=reason, actor=actor
        )
        progress = revoking.begin_anew(player_id=player_id, achievement_ids=ids)
        if not (taken.achievement_ids or progress or flagged):
            accounts.require_himself(player_id)
        else:
            audit.record(
                studio_id=game.studio_id,
                actor=actor,
                action="achievements.revoke",
                kind="player",
                object_id=accounts.players_shown([player_id])[player_id]["id"],
                reason=reason,
                at=at,
                details={
                    "game": str(game.uuid),
                    "achievements": [wanted[pk] for pk in taken.achievement_ids],
                    "points": taken.points_lost,
                    **({"flagged": [wanted[pk] for pk in sorted(flagged)]} if flagged else {}),
                },
            )
    return taken, progress
