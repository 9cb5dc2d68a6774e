"""What stands on a player's profile, as one reader sees it."""

from collections.abc import Collection, Iterable
from datetime import datetime

from accounts.people import FRIENDS, PUBLIC, Part
from accounts.selectors import PlayerInfo, games_by_id
from achievements.selectors import unlocks
from leaderboards.selectors import standings as boards
from social import page_cards, page_content, presence, selectors
from social.curve import points_curve
from social.page_cards import NOBODY
from social.page_models import Person, RankRow, Totals
from social.profile_models import Played, Profile, Seen, Standing
from social.selectors import between, summaries
from social.selectors.between import Between

SHOWN_UNLOCKS = 8
SHOWN_RAREST = 4
SHOWN_GAMES = 12
SHOWN_COMMON = 6


def profile(
    info: PlayerInfo,
    *,
    reader_id: int,
    parts: Collection[Part],
    language: str | None,
    every_game: bool,
    at: datetime,
) -> Profile:
    """Return those parts of a player's profile that a reader may see; `reader_id` NOBODY: for anybody.

    `language`: in which the reader reads games' texts; None: as each game's first one.

    To himself a player is shown as others see him: what is hidden stays so.
    """
    standing = _standing(info, reader_id)
    common = between.common_friends(reader_id, info.id) if standing not in ("self", "nobody") else []
    shows_presence = standing == "friend" and Part.PRESENCE in parts
    return Profile(
        person=person(info),
        is_public=info.visibility == PUBLIC,
        standing=standing,
        seen=seen([info], at=at)[info.id] if shows_presence else None,
        played=(
            _played(info, reader_id, parts, language=language, every_game=every_game, at=at)
            if Part.GAMES in parts
            else None
        ),
        friend_count=selectors.friend_count(info.id),
        common=tuple(person(one) for one in common[:SHOWN_COMMON]),
        common_count=len(common),
    )


def _played(
    info: PlayerInfo,
    reader_id: int,
    parts: Collection[Part],
    *,
    language: str | None,
    every_game: bool,
    at: datetime,
) -> Played:
    others = NOBODY if reader_id == info.id else reader_id
    totals, sums = unlocks.totals_of(info.id), summaries.overall([info.id])[info.id]
    days = page_content.points_by_day(info.id, sums.points, today=at.date())
    listed = totals if every_game else totals[:SHOWN_GAMES]
    rows = page_cards.unlock_rows(info.id, limit=SHOWN_UNLOCKS, reader_id=others, language=language)
    return Played(
        totals=Totals(
            points=sums.points,
            unlocked=sums.unlocked,
            games=len(totals),
            completion_percent=summaries.percent(sums.unlocked, sums.available),
            points_this_week=sums.points - days[-1 - page_content.WEEK_DAYS][1],
        ),
        place=place(info.id),
        curve=points_curve(days) if totals else None,
        unlocks=rows if Part.FEED in parts else None,
        rarest=page_cards.rarest_rows(
            info.id, limit=SHOWN_RAREST, reader_id=others, before=at, language=language
        ),
        games=tuple(page_content.game_rows(info, listed, ranked=False).values()),
        games_count=len(totals),
    )


def standing_of(known: Between) -> Standing:
    """Return in a word what is between a player and another one."""
    if known.blocks:
        return "blocks"
    if known.is_friend:
        return "friend"
    if known.sent:
        return "sent"
    return "received" if known.received else "stranger"


def _standing(info: PlayerInfo, reader_id: int) -> Standing:
    if reader_id == NOBODY:
        return "nobody"
    if reader_id == info.id:
        return "self"
    return standing_of(between.between(reader_id, [info.id])[info.id])


def place(player_id: int) -> RankRow | None:
    """Return where a player stands in the world: by points, over all games, of all time."""
    found = boards.rank_of(None, player_id)
    if found is None:
        return None
    return RankRow(
        None, "All games", "Points · all time", found.rank, found.tied, found.total_count, found.score
    )


def seen(infos: Iterable[PlayerInfo], *, at: datetime) -> dict[int, Seen | None]:
    """Return the presence of a reader's friends, in four queries at most; None of who shows none."""
    listed = {info.id: info for info in infos}
    found = presence.presences(listed, at=at)
    played = {one.game_id for one in found.values() if one.game_id is not None}
    games = games_by_id(played) if played else {}
    shown: dict[int, Seen | None] = {}
    for pk, one in found.items():
        game = games.get(one.game_id) if one.game_id is not None else None
        shows = listed[pk].visibility in (PUBLIC, FRIENDS) and (one.is_online or one.last_seen_at)
        shown[pk] = (
            Seen(one.is_online, one.last_seen_at, game.uuid if game else None, game.title if game else "")
            if shows
            else None
        )
    return shown


def person(info: PlayerInfo) -> Person:
    """Return who a row is about."""
    return page_content.person_of(info, is_demo=False)
