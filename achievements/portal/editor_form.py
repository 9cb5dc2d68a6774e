"""The editor's form: a flat document shown as fields, and what was typed as the API takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext

from achievements import rules
from achievements.documents import TRANSLATIONS, Flat, unflat
from achievements.portal import goal_rows
from achievements.portal.editor_fields import EditorFields
from achievements.portal.goal_rows import Row
from achievements.portal.numbers import number, number_text, time, time_text
from achievements.portal.prerequisites import Choice, choices
from achievements.selectors.definitions import Definition
from core.refusals import Refused

_MOST_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Translation:
    """A language's texts, as they are typed."""

    language: str
    name: str = ""
    description: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether both texts are there."""
        return bool(self.name.strip() and self.description.strip())


class EditorForm(EditorFields):
    """The fields, and all that comes in rows: translations, conditions and what is asked for."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        began: Flat,
        stats: Sequence[str] = (),
        catalogue: Mapping[str, Definition],
        of: Definition | None = None,
    ) -> None:
        """Show a flat document of a definition, None for a new one; `stats` are what may be counted."""
        super().__init__(data, initial=_typed(began))
        self._began = began
        self._goal = goal_rows.shown(began.get("stat"), began.get("goal"))
        self._catalogue, self._of = catalogue, of
        if of is not None:
            del self.fields["key"]
        named = [began.get("stat"), *(row.stat for row in self.rows)]
        self.stats = list(dict.fromkeys([*stats, *(one for one in named if one)]))
        stat: Any = self.fields["stat"].widget
        stat.choices = [("", "–"), *((key, key) for key in self.stats)]

    @property
    def rows(self) -> list[Row]:
        """The conditions, with empty ones to type in."""
        if not isinstance(self.data, QueryDict):
            return goal_rows.with_spares(self._goal.rows)
        return goal_rows.with_spares([row for row in self._sent_rows() if not row.is_empty])

    @property
    def translations(self) -> list[Translation]:
        """Every language of the achievement, then those that others of the game have."""
        found = {one.language: one for one in self._sent_translations()} if self.is_bound else self._held()
        for language in {tag for one in self._catalogue.values() for tag in one.translations}:
            found.setdefault(language, Translation(language))
        return sorted(found.values(), key=lambda one: one.language)

    @property
    def prerequisites(self) -> list[Choice]:
        """Every achievement that may be asked for, those that are chosen first."""
        chosen = self._requires() if self.is_bound else self._began.get("requires", [])
        return choices(self._of, chosen, self._catalogue)

    @property
    def added(self) -> list[Translation]:
        """Languages that are being added, and where there is none, an empty one to type in."""
        return self._sent_added() or [Translation("")]

    @property
    def coverage(self) -> tuple[int, int]:
        """How many languages are complete, of how many."""
        listed = self.translations
        return sum(one.is_complete for one in listed), len(listed)

    @property
    def first_error(self) -> str:
        """What is wrong first, with the field's name; empty if nothing is."""
        name, found = next(iter(self.errors.items()), ("", []))
        return f"{self[name].label}: {found[0]}" if name in self.fields else str(next(iter(found), ""))

    def values(self) -> dict[str, Any]:
        """Return all edited fields as the API takes them; of what nobody touched, what was there.

        Raises:
            ValueError: what can't even be said to the API.

        """
        return self._plain() | self._way() | {TRANSLATIONS: self._translations()}

    def values_so_far(self) -> dict[str, Any]:
        """Return what can be said of what is typed, right or wrong, for a preview."""
        texts = {
            one.language: {"name": one.name, "description": one.description} for one in self.translations
        }
        typed = {"type": self._text("type"), "target": number(self._text("target")), TRANSLATIONS: texts}
        return self._plain() | typed

    def _plain(self) -> dict[str, Any]:
        whole, was = unflat(self._began), _typed(self._began)
        values: dict[str, Any] = {"hidden": bool(self.data.get("hidden"))}
        for name, read in _PLAIN.items():
            typed = self._text(name)
            values[name] = whole[name] if typed == was[name] else read(typed)
        return values

    def refuse(self, refused: Refused) -> None:
        """Show a refusal of a service at the fields that it names."""
        for error in refused.errors:
            name = error["pointer"].strip("/").partition("/")[0]
            field = self._field_of(name)
            self.add_error(field, error["detail"])
        if not refused.errors:
            super().refuse(refused)

    def _field_of(self, name: str) -> str | None:
        if name == "goal":
            return "written" if self._text("driven") == "written" else "driven"
        return name if name in self.fields else None

    def _way(self) -> dict[str, Any]:
        """Return how it is unlocked; what belongs to another type was not meant."""
        kind, driven = self._text("type"), self._text("driven")
        way: dict[str, Any] = {
            "type": kind,
            "target": None,
            "stat": None,
            "goal": None,
            "requires": [],
            "requires_count": None,
        }
        if kind == "meta":
            return way | {
                "requires": self._requires(),
                "requires_count": number(self._text("requires_count")),
            }
        if kind == "incremental" and driven in ("all", "any", "sum", "written"):
            bound = self._text("sum_bound")
            goal = goal_rows.read(
                driven,
                self._sent_rows(),
                bound=bound if bound == "at_most" else "at_least",
                threshold=self._text("sum_threshold"),
                written=self._text("written"),
            )
            return way | {"goal": goal}
        if kind == "incremental":
            stat = self._text("stat") if driven == "stat" else None
            return way | {"target": number(self._text("target")), "stat": stat}
        return way

    def _requires(self) -> list[str]:
        """Return what is chosen: what was there before in its order, then what came."""
        keys = dict.fromkeys(key for key in self._list("requires") if key)
        before = [key for key in self._began.get("requires", []) if key in keys]
        return [*before, *(key for key in keys if key not in before)]

    def _translations(self) -> dict[str, dict[str, str]]:
        """Return the texts that are there. Raises ValueError for a language that is there twice."""
        found: dict[str, dict[str, str]] = {}
        removed = set(self.data.getlist("remove"))  # type: ignore[attr-defined]
        for one in (*self._sent_translations(), *self._sent_added()):
            texts = {"name": one.name, "description": one.description}
            texts = {name: text for name, text in texts.items() if text.strip()}
            if one.language in removed or not texts:
                continue
            if one.language in found:
                told = gettext("The language %(language)s is there already: change its texts.")
                raise ValueError(told % {"language": one.language})
            found[one.language] = texts
        return found

    def _sent_translations(self) -> list[Translation]:
        columns = [self._list(name) for name in ("language", "translated_name", "translated_description")]
        return [Translation(*row) for row in zip(*columns, strict=False)][: rules.MAX_TRANSLATIONS + 1]

    def _sent_added(self) -> list[Translation]:
        columns = [self._list(f"new_{name}") for name in ("language", "name", "description")]
        rows = list(zip(*columns, strict=False))[: rules.MAX_TRANSLATIONS + 1]
        return [Translation(*row) for row in rows if any(row)]

    def _held(self) -> dict[str, Translation]:
        return {
            language: Translation(language, texts.get("name", ""), texts.get("description", ""))
            for language, texts in unflat(self._began)[TRANSLATIONS].items()
        }

    def _sent_rows(self) -> list[Row]:
        columns = [self._list(f"goal_{name}") for name in ("stat", "bound", "threshold", "factor")]
        rows = zip(*columns, strict=False)
        return [
            Row(stat, bound if bound == "at_most" else "at_least", threshold, factor)
            for stat, bound, threshold, factor in list(rows)[:_MOST_ROWS]
        ]

    def _list(self, name: str) -> list[str]:
        return [_lines(text) for text in self.data.getlist(name)] if isinstance(self.data, QueryDict) else []

    def _text(self, name: str) -> str:
        return _lines(str(self.data.get(name, "")))


def _typed(of: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flat document as the form's fields show it."""
    goal = goal_rows.shown(of.get("stat"), of.get("goal"))
    texts = ("name", "description", "group", "icon_url", "icon_locked_url", "stat")
    counts = ("points", "target", "requires_count")
    return {
        **{name: _lines(of.get(name) or "") for name in texts},
        **{name: "" if of.get(name) is None else number_text(of[name]) for name in counts},
        **{name: time_text(of.get(name)) for name in ("available_from", "available_until")},
        "hidden": bool(of.get("hidden")),
        "authority": of.get("authority", "server"),
        "type": of.get("type", "standard"),
        "driven": goal.driven,
        "sum_bound": goal.bound,
        "sum_threshold": goal.threshold,
        "written": goal.written,
    }


def _lines(text: str) -> str:
    """Return text with line ends as they are stored: browsers send two characters for each."""
    return text.replace("\r\n", "\n")


def _as_is(text: str) -> str:
    return text


_PLAIN: Final = {
    "name": _as_is,
    "description": _as_is,
    "points": number,
    "group": _as_is,
    "authority": _as_is,
    "icon_url": _as_is,
    "icon_locked_url": _as_is,
    "available_from": time,
    "available_until": time,
}
