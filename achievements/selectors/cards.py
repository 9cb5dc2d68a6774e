"""A game's achievements as pages show them: to anybody, or as somebody stands to them.

What is hidden, and not unlocked by who looks, is a card without key, texts, icon, points, group or address.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.urls import reverse

from achievements import rules
from achievements.selectors import definitions, progress, unlocks
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.selectors.unlocks import HeldUnlock
from core import languages
from core.ids import parse_id

# "plain" stands to nobody in particular.
CardState = Literal["unlocked", "progress", "locked", "hidden", "flagged", "plain"]

SHOWS: Final = ("unlocked", "progress", "locked", "hidden")
SORTS: Final = ("rarity", "points", "newest", "nearest")
NEAR_PERCENT: Final = 50.0  # from here on it is almost somebody's
MOST_NEAR: Final = 6
_DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Rarity:
    """How many players hold an achievement; percent and tier are None while it is too new to tell."""

    unlocked_percent: float | None
    players: int
    tier: str | None
    unlocked: int = 0

    @property
    def css(self) -> str:
        """The class that carries the tier's colour."""
        return f"tier-{self.tier or 'none'}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a player is on the way to an achievement with steps."""

    current: int
    target: int

    @property
    def percent(self) -> float:
        """The share that is done, 0 to 100."""
        return 100 * min(self.current, self.target) / self.target

    @property
    def to_go(self) -> int:
        """Steps that are left."""
        return max(0, self.target - self.current)


@dataclass(frozen=True, slots=True)
class AchievementCard:
    """One achievement as one reader sees it; a hidden one has neither key, texts, icon, points, group nor address.

    Attributes:
        opens_at, closed_at: set while a locked one can't be unlocked: its window is yet to come, or over.
        name_language, text_language: what the texts were translated to (BCP 47); empty for the studio's own.
        place: where it stands among those of its game by when they were added.

    """

    state: CardState
    rarity: Rarity
    key: str = ""
    name: str = ""
    description: str = ""
    points: int = 0
    icon_url: str = ""
    unlocked_at: datetime | None = None
    opens_at: datetime | None = None
    closed_at: datetime | None = None
    progress: Progress | None = None
    name_language: str = ""
    text_language: str = ""
    group: str = ""
    place: int = 0
    url: str = ""

    @property
    def is_near(self) -> bool:
        """Say whether little is missing, of what can be unlocked now."""
        is_open = self.opens_at is None and self.closed_at is None
        return self.progress is not None and is_open and self.progress.percent >= NEAR_PERCENT


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a game's achievements; `total` counts those that are cut off too."""

    title: str
    order: str
    total: int
    cards: tuple[AchievementCard, ...]

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return self.total - len(self.cards)


@dataclass(frozen=True, slots=True)
class Holding:
    """What somebody has of a game's achievements; nothing, of nobody in particular.

    Attributes:
        known: which hidden ones the reader may see, as he has unlocked them himself.
        standing: how far he is; None where that is nobody's business.

    """

    held: Mapping[int, HeldUnlock] = field(default_factory=dict)
    flagged: Collection[int] = frozenset()
    known: Collection[int] = frozenset()
    standing: progress.Standing | None = None


NOBODY: Final = Holding()


def own(player_id: int, catalogue: GameCatalogue) -> Holding:
    """Return what somebody has who looks himself, in six queries at most."""
    held = unlocks.unlocks_of(player_id, game_id=catalogue.game_id)
    flagged: Collection[int] = ()
    if catalogue.plausibility is not None:
        flagged = unlocks.flagged_of(player_id, game_id=catalogue.game_id).keys() - held.keys()
    standing = progress.standing(player_id, catalogue, catalogue.by_key.values())
    return Holding(held, flagged, held.keys() | set(flagged), standing)


def others(player_id: int, catalogue: GameCatalogue, *, reader_id: int | None) -> Holding:
    """Return what somebody has whom another one looks at: no drafts, not how far he is or what is checked."""
    drafts = {one.id for one in catalogue.by_key.values() if one.state == _DRAFT}
    every = unlocks.unlocks_of(player_id, game_id=catalogue.game_id)
    held = {pk: one for pk, one in every.items() if pk not in drafts}
    known = unlocks.unlocks_of(reader_id, game_id=catalogue.game_id) if reader_id is not None else {}
    return Holding(held, known=known.keys())


def is_masked(one: Definition, holding: Holding) -> bool:
    """Say whether nothing may be told of an achievement but that there is a hidden one."""
    return one.hidden and one.id not in holding.known


def cards(
    catalogue: GameCatalogue, holding: Holding, *, game: UUID, language: str | None = None, at: datetime
) -> list[AchievementCard]:
    """Return a card for each achievement that is published, or that the player has; unlocked ones newest first.

    Of the others the most common come first and the hidden ones last. `language` as `definitions` hold it.
    """
    shown = [
        one
        for one in catalogue.by_key.values()
        if one.is_published or one.id in holding.held or one.id in holding.flagged
    ]
    rarity = definitions.rarities(one.id for one in shown)
    made = [
        _card(one, catalogue, holding, told(rarity[one.id]), game=game, language=language, at=at)
        for one in shown
    ]
    return sorted(made, key=_by_section)


def card(
    one: Definition,
    catalogue: GameCatalogue,
    holding: Holding,
    *,
    game: UUID,
    language: str | None = None,
    at: datetime,
) -> AchievementCard:
    """Return the card of one achievement that the reader may see, in one query."""
    rarity = told(definitions.rarities([one.id])[one.id])
    return _card(one, catalogue, holding, rarity, game=game, language=language, at=at)


def told(rarity: rules.Rarity) -> Rarity:
    """Return how rare an achievement is, as pages show it."""
    return Rarity(rarity.unlocked_percent, rarity.players, rarity.tier, rarity.unlocked)


def address(game: UUID, one: Definition) -> str:
    """Return the address of an achievement's page.

    Browsers and proxies change paths with empty parts or dots for parts: there the id stands for the key.
    """
    return reverse("achievement-page", args=[game, one.key if _is_plain(one.key) else str(one.uuid)])


def address_by_key(game: UUID, key: str) -> str:
    """Return the address of the page of an achievement of which only the key is known.

    Of one whose key can stand in no address that is its game's page.
    """
    return (
        reverse("achievement-page", args=[game, key]) if _is_plain(key) else reverse("game-page", args=[game])
    )


def _is_plain(key: str) -> bool:
    return not {"", ".", ".."} & set(key.split("/")) and parse_id(key) is None


def named(catalogue: GameCatalogue, key: str) -> Definition | None:
    """Return the achievement that an address names: by its key, or by its id."""
    found = catalogue.by_key.get(key)
    uuid = parse_id(key) if found is None else None
    if uuid is not None:
        found = next((one for one in catalogue.by_key.values() if one.uuid == uuid), None)
    return found


@dataclass(frozen=True, slots=True)
class Texts:
    """Name and description, each with the language that it was translated to; empty for the studio's own."""

    name: str
    name_language: str
    description: str
    text_language: str


def texts(one: Definition, language: str | None) -> Texts:
    """Return an achievement's texts in a language, or the nearest that there is."""
    name = text = ("", "")
    for code in languages.fallbacks(language) if language else ():
        translated = one.translations.get(code, ("", ""))
        name = name if name[0] else (translated[0], code)
        text = text if text[0] else (translated[1], code)
    name = name if name[0] else (one.name, "")
    text = text if text[0] else (one.description, "")
    return Texts(*name, *text)


def _card(
    one: Definition,
    catalogue: GameCatalogue,
    holding: Holding,
    rarity: Rarity,
    *,
    game: UUID,
    language: str | None,
    at: datetime,
) -> AchievementCard:
    held = holding.held.get(one.id)
    unlocked_at = held.unlocked_at if held else None
    if is_masked(one, holding):
        return AchievementCard("hidden", rarity, unlocked_at=unlocked_at)
    said = texts(one, language)
    way = _way(one, catalogue, holding) if held is None else None
    is_flagged = held is None and one.id in holding.flagged
    return AchievementCard(
        state=_state(holding, held, way, is_flagged=is_flagged),
        rarity=rarity,
        key=one.key,
        name=said.name,
        description=said.description,
        points=one.points if held is None else held.points,
        icon_url=one.icon_url if held or holding is NOBODY else one.icon_locked_url or one.icon_url,
        unlocked_at=unlocked_at,
        opens_at=one.available_from if one.available_from and one.available_from > at else None,
        closed_at=one.available_until if one.available_until and one.available_until <= at else None,
        progress=None if is_flagged else way,
        name_language=said.name_language,
        text_language=said.text_language,
        group=one.group,
        place=one.id,
        url=address(game, one),
    )


def _state(holding: Holding, held: HeldUnlock | None, way: Progress | None, *, is_flagged: bool) -> CardState:
    if holding is NOBODY:
        return "plain"
    return "unlocked" if held else "flagged" if is_flagged else "progress" if way else "locked"


def _way(one: Definition, catalogue: GameCatalogue, holding: Holding) -> Progress | None:
    """Return how far somebody is who has begun."""
    if holding.standing is None or not one.is_incremental:
        return None
    current, target = progress.steps(holding.standing, one, catalogue.goals.get(one.id), unlocked=False)
    return Progress(current, target) if current > 0 and target > 0 else None


def _by_section(card: AchievementCard) -> tuple[int, float]:
    if card.unlocked_at:
        return 0, -card.unlocked_at.timestamp()
    return (2 if card.state == "hidden" else 1), -(card.rarity.unlocked_percent or 0)


def sections(made: Sequence[AchievementCard], *, most: int, is_own: bool = True) -> tuple[Section, ...]:
    """Return the cards in titled sections of at most `most`; a section without cards is left out.

    Of nobody in particular there is one section, in the order in which `cards` returns them.
    """
    if not is_own:
        return _titled([("Achievements", "Most common first", made)], most)
    near = sorted((card for card in made if card.is_near), key=_nearest)[:MOST_NEAR]
    is_taken = {card.key for card in near}
    locked = [card for card in made if card.unlocked_at is None and card.state != "flagged"]
    parts = (
        ("Almost yours", "Nearest first", near),
        ("Unlocked", "Newest first", [card for card in made if card.unlocked_at is not None]),
        (
            "Being checked",
            "They count once the studio has looked at them",
            [card for card in made if card.state == "flagged"],
        ),
        (
            "Still out there",
            "Most common first",
            [card for card in locked if not card.key or card.key not in is_taken],
        ),
    )
    return _titled(parts, most)


def _titled(parts: Iterable[tuple[str, str, Sequence[AchievementCard]]], most: int) -> tuple[Section, ...]:
    return tuple(Section(title, order, len(some), tuple(some[:most])) for title, order, some in parts if some)


def chosen(made: Sequence[AchievementCard], show: str, group: str) -> list[AchievementCard]:
    """Return the cards of a kind (one of SHOWS, or empty for all) and of a group, or of all."""
    return [card for card in made if (not show or _is(card, show)) and (not group or card.group == group)]


def counted(made: Sequence[AchievementCard]) -> dict[str, int]:
    """Return how many cards of each kind there are."""
    return {show: sum(_is(card, show) for card in made) for show in SHOWS}


def groups(made: Sequence[AchievementCard]) -> list[str]:
    """Return the groups that may be told, in the order of the definitions' ids."""
    ordered = sorted(made, key=lambda card: card.place)
    return list(dict.fromkeys(card.group for card in ordered if card.group))


def _is(card: AchievementCard, show: str) -> bool:
    if show == "unlocked":
        return card.unlocked_at is not None
    if show == "locked":
        return card.unlocked_at is None and card.state in ("locked", "progress", "flagged")
    return card.state == show and card.unlocked_at is None


def in_order(made: Sequence[AchievementCard], sort: str) -> list[AchievementCard]:
    """Return the cards by one of SORTS; hidden ones last, whatever they are worth: their place must tell nothing."""
    orders = {
        "rarity": lambda card: (
            card.rarity.unlocked_percent is None,
            card.rarity.unlocked_percent or 0,
            card.rarity.unlocked,
        ),
        "points": lambda card: -card.points,
        "newest": lambda card: (
            card.unlocked_at is None,
            -card.unlocked_at.timestamp() if card.unlocked_at else -card.place,
        ),
        "nearest": lambda card: (card.unlocked_at is not None, card.progress is None, *_nearest(card)),
    }
    ordered = sorted(made, key=orders[sort]) if sort else list(made)
    return sorted(ordered, key=lambda card: card.state == "hidden")


def _nearest(card: AchievementCard) -> tuple[float, int]:
    return (-card.progress.percent, card.progress.to_go) if card.progress else (0.0, 0)
