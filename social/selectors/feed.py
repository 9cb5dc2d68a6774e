"""What a player's friends have unlocked, newest first."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from accounts import people
from accounts.people import Part
from accounts.selectors import GameInfo, PlayerInfo, games_by_id
from achievements.selectors import circles, definitions, showing
from achievements.selectors.circles import News, Place
from achievements.selectors.definitions import Definition
from core.clock import microseconds
from social import selectors
from social.selectors import seeing
from social.selectors.seeing import Asker


@dataclass(frozen=True, slots=True)
class Feed:
    """A page of a feed; `after` is where the next one begins, None after the last."""

    rows: list[dict[str, Any]]
    after: Place | None


def feed(player_id: int, *, asker: Asker, language: str | None, after: Place | None, limit: int) -> Feed:
    """Return what friends whom the asker may see have unlocked, newest first, in six queries at most.

    A studio reads of its own games. Hidden achievements that the player has not unlocked are masked; a studio sees
    them. Drafts, which only testers unlock, are left out: a page may hold fewer than `limit`.
    """
    friends = seeing.friends_seen(selectors.friend_ids(player_id), of=player_id, asker=asker, part=Part.FEED)
    friends.pop(player_id, None)  # gone, if he was joined to another a moment ago
    found = circles.news(
        friends,
        reader_id=player_id,
        studio_id=asker.only_studio_id,
        game_id=asker.game_id,
        after=after,
        limit=limit + 1,
    )
    listed = found[:limit]
    last = listed[-1] if len(found) > limit else None
    return Feed(
        _rows(listed, friends, asker, language),
        last and Place(microseconds(last.unlocked_at), last.player_id, last.achievement_id),
    )


def _rows(
    listed: Collection[News], friends: dict[int, PlayerInfo], asker: Asker, language: str | None
) -> list[dict[str, Any]]:
    if not listed:
        return []
    defined = definitions.definitions_by_id(
        (one.achievement_id for one in listed), translated=language is not None
    )
    games = games_by_id(one.game_id for one in listed)
    shown = {
        pk: people.shown(friends[pk], to_studio=asker.is_studio) for pk in {one.player_id for one in listed}
    }
    return [
        _row(one, shown[one.player_id], games[one.game_id], about, asker, language)
        for one in listed
        if (about := defined.get(one.achievement_id)) is not None and about.state != "draft"
    ]


def _row(
    news: News,
    friend: dict[str, str],
    game: GameInfo,
    about: Definition,
    asker: Asker,
    language: str | None,
) -> dict[str, Any]:
    masked = about.hidden and not news.reader_has_it and not asker.is_studio
    told = showing.definition_json(about, language=language, masked=masked)
    return {
        "player": friend,
        "game_id": str(game.uuid),
        "game": game.title,
        "achievement": {name: told[name] for name in ("key", "name", "description", "hidden", "icon_url")},
        "points": None if masked else news.points,
        "unlocked_at": news.unlocked_at,
    }
