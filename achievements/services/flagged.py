"""What somebody of the studio decides about unlocks that were kept apart (REVIEW_SOURCES)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import selectors as accounts
from achievements import evidence, flagging
from achievements.completing import record_and_complete
from achievements.models import FlaggedUnlock
from achievements.selectors import definitions, flagged
from achievements.unlocking import Item
from core import audit
from core.clock import microseconds
from core.db import LostRace, retry_conflicts
from core.refusals import Unavailable
from core.reviewing import MOST_AT_ONCE, Settled

_ROUNDS = 4  # a catalogue that changes meanwhile costs one more
_State = FlaggedUnlock.State


def settle(
    studio_id: int, uuids: Sequence[UUID], *, approves: bool, reason: str, actor: str, at: datetime
) -> Settled:
    """Approve or reject a studio's, at most MOST_AT_ONCE, in one transaction; what is decided stays so.

    An approved one is recorded as any unlock is, with its own times. Who is banned keeps it waiting.

    Publishes:
        AchievementsUnlocked, OverallChanged of what is approved.

    """
    wanted = list(dict.fromkeys(uuids))[:MOST_AT_ONCE]
    for _round in range(_ROUNDS):
        try:
            return retry_conflicts(
                lambda: _settle(studio_id, wanted, approves=approves, reason=reason, actor=actor, at=at)
            )
        except LostRace:
            continue
    raise Unavailable("The game's definitions are changing right now. Send it again.")


def _settle(
    studio_id: int, uuids: Sequence[UUID], *, approves: bool, reason: str, actor: str, at: datetime
) -> Settled:
    rows = FlaggedUnlock.objects.filter(studio_id=studio_id, uuid__in=uuids)
    with transaction.atomic():
        flagging.lock_players(rows.values_list("player_id", flat=True))
        found = list(rows.select_for_update().order_by("player_id", "achievement_id"))
        waiting = [row for row in found if row.state == _State.OPEN]
        left = _record(studio_id, waiting, at=at) if approves else {}
        decided = [row for row in waiting if row.pk not in left]
        FlaggedUnlock.objects.filter(pk__in=[row.pk for row in decided]).update(
            state=_State.APPROVED if approves else _State.REJECTED, decided_at=at, reason=reason, actor=actor
        )
        _note(studio_id, decided, approves=approves, reason=reason, actor=actor, at=at)
    return Settled(len(decided), len(found) - len(waiting), tuple(sorted(left.values())))


def _record(studio_id: int, rows: Sequence[FlaggedUnlock], *, at: datetime) -> dict[int, str]:
    """Record what was kept apart; return why some of it, by its key, stays where it is."""
    shown = accounts.players_shown({row.player_id for row in rows}, studio_id=studio_id)
    versions = {game: definitions.fresh_catalogue(game).version for game in {row.game_id for row in rows}}
    left: dict[int, str] = {}
    for offline in (False, True):
        named = [
            (row, shown[row.player_id]["external_id"])
            for row in rows
            if row.offline == offline and "external_id" in shown.get(row.player_id, {})
        ]
        items = [_item(row, name, version=versions[row.game_id]) for row, name in named]
        for (row, name), outcome in zip(
            named, record_and_complete(items, at=at, offline=offline), strict=True
        ):
            if outcome.banned or outcome.erased:
                why = _("%(player)s is banned: let the player back first.") % {"player": name}
                left[row.pk] = why
            elif outcome.unlocked_at is None:
                raise LostRace("a player or a catalogue changed meanwhile")
    return left


def _item(row: FlaggedUnlock, external_id: str, *, version: int) -> Item:
    return Item(
        studio_id=row.studio_id,
        external_id=external_id,
        game_id=row.game_id,
        version=version,
        achievement_id=row.achievement_id,
        points=row.points,
        unlocked_at=row.unlocked_at,
        event_id=row.event_id,
        first_heard_us=microseconds(row.heard_at),
    )


def _note(
    studio_id: int,
    rows: Sequence[FlaggedUnlock],
    *,
    approves: bool,
    reason: str,
    actor: str,
    at: datetime,
) -> None:
    """Note what was decided, once for each player and game."""
    by_player: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in rows:
        by_player[row.player_id, row.game_id].append(row.achievement_id)
    players = accounts.players_shown({player for player, _game in by_player})
    games = accounts.games_by_id({game for _player, game in by_player})
    named = definitions.definitions_by_id({row.achievement_id for row in rows}, translated=False)
    for (player_id, game_id), achievement_ids in by_player.items():
        audit.record(
            studio_id=studio_id,
            actor=actor,
            action="unlock.approve" if approves else "unlock.reject",
            kind="player",
            object_id=players[player_id]["id"],
            reason=reason,
            at=at,
            details={
                "game": str(games[game_id].uuid),
                "achievements": [named[pk].key for pk in achievement_ids],
            },
        )


class _Source:
    """Unlocks, as the review queue asks for them."""

    rules = evidence.RULES
    count = staticmethod(flagged.count)
    heard = staticmethod(flagged.heard)
    page = staticmethod(flagged.page)
    find = staticmethod(flagged.find)
    around = staticmethod(flagged.around)
    settle = staticmethod(settle)


SOURCE = _Source()
