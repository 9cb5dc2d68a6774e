"""What the editor previews: a card as the players' pages draw it, from whatever is typed so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from achievements.rules import Rarity

_ALMOST = 5, 7  # how far the player of the preview is


@dataclass(frozen=True, slots=True)
class Share:
    """How rare it is, with the class that carries the tier's colour."""

    unlocked_percent: float | None
    players: int
    tier: str | None
    css: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far somebody is."""

    current: int
    target: int
    percent: float


@dataclass(frozen=True, slots=True)
class Card:
    """What templates/components/achievement_card.html shows."""

    state: str
    rarity: Share
    key: str
    name: str
    description: str
    points: int
    icon_url: str
    unlocked_at: datetime
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Toast:
    """What templates/components/toast_card.html shows."""

    key: str
    icon_url: str
    css: str
    tier: str
    kind: str
    name: str
    text: str
    points: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The same achievement to three players, and its toast; `language` is empty for the default text."""

    progress: Card
    unlocked: Card
    hidden: Card
    toast: Toast
    language: str


def preview(
    values: Mapping[str, Any],
    *,
    key: str,
    game: str,
    rarity: Rarity | None,
    at: datetime,
    longest: bool = False,
) -> Preview:
    """Return how players see what is typed, right or wrong; `longest` in the language with the most letters."""
    language, name, description = _texts(values, longest=longest)
    tier = rarity.tier if rarity else None
    share = Share(
        rarity.unlocked_percent if rarity else None,
        rarity.players if rarity else 0,
        tier,
        f"tier-{tier or 'none'}",
    )
    shown: dict[str, Any] = {
        "rarity": share,
        "key": key,
        "name": name or "…",
        "description": description,
        "points": _whole(values.get("points")),
        "unlocked_at": at,
    }
    icon = _text(values.get("icon_url"))
    locked_icon = _text(values.get("icon_locked_url")) or icon
    target = _whole(values.get("target")) if values.get("type") == "incremental" else 0
    unlocked = Card(state="unlocked", icon_url=icon, progress=None, **shown)
    return Preview(
        Card(state="progress", icon_url=locked_icon, progress=_progress(target), **shown),
        unlocked,
        Card(state="hidden", icon_url="", progress=None, **shown),
        _toast(unlocked, game),
        language,
    )


def _toast(card: Card, game: str) -> Toast:
    tier = card.rarity.tier
    return Toast(
        key=card.key,
        icon_url=card.icon_url,
        css=card.rarity.css,
        tier=tier or "",
        kind=f"{tier.capitalize()} unlocked" if tier else "Unlocked",  # as static/live.js says it
        name=card.name,
        text=game,
        points=f"+{card.points:,}" if card.points else "",
    )


def _texts(values: Mapping[str, Any], *, longest: bool) -> tuple[str, str, str]:
    """Return the language ("" for the default), name and description to show."""
    own = "", _text(values.get("name")), _text(values.get("description"))
    if not longest:
        return own
    found = [
        (language, texts.get("name") or own[1], texts.get("description") or own[2])
        for language, texts in (values.get("translations") or {}).items()
    ]
    return max([own, *found], key=lambda one: len(one[1]) + len(one[2]))


def _progress(target: int) -> Progress | None:
    if target < 2:
        return None
    current = max(1, target * _ALMOST[0] // _ALMOST[1])
    return Progress(current, target, 100 * current / target)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 + 1 else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
