"""A game's achievements as one player stands to them, and a player's latest unlocks, for the pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from accounts import selectors as accounts
from achievements.selectors import definitions, unlocks
from achievements.selectors.definitions import Definition
from achievements.selectors.unlocks import HeldUnlock
from social.page_models import AchievementCard, Rarity, Section, UnlockRow

_PUBLISHED = "published"


class _Rarity(Protocol):
    """How rare an achievement is, as achievements tell it."""

    @property
    def unlocked_percent(self) -> float | None: ...
    @property
    def players(self) -> int: ...
    @property
    def tier(self) -> str | None: ...


def cards(player_id: int, game_id: int, *, at: datetime) -> list[AchievementCard]:
    """Return a card for each achievement that is published, or that the player has; unlocked ones newest first.

    Of the others the most common come first and the hidden ones last, without a word of what they are.
    """
    held = unlocks.unlocks_of(player_id, game_id=game_id)
    catalogue = definitions.fresh_catalogue(game_id)
    is_weighed = catalogue.plausibility is not None
    flagged = unlocks.flagged_of(player_id, game_id=game_id).keys() - held.keys() if is_weighed else set()
    shown = [
        one
        for one in catalogue.by_key.values()
        if one.state == _PUBLISHED or one.id in held or one.id in flagged
    ]
    rarity = definitions.rarities(one.id for one in shown)
    made = [
        _card(one, held.get(one.id), _rarity(rarity[one.id]), is_flagged=one.id in flagged, at=at)
        for one in shown
    ]
    return sorted(made, key=_order)


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
    unlocked = [card for card in made if card.state == "unlocked"]
    flagged = [card for card in made if card.state == "flagged"]
    locked = [card for card in made if card.state not in ("unlocked", "flagged")]
    parts = (
        ("Unlocked", "Newest first", unlocked),
        ("Being checked", "They count once the studio has looked at them", flagged),
        ("Still out there", "Most common first", locked),
    )
    return tuple(Section(title, order, len(some), tuple(some[:most])) for title, order, some in parts if some)


def unlock_rows(player_id: int, *, limit: int) -> tuple[UnlockRow, ...]:
    """Return a player's latest unlocks across games, newest first."""
    held = unlocks.recent_unlocks(player_id, limit=limit)
    about = definitions.definitions_by_id(one.achievement_id for one in held)
    rarity = definitions.rarities(about)
    games = accounts.games_by_id(one.game_id for one in held)
    return tuple(
        UnlockRow(
            game_id=games[one.game_id].uuid,
            game_title=games[one.game_id].title,
            key=about[one.achievement_id].key,
            name=about[one.achievement_id].name,
            icon_url=about[one.achievement_id].icon_url,
            points=one.points,
            unlocked_at=one.unlocked_at,
            rarity=_rarity(rarity[one.achievement_id]),
        )
        for one in held
    )
