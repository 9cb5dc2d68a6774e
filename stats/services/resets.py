"""Taking values away: a player, a tester most often, begins anew."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from accounts import selectors as accounts
from accounts.selectors import GameInfo, PlayerInfo
from core import audit
from core.db import retry_conflicts
from core.facts import publish
from core.refusals import Conflict, NotFound
from core.texts import quoted
from stats import locking, recording
from stats.facts import StatsChanged
from stats.recording import Kept
from stats.rules.values import to_number
from stats.selectors import definitions
from stats.selectors.definitions import StatInfo
from stats.weighing import LARGEST_FACT


def reset(
    *,
    game: GameInfo,
    player: PlayerInfo,
    keys: Collection[str] | None,
    reason: str,
    by: str,
    at: datetime,
) -> int:
    """Take away what a player holds of a game's stats, by their keys, or (None) of all; return of how many he held one.

    He holds the default again, or nothing. Events that were heard stay heard.

    Raises:
        NotFound: the game has no such stat.

    Publishes:
        StatsChanged of values that differ from the default, or from 0 without one.

    """

    def act() -> int:
        with transaction.atomic():
            # Reports on their way are waited for. Later ones come behind: theirs are the higher versions.
            locking.take_alone(game.id)
            stats = _wanted(game, keys)
            gone = recording.take_away(player.id, stats)
            if not gone:
                accounts.require_himself(player.id)
            _announce(game, player, stats, gone)
            if gone:
                values = {stats[pk].key: to_number(kept.value) for pk, kept in gone.items()}
                audit.record(
                    studio_id=game.studio_id,
                    actor=by,
                    action="stats.reset",
                    kind="player",
                    object_id=player.uuid,
                    reason=reason,
                    at=at,
                    details={"game": str(game.uuid), "values": values},
                )
            return len(gone)

    return retry_conflicts(act)


def reset_tester(*, studio_id: int, player: PlayerInfo, reason: str, by: str, at: datetime) -> int:
    """Take away what somebody holds who tests a studio's games, in all games that he tests, in one commit.

    Raises:
        Conflict: he tests none.

    Publishes:
        StatsChanged, as above.

    """
    games = accounts.tested_games(studio_id, player.id)
    if not games:
        raise Conflict("The player tests none of your games: make him a tester, or reset one game.")

    def act() -> int:
        with transaction.atomic():
            return sum(
                reset(game=game, player=player, keys=None, reason=reason, by=by, at=at) for game in games
            )

    return retry_conflicts(act)


def _wanted(game: GameInfo, keys: Collection[str] | None) -> dict[int, StatInfo]:
    known = definitions.fresh_stats(game.id)
    unknown = sorted(set(keys or ()).difference(known))
    if unknown:
        raise NotFound(f"The game has no stat {quoted(unknown[0])}.")
    return {stat.id: stat for key, stat in known.items() if keys is None or key in keys}


def _announce(
    game: GameInfo, player: PlayerInfo, stats: Mapping[int, StatInfo], gone: Mapping[int, Kept]
) -> None:
    changed = [pk for pk, kept in gone.items() if kept.value != _begin(stats[pk])]
    for start in range(0, len(changed), LARGEST_FACT):
        fact = _fact(game, player, stats, gone, changed[start : start + LARGEST_FACT])
        publish(fact, studio_id=game.studio_id, size=len(fact.values))


def _fact(
    game: GameInfo,
    player: PlayerInfo,
    stats: Mapping[int, StatInfo],
    gone: Mapping[int, Kept],
    told: Sequence[int],
) -> StatsChanged:
    return StatsChanged(
        game.id,
        [[pk, stats[pk].key, stats[pk].rule.aggregation] for pk in told],
        [
            [
                player.id,
                pk,
                _begin(stats[pk]),
                to_number(gone[pk].value),
                gone[pk].version,
                gone[pk].reached_us,
            ]
            for pk in told
        ],
    )


def _begin(stat: StatInfo) -> int | float:
    """Return the number that stands for a value that was taken away."""
    return 0 if stat.rule.start is None else to_number(stat.rule.start)
