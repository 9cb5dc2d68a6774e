"""What the address of a game's page asks for, and addresses that ask for something else."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import get_language_info

from accounts.visitors import Visitor
from achievements.selectors import cards
from achievements.selectors.definitions import GameCatalogue
from core import languages

VIEWS: Final = ("boards", "timeline", "friends")
ORIGINAL: Final = "original"  # the studio's own texts, where a reader's language would be taken
QUERY: Final = frozenset({"view", "show", "group", "sort", "lang", "all"})
_MOST_ACCEPTED: Final = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for; an empty text asks for nothing special.

    Attributes:
        lang: the language that the address names.
        language: the one that texts are shown in, None for the studio's own.

    """

    path: str
    view: str = ""
    show: str = ""
    group: str = ""
    sort: str = ""
    lang: str = ""
    whole: bool = False
    language: str | None = None

    @property
    def is_special(self) -> bool:
        """Say whether achievements are filtered or sorted."""
        return bool(self.show or self.group or self.sort)

    def but(self, **changes: str) -> str:
        """Return the address that asks for the same, but for `changes`; for the beginning of each list."""
        named = {
            "view": self.view,
            "show": self.show,
            "group": self.group,
            "sort": self.sort,
            "lang": self.lang,
        }
        asked = {name: value for name, value in (named | changes).items() if value}
        return f"{self.path}?{urlencode(asked)}" if asked else self.path

    @property
    def suffix(self) -> str:
        """What makes another page's address ask for the same language; empty where none is asked for."""
        return f"?{urlencode({'lang': self.lang})}" if self.lang else ""


def read(request: HttpRequest, catalogue: GameCatalogue, visitor: Visitor | None) -> Asked | None:
    """Return what is asked for; None if a value is none of those that there are."""
    get = {name: request.GET.get(name, "") for name in QUERY}
    known = known_languages(catalogue)
    try:
        lang = get["lang"] if get["lang"] in ("", ORIGINAL) else languages.normalise(get["lang"])
    except ValueError:
        return None
    language = None if lang == ORIGINAL else _nearest(lang, known)
    is_known = (
        get["view"] in ("", *VIEWS)
        and get["show"] in ("", *cards.SHOWS)
        and get["sort"] in ("", *cards.SORTS)
        and get["all"] in ("", "1")
        and (language is not None or lang in ("", ORIGINAL))
    )
    if not is_known:
        return None
    if not lang and visitor is not None:
        language = _preferred(request, visitor, known)
    return Asked(
        request.path, get["view"], get["show"], get["group"], get["sort"], lang, get["all"] == "1", language
    )


def known_languages(catalogue: GameCatalogue) -> list[str]:
    """Return the languages that any of a game's published achievements is translated into."""
    published = [one for one in catalogue.by_key.values() if one.may_be_named]
    return sorted({tag for one in published for tag, texts in one.translations.items() if texts[0]})


@dataclass(frozen=True, slots=True)
class Language:
    """A language that one may choose."""

    tag: str
    name: str
    url: str
    is_chosen: bool


def offered(catalogue: GameCatalogue, asked: Asked) -> list[Language]:
    """Return the languages that texts may be read in; none where there is only the studio's own."""
    tags = known_languages(catalogue)
    if not tags:
        return []
    own = Language("", "Original", asked.but(lang=ORIGINAL), asked.language is None)
    return [own, *(Language(tag, spoken(tag), asked.but(lang=tag), tag == asked.language) for tag in tags)]


def spoken(tag: str) -> str:
    """Return what a language is called by those who speak it; its tag where that is not known."""
    try:
        return str(get_language_info(tag.lower())["name_local"])
    except KeyError:
        return tag


def _preferred(request: HttpRequest, visitor: Visitor, known: Collection[str]) -> str | None:
    """Return the first language that there is of those a visitor reads: chosen, his account's, his browser's."""
    accepted = request.META.get("HTTP_ACCEPT_LANGUAGE", "").split(",")[:_MOST_ACCEPTED]
    for code in (
        visitor.player.language,
        visitor.user.language,
        *(one.partition(";")[0] for one in accepted),
    ):
        try:
            found = _nearest(languages.normalise(code), known) if code.strip() not in ("", "*") else None
        except ValueError:
            continue
        if found is not None:
            return found
    return None


def _nearest(tag: str, known: Collection[str]) -> str | None:
    if not tag:
        return None
    return next((code for code in languages.fallbacks(tag) if code in known), None)
