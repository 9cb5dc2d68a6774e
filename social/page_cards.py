"""A player's latest and rarest unlocks, for the pages."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Protocol

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from achievements.selectors import cards, circles, definitions, unlocks
from achievements.selectors.cards import Rarity
from achievements.selectors.definitions import Definition
from social.page_models import UnlockRow

NOBODY = 0
"""Stands for the internal id of a reader who is nobody in particular."""
_DRAFT = "draft"
_COMMON = "common"
_EVER = datetime.fromtimestamp(0, tz=UTC)
_HIDDEN_NAME = "Hidden achievement"


class _Unlock(Protocol):
    """An unlock, as achievements tell of it in several ways."""

    @property
    def achievement_id(self) -> int: ...
    @property
    def game_id(self) -> int: ...
    @property
    def points(self) -> int: ...
    @property
    def unlocked_at(self) -> datetime: ...


def unlock_rows(
    player_id: int, *, limit: int, reader_id: int | None = None, language: str | None = None
) -> tuple[UnlockRow, ...]:
    """Return a player's latest unlocks across games, newest first.

    A reader other than the player (`reader_id`) sees what his friends see in their feeds: no drafts, nothing of the
    games of a studio that bans the player, and hidden ones masked until he has them himself. `language` as
    `definitions` hold it; None for each game's first one.
    """
    if reader_id is None or reader_id == player_id:
        return _rows(unlocks.recent_unlocks(player_id, limit=limit), lacking=None, language=language)
    found = circles.news([player_id], reader_id=reader_id, studio_id=None, game_id=None, limit=limit)
    lacking = {one.achievement_id for one in found if not one.reader_has_it}
    return _rows(found, lacking=lacking, language=language)


def rarest_rows(
    player_id: int, *, limit: int, reader_id: int, before: datetime, language: str | None = None
) -> tuple[UnlockRow, ...]:
    """Return a player's unlocks that the fewest have today, the rarest first, masked for a reader as above.

    Without those of which it is too new to tell, and those that most have.
    """
    held = unlocks.rarest_unlocks(player_id, since=_EVER, before=before, game_ids=None, limit=limit)
    has = unlocks.heard_at((reader_id, one.achievement_id) for one in held) if reader_id and held else {}
    lacking = {one.achievement_id for one in held if (reader_id, one.achievement_id) not in has}
    rows = _rows(held, lacking=None if reader_id == player_id else lacking, language=language)
    return tuple(row for row in rows if row.rarity.tier not in (None, _COMMON))


def _rows(
    held: Sequence[_Unlock], *, lacking: Collection[int] | None, language: str | None
) -> tuple[UnlockRow, ...]:
    """Return rows of unlocks; those that the reader is `lacking` are masked if hidden. None: to the player himself."""
    about = definitions.definitions_by_id(
        (one.achievement_id for one in held), translated=language is not None
    )
    rarity = definitions.rarities(about)
    games = accounts.games_by_id(one.game_id for one in held)
    return tuple(
        _row(
            one,
            definition,
            games[one.game_id],
            cards.told(rarity[one.achievement_id]),
            is_lacking=one.achievement_id in (lacking or ()),
            language=language,
        )
        for one in held
        if (definition := about.get(one.achievement_id)) is not None
        and (lacking is None or definition.state != _DRAFT)
    )


def _row(
    held: _Unlock,
    about: Definition,
    game: GameInfo,
    rarity: Rarity,
    *,
    is_lacking: bool,
    language: str | None,
) -> UnlockRow:
    is_masked = about.hidden and is_lacking
    said = cards.texts(about, language)
    is_there = about.is_published or not is_lacking  # what is archived has a page for who has it
    return UnlockRow(
        game_id=game.uuid,
        game_title=game.title,
        key="" if is_masked else about.key,
        name=_HIDDEN_NAME if is_masked else said.name,
        icon_url="" if is_masked else about.icon_url,
        points=None if is_masked else held.points,
        unlocked_at=held.unlocked_at,
        rarity=rarity,
        masked=is_masked,
        url=cards.address(game.uuid, about) if is_there and not is_masked else "",
        name_language="" if is_masked else said.name_language,
    )
