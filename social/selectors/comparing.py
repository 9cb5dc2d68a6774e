"""A player beside his friends, and beside one other: as the API shows it, to whoever may see them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from accounts import people
from accounts.people import Part
from accounts.selectors import GameInfo, PlayerInfo, games_by_id
from achievements.selectors import circles, definitions, progress, showing
from achievements.selectors.circles import SharedGame
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.selectors.unlocks import HeldUnlock
from social import selectors
from social.selectors import seeing, summaries
from social.selectors.seeing import Asker
from social.selectors.summaries import Summary, percent

Held = Mapping[int, HeldUnlock]  # by achievement
Share = Literal["both", "only_player", "only_other", "neither"]
Position = tuple[int, int]  # where a list goes on


def beside_friends(player_id: int, *, game_id: int | None, asker: Asker) -> list[dict[str, Any]]:
    """Return a player and those of his friends whom the asker may see, most points first, in five queries at most."""
    friends = seeing.friends_seen(selectors.friend_ids(player_id), of=player_id, asker=asker, part=Part.GAMES)
    found = summaries.overall(friends) if game_id is None else summaries.in_game(game_id, friends)
    return [
        {
            "player": people.shown(friends[pk], to_studio=asker.is_studio),
            "is_me": pk == player_id,
            **summaries.summary_json(found[pk]),
        }
        for pk in summaries.in_order(found)
    ]


@dataclass(frozen=True, slots=True)
class Compared:
    """A page of what two players have; `after` is where the next one begins, None after the last."""

    rows: list[dict[str, Any]]
    after: Position | None


def shared_games(
    player: PlayerInfo, other: PlayerInfo, *, asker: Asker, after: Position | None, limit: int
) -> Compared:
    """Return the games in which both have unlocked something, with what each has, in three queries at most.

    Those with the most points of the first one come first; a studio sees its own.
    """
    found = circles.shared_games(
        player.id, other.id, studio_id=asker.only_studio_id, after=after, limit=limit + 1
    )
    listed = found[:limit]
    infos = games_by_id(one.game_id for one in listed)
    available = definitions.available_by_game(infos)
    rows = [
        _game(one, infos[one.game_id], available.get(one.game_id, 0))
        for one in listed
        if one.game_id in infos
    ]
    last = listed[-1] if len(found) > limit else None
    return Compared(rows, None if last is None else (last.points[0], last.game_id))


def _game(shared: SharedGame, info: GameInfo, available: int) -> dict[str, Any]:
    one, other = (
        {
            "points": shared.points[which],
            "unlocked": shared.unlocked[which],
            "completion_percent": percent(shared.unlocked[which], available),
            "last_unlock_at": shared.last_unlock_at[which],
        }
        for which in (0, 1)
    )
    return {
        "game_id": str(info.uuid),
        "name": info.title,
        "available": available,
        "player": one,
        "other": other,
    }


@dataclass(frozen=True, slots=True)
class GameCompared:
    """A page of a game's achievements as two players stand to them, and what each has in sum."""

    page: Compared
    player: dict[str, Any]
    other: dict[str, Any]
    both: int
    only_player: int
    only_other: int
    total_count: int


def achievements(
    player: PlayerInfo,
    other: PlayerInfo,
    *,
    game_id: int,
    asker: Asker,
    language: str | None,
    after: Position | None,
    limit: int,
    only: Share | None = None,
) -> GameCompared:
    """Return a game's achievements as two players stand to them, in the definitions' order, in seven queries at most.

    Published ones, archived ones that one of both has, and drafts that the first one has if he asks. What is hidden
    stays so unless who asks has it, or a studio asks; he may be neither of both, so that his unlocks are read, too.
    With `only` the page has those that only one of both has, or both, or neither.
    """
    reader_id = player.id if asker.player_id is None else asker.player_id
    held = circles.unlocks_in_game(game_id, {player.id, other.id, reader_id})
    mine, others, known = held[player.id], held[other.id], held[reader_id]
    catalogue = definitions.fresh_catalogue(game_id)
    shown = [
        one
        for one in catalogue.by_key.values()
        if _is_shown(one, mine, others, is_own=reader_id == player.id)
    ]
    wanted = [one for one in shown if only is None or _share(one.id, mine, others) == only]
    rest = [one for one in wanted if after is None or (one.sort_order, one.id) > after]
    listed = rest[:limit]
    ids = {one.id for one in shown}
    last = listed[-1] if len(rest) > limit else None
    return GameCompared(
        Compared(
            _rows(
                listed,
                catalogue,
                player,
                other,
                held,
                is_studio=asker.is_studio,
                known=known,
                language=language,
            ),
            None if last is None else (last.sort_order, last.id),
        ),
        _sums(mine, catalogue),
        _sums(others, catalogue),
        both=len(ids & mine.keys() & others.keys()),
        only_player=len(ids & mine.keys() - others.keys()),
        only_other=len(ids & others.keys() - mine.keys()),
        total_count=len(shown),
    )


def _is_shown(definition: Definition, mine: Held, others: Held, *, is_own: bool) -> bool:
    if definition.state == "published":
        return True
    if definition.state == "archived":
        return definition.id in mine or definition.id in others
    return is_own and definition.id in mine


def _share(achievement_id: int, mine: Held, others: Held) -> Share:
    if achievement_id in mine:
        return "both" if achievement_id in others else "only_player"
    return "only_other" if achievement_id in others else "neither"


def _sums(held: Held, catalogue: GameCatalogue) -> dict[str, Any]:
    last_at = max((one.unlocked_at for one in held.values()), default=None)
    points = sum(one.points for one in held.values())
    return summaries.summary_json(Summary(points, len(held), catalogue.available, last_unlock_at=last_at))


def _rows(
    listed: Collection[Definition],
    catalogue: GameCatalogue,
    player: PlayerInfo,
    other: PlayerInfo,
    held: Mapping[int, Held],
    *,
    is_studio: bool,
    known: Held,
    language: str | None,
) -> list[dict[str, Any]]:
    rarities = definitions.rarities(one.id for one in listed)
    standings = progress.standings({player.id, other.id}, catalogue, listed)
    rows = []
    for one in listed:
        masked = one.hidden and one.id not in known and not is_studio
        row = {**showing.definition_json(one, language=language, masked=masked), "rarity": rarities[one.id]}
        for name, who in (("player", player), ("other", other)):
            has = held[who.id].get(one.id)
            is_counted = one.is_incremental and not masked
            steps = progress.steps(
                standings[who.id], one, catalogue.goals.get(one.id), unlocked=has is not None
            )
            row[name] = {
                "unlocked": has is not None,
                "unlocked_at": has and has.unlocked_at,
                "progress": {"current": steps[0], "target": steps[1]} if is_counted else None,
            }
        rows.append(row)
    return rows
