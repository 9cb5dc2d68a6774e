"""Whom an erasure is about, and finding what names him in what is kept as text (docs/adr/0047-erasure.md)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from core.db import text_array_literal

ERASED = "erased"  # in the place of what was said of somebody
_TELLING, _TELLING_UNSPACED = 3, 2  # characters
# Scripts with no space behind a name: Thai, Lao, Burmese, Khmer, Han, kana, bopomofo; hangul has its particles there.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)


def patterns(names: Iterable[str]) -> str:
    """Return an array of what LIKE takes to find texts that hold one of the names, whole or not."""
    escaped = (name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for name in names)
    return text_array_literal(f"%{name}%" for name in escaped)


def as_words(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds names as words, in any case, the longest first; of no names it finds nothing.

    A `_` ends a word, as in `unlock_765_first`; in scripts without spaces every character does.
    """
    listed = "|".join(_as_word(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(listed or r"(?!)", re.IGNORECASE)


def _as_word(name: str) -> str:
    before = "" if _UNSPACED.match(name[0]) else r"(?<![^\W_])"
    after = "" if _UNSPACED.match(name[-1]) else r"(?![^\W_])"
    return before + re.escape(name) + after


def _is_telling(name: str) -> bool:
    """Say whether a name tells something by itself; `7` or `me` may be a word about anything."""
    return len(name) >= (_TELLING_UNSPACED if _UNSPACED.match(name) else _TELLING)


@dataclass(frozen=True)
class Person:
    """A player who is being erased, with all that leads to him while that goes on.

    Attributes:
        studio_id: whose person he is.
        is_whole: no studio has him any more, so that what spans studios goes, too.
        player_ids: his internal id, and those of players who were joined to him.
        stand_ins: for each of those the nameless player whose final scores are his from now on.
        uuids: what the platform called him.
        external_ids: what the studio called him.
        texts: what was said of him: his name, his picture's address.
        near: players whom something of him was shown to, by internal id.

    """

    studio_id: int
    is_whole: bool
    player_ids: tuple[int, ...]
    stand_ins: tuple[int, ...]
    uuids: tuple[str, ...]
    external_ids: tuple[str, ...]
    texts: tuple[str, ...]
    near: tuple[int, ...] = ()

    @property
    def only_studio(self) -> int | None:
        """The studio whose rows go; None where those of all do."""
        return None if self.is_whole else self.studio_id

    @property
    def ids(self) -> tuple[str, ...]:
        """What the platform and his studio called him."""
        return (*self.uuids, *self.external_ids)

    @property
    def names(self) -> tuple[str, ...]:
        """All that he may be called by in a text."""
        return (*self.ids, *self.texts)

    @cached_property
    def strings(self) -> list[str]:
        """His ids as JSON writes them, quotes included: what a document of his studio names him by."""
        return [orjson.dumps(name).decode() for name in self.ids]

    @cached_property
    def uuid_strings(self) -> list[str]:
        """The platform's ids for him, likewise: what any other document names him by."""
        return [orjson.dumps(name).decode() for name in self.uuids]

    @cached_property
    def marks(self) -> list[str]:
        """What to look for in texts of any kind: a text without any of these does not name him."""
        return [*self.strings, *self.telling]

    @property
    def telling(self) -> list[str]:
        """Those of his names that are no everyday words."""
        return [name for name in self.names if _is_telling(name)]

    @property
    def told(self) -> list[str]:
        """What was said of him, as far as it is no everyday word."""
        return [text for text in self.texts if _is_telling(text)]

    @cached_property
    def _words(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        return as_words(filter(_is_telling, self.ids)), as_words(self.telling)

    def is_meant_by(self, text: str) -> bool:
        """Say whether a text holds one of his ids: as a string of JSON, or as a word if it is no everyday one."""
        return any(string in text for string in self.strings) or self._words[0].search(text) is not None

    def is_named_in(self, text: str) -> bool:
        """Say whether a text names him, by an id or by what was said of him, each as a word and in any case."""
        return self._words[1].search(text) is not None

    def without_him(self, value: Any) -> Any:
        """Return a JSON value with null for every object that has one of his ids, and for every string that is one."""
        if isinstance(value, dict):
            if any(value.get(name) in self.ids for name in ("id", "external_id")):
                return None
            return {name: self.without_him(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.without_him(one) for one in value]
        return None if isinstance(value, str) and value in self.ids else value


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken away of a person.

    Attributes:
        rows: how much; 0: nothing was found.
        near: players whom something of the person was shown to.

    """

    rows: int = 0
    near: frozenset[int] = frozenset()


# Takes away what a look found of a person, by its keys, inside the caller's transaction: what is his still, since rows
# may have gone. Those that came are found by the next look.
Takes = Callable[[], Taken]
