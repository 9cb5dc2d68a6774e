"""A game's achievements as one player stands to them, and a player's latest unlocks, for the pages."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Protocol

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from achievements.selectors import circles, definitions, unlocks
from achievements.selectors.definitions import Definition
from achievements.selectors.unlocks import HeldUnlock
from social.page_models import AchievementCard, Rarity, Section, UnlockRow

NOBODY = 0
"""Stands for the internal id of a reader who is nobody in particular."""
_PUBLISHED = "published"
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


class _Rarity(Protocol):
    """How rare an achievement is, as achievements tell it."""

    @property
    def unlocked_percent(self) -> float | None: ...
    @property
    def players(self) -> int: ...
    @property
    def tier(self) -> str | None: ...


def cards(
    player_id: int, game_id: int, *, at: datetime, reader_id: int | None = None
) -> list[AchievementCard]:
    """Return a card for each achievement that is published, or that the player has; unlocked ones newest first.

    Of the others the most common come first and the hidden ones last, without a word of what they are. A reader other
    than the player (`reader_id`) sees neither drafts nor what is being checked, and of the hidden ones what those are
    that he has himself.
    """
    held = unlocks.unlocks_of(player_id, game_id=game_id)
    catalogue = definitions.fresh_catalogue(game_id)
    is_own = reader_id is None or reader_id == player_id
    known = held.keys() if is_own else _held(reader_id, game_id)
    is_weighed = catalogue.plausibility is not None and is_own
    flagged = unlocks.flagged_of(player_id, game_id=game_id).keys() - held.keys() if is_weighed else set()
    shown = [
        one
        for one in catalogue.by_key.values()
        if one.state == _PUBLISHED
        or (one.id in held and (is_own or one.state != _DRAFT))
        or one.id in flagged
    ]
    rarity = definitions.rarities(one.id for one in shown)
    made = [
        _veiled(held[one.id], _rarity(rarity[one.id]))
        if one.hidden and one.id in held and one.id not in known
        else _card(one, held.get(one.id), _rarity(rarity[one.id]), is_flagged=one.id in flagged, at=at)
        for one in shown
    ]
    return sorted(made, key=_order)


def _held(reader_id: int | None, game_id: int) -> Collection[int]:
    return unlocks.unlocks_of(reader_id, game_id=game_id).keys() if reader_id else ()


def _veiled(held: HeldUnlock, rarity: Rarity) -> AchievementCard:
    return AchievementCard("veiled", rarity, unlocked_at=held.unlocked_at)


def _card(
    one: Definition, held: HeldUnlock | None, rarity: Rarity, *, is_flagged: bool, at: datetime
) -> AchievementCard:
    if is_flagged:
        icon_url = one.icon_locked_url or one.icon_url
        return AchievementCard("flagged", rarity, one.key, one.name, one.description, one.points, icon_url)
    if held is None and one.hidden:
        return AchievementCard("hidden", rarity)
    return AchievementCard(
        state="locked" if held is None else "unlocked",
        rarity=rarity,
        key=one.key,
        name=one.name,
        description=one.description,
        points=one.points if held is None else held.points,
        icon_url=one.icon_url if held else one.icon_locked_url or one.icon_url,
        unlocked_at=held.unlocked_at if held else None,
        opens_at=one.available_from if one.available_from and one.available_from > at else None,
        closed_at=one.available_until if one.available_until and one.available_until <= at else None,
    )


def _rarity(told: _Rarity) -> Rarity:
    return Rarity(told.unlocked_percent, told.players, told.tier)


def _order(card: AchievementCard) -> tuple[int, float]:
    if card.unlocked_at:
        return 0, -card.unlocked_at.timestamp()
    return (2 if card.state == "hidden" else 1), -(card.rarity.unlocked_percent or 0)


def sections(made: Sequence[AchievementCard], *, most: int) -> tuple[Section, ...]:
    """Return the cards in titled sections of at most `most`; a section without cards is left out."""
    unlocked = [card for card in made if card.unlocked_at]
    flagged = [card for card in made if card.state == "flagged"]
    locked = [card for card in made if not card.unlocked_at and card.state != "flagged"]
    parts = (
        ("Unlocked", "Newest first", unlocked),
        ("Being checked", "They count once the studio has looked at them", flagged),
        ("Still out there", "Most common first", locked),
    )
    return tuple(Section(title, order, len(some), tuple(some[:most])) for title, order, some in parts if some)


def unlock_rows(player_id: int, *, limit: int, reader_id: int | None = None) -> tuple[UnlockRow, ...]:
    """Return a player's latest unlocks across games, newest first.

    A reader other than the player (`reader_id`) sees what his friends see in their feeds: no drafts, nothing of the
    games of a studio that bans the player, and hidden ones masked until he has them himself.
    """
    if reader_id is None or reader_id == player_id:
        return _rows(unlocks.recent_unlocks(player_id, limit=limit), masked=None)
    found = circles.news([player_id], reader_id=reader_id, studio_id=None, game_id=None, limit=limit)
    return _rows(found, masked={one.achievement_id for one in found if not one.reader_has_it})


def rarest_rows(player_id: int, *, limit: int, reader_id: int, before: datetime) -> tuple[UnlockRow, ...]:
    """Return a player's unlocks that the fewest have today, the rarest first, masked for a reader as above.

    Without those of which it is too new to tell, and those that most have.
    """
    held = unlocks.rarest_unlocks(player_id, since=_EVER, before=before, game_ids=None, limit=limit)
    has = unlocks.heard_at((reader_id, one.achievement_id) for one in held) if reader_id and held else {}
    unknown = {one.achievement_id for one in held if (reader_id, one.achievement_id) not in has}
    rows = _rows(held, masked=None if reader_id == player_id else unknown)
    return tuple(row for row in rows if row.rarity.tier not in (None, _COMMON))


def _rows(held: Sequence[_Unlock], *, masked: Collection[int] | None) -> tuple[UnlockRow, ...]:
    """Return rows of unlocks; those of `masked` that are hidden are masked. None: to the player himself."""
    about = definitions.definitions_by_id((one.achievement_id for one in held), translated=False)
    rarity = definitions.rarities(about)
    games = accounts.games_by_id(one.game_id for one in held)
    return tuple(
        _row(one, definition, games[one.game_id], _rarity(rarity[one.achievement_id]), masked or ())
        for one in held
        if (definition := about.get(one.achievement_id)) is not None
        and (masked is None or definition.state != _DRAFT)
    )


def _row(
    held: _Unlock, about: Definition, game: GameInfo, rarity: Rarity, masked: Collection[int]
) -> UnlockRow:
    is_masked = about.hidden and about.id in masked
    return UnlockRow(
        game_id=game.uuid,
        game_title=game.title,
        key="" if is_masked else about.key,
        name=_HIDDEN_NAME if is_masked else about.name,
        icon_url="" if is_masked else about.icon_url,
        points=None if is_masked else held.points,
        unlocked_at=held.unlocked_at,
        rarity=rarity,
        masked=is_masked,
    )
