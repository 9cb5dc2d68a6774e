"""What single stores ask for. Only figures that a store or the press has published; each function names its source."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from achievements.linting.anywhere import doubles
from achievements.linting.findings import Entry, Finding
from achievements.linting.findings import gettext_noop as _

_TOTAL: Final = 1_000  # of Xbox, Google Play and Epic alike
_BASE: Final = "base"


def xbox(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Look at what Xbox asks for.

    Source: descriptions of 100 characters: learn.microsoft.com, GDK, "Configuring title-managed Achievements in Partner
    Center". 1,000 gamerscore in the game without its add-ons: TrueAchievements, "What are Xbox achievements?",
    since Microsoft tells its partners only.
    """
    yield from _too_long(entries, "xbox", name=None, description=100)
    base = [one for one in entries if one.group == _BASE]
    total = sum(one.points for one in base)
    if base and total != _TOTAL:
        text = _(
            "The base game's points add up to %(total)s, Xbox has %(wanted)s gamerscore for it: move points until"
            " they do."
        )
        yield Finding(
            "points-total",
            "warning",
            text,
            {"total": f"{total:,}", "wanted": f"{_TOTAL:,}"},
            stores=("xbox",),
        )


_GOOGLE_LARGEST, _GOOGLE_STEP = 200, 5
_GOOGLE_LEAST, _GOOGLE_EASY, _GOOGLE_EASY_PERCENT = 10, 4, 20
_GOOGLE_STEPS = (2, 10_000)


def google_play(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Look at what Google Play asks for.

    An hour of play is not known here: what a fifth of all players have is taken for what can be reached in it.

    Source: developer.android.com/games/pgs/achievements: attributes, points, incremental achievements, and the baseline
    of "Design high quality achievements".
    """
    store = ("google-play",)
    yield from _too_long(entries, "google-play", name=100, description=500)
    yield from _google_points(entries)
    low, high = _GOOGLE_STEPS
    keys = tuple(one.key for one in entries if one.target is not None and not low <= one.target <= high)
    if keys:
        text = _(
            "Google Play takes %(low)s to 10,000 steps: give it another target, or make it a standard one."
        )
        yield Finding("steps", "error", text, {"low": low}, keys, store)
    if 0 < len(entries) < _GOOGLE_LEAST:
        text = _("There are %(count)s achievements, Google Play asks for %(least)s at least: add some.")
        yield Finding(
            "too-few", "warning", text, {"count": len(entries), "least": _GOOGLE_LEAST}, stores=store
        )
    yield from _google_beginnings(entries)
    for text, keys in doubles((one.description, one.key) for one in entries):
        told = _("More than one is described as “%(text)s”: say of each what is special about it.")
        yield Finding("duplicate-description", "warning", told, {"text": text[:80]}, keys, store)
    for _url, keys in doubles((one.icon, one.key) for one in entries):
        told = _("They show the same icon, Google Play asks for one each: draw others.")
        yield Finding("duplicate-icon", "warning", told, {}, keys, store)


def _google_points(entries: Sequence[Entry]) -> Iterator[Finding]:
    store = ("google-play",)
    keys = tuple(one.key for one in entries if one.points % _GOOGLE_STEP)
    if keys:
        text = _("The points are no multiple of 5, as Google Play asks: round them.")
        yield Finding("points-step", "error", text, keys=keys, stores=store)
    keys = tuple(one.key for one in entries if one.points > _GOOGLE_LARGEST)
    if keys:
        text = _("It has more than %(most)s points, the most that Google Play takes for one: give it fewer.")
        yield Finding("points-each", "error", text, {"most": _GOOGLE_LARGEST}, keys, store)
    total = sum(one.points for one in entries)
    if total > _TOTAL:
        text = _("The points add up to %(total)s, Google Play takes %(most)s at most: lower some.")
        yield Finding(
            "points-total", "error", text, {"total": f"{total:,}", "most": f"{_TOTAL:,}"}, stores=store
        )


def _google_beginnings(entries: Sequence[Entry]) -> Iterator[Finding]:
    known = [one.unlocked_percent for one in entries if one.unlocked_percent is not None]
    easy = sum(percent >= _GOOGLE_EASY_PERCENT for percent in known)
    if len(known) >= _GOOGLE_EASY and easy < _GOOGLE_EASY:
        values = {"easy": easy, "percent": _GOOGLE_EASY_PERCENT, "least": _GOOGLE_EASY}
        text = _(
            "%(easy)s are held by %(percent)s%% of players or more, Google Play asks for %(least)s that everybody gets"
            " in the first hour: add early ones."
        )
        yield Finding("few-easy-ones", "warning", text, values, stores=("google-play",))


_STEAM_LIMITED: Final = 100
_STEAM_KEY_BYTES: Final = 127


def steam(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Look at what Steam asks for; it has no points, and publishes no length of texts.

    Source: 100 achievements until a game has earned its trust: polygon.com and kotaku.com, 16 June 2018, on Valve's
    post to its partners. The key's length: `k_cchStatNameMax` of the Steamworks SDK's isteamuserstats.h, with its end.
    """
    if len(entries) > _STEAM_LIMITED:
        values = {"count": len(entries), "most": _STEAM_LIMITED}
        text = _(
            "There are %(count)s achievements, Steam takes %(most)s until a new game has sold enough: begin with those,"
            " and add the others later."
        )
        yield Finding("too-many", "warning", text, values, stores=("steam",))
    keys = tuple(one.key for one in entries if len(one.key.encode()) > _STEAM_KEY_BYTES)
    if keys:
        text = _(
            "The key has more than %(most)s bytes, the most of Steam's API names: use a shorter one there."
        )
        yield Finding("key-too-long", "error", text, {"most": _STEAM_KEY_BYTES}, keys, ("steam",))


_EPIC_LEAST, _EPIC_LARGEST = 5, 200


def epic(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Look at what the Epic Games Store asks for; a length of texts is not published.

    Source: dev.epicgames.com/en-US/news/adding-achievements-to-your-game: 5 to 200 XP each, 1,000 in all.
    """
    keys = tuple(one.key for one in entries if not _EPIC_LEAST <= one.points <= _EPIC_LARGEST)
    if keys:
        values = {"least": _EPIC_LEAST, "most": _EPIC_LARGEST}
        text = _("Epic takes %(least)s to %(most)s XP for each: change its points.")
        yield Finding("points-each", "error", text, values, keys, ("epic",))
    total = sum(one.points for one in entries)
    if entries and total != _TOTAL:
        text = _("The points add up to %(total)s, Epic asks for %(wanted)s XP: move points until they do.")
        yield Finding(
            "points-total",
            "warning",
            text,
            {"total": f"{total:,}", "wanted": f"{_TOTAL:,}"},
            stores=("epic",),
        )


def _too_long(
    entries: Sequence[Entry], store: str, *, name: int | None, description: int
) -> Iterator[Finding]:
    """Find texts that a store cuts off or refuses, in any language."""
    if name is not None:
        text = _("A name has more than %(most)s characters (%(longest)s in %(language)s): shorten it.")
        yield from _longer(entries, store, 0, name, "name-too-long", text)
    text = _("A description has more than %(most)s characters (%(longest)s in %(language)s): shorten it.")
    yield from _longer(entries, store, 1, description, "description-too-long", text)


def _longer(
    entries: Sequence[Entry], store: str, which: int, most: int, rule: str, text: str
) -> Iterator[Finding]:
    lengths = [
        (len(both[which]), language or "the game's language", one.key)
        for one in entries
        for language, both in one.texts.items()
        if len(both[which]) > most
    ]
    if lengths:
        longest, language, _key = max(lengths, key=lambda one: one[0])
        values = {"most": most, "longest": longest, "language": language}
        keys = tuple(dict.fromkeys(key for _length, _language, key in lengths))
        yield Finding(rule, "error", text, values, keys, (store,))


OF: Final[Mapping[str, Callable[[Sequence[Entry]], Iterator[Finding]]]] = {
    "xbox": xbox,
    "google-play": google_play,
    "steam": steam,
    "epic": epic,
}
