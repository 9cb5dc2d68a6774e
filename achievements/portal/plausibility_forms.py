"""What the form of a game's rules of plausibility takes."""

import json
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from achievements import plausibility
from core.forms import PortalForm
from core.texts import quoted

_SPARES = 3  # empty lines to type in
_OF_ONE = ("earliest_seconds", "progress_a_minute")  # in the order of their columns
Row = list[str]


class _Kept(forms.HiddenInput):
    """What the lines were when the page was shown."""

    def format_value(self, value: Any) -> str:
        """Return lines as JSON."""
        return value if isinstance(value, str) else json.dumps(value)


class _Lines(forms.Widget):
    """Lines of fields: a key may hold any sign, so no sign divides them."""

    use_fieldset = True

    def __init__(self, **columns: Promise) -> None:
        """Have a field in each line for each name, with its label."""
        super().__init__()
        self.columns = columns

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        """Return the lines in which anything stands."""
        columns = [[text.strip() for text in data.getlist(f"{name}-{column}")] for column in self.columns]
        return [list(row) for row in zip_longest(*columns, fillvalue="") if any(row)]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Draw the lines, and empty ones behind them."""
        rows = [*(value or []), *([[""] * len(self.columns)] * _SPARES)]
        lines = [
            [
                (f"{name}-{column}", label, text)
                for (column, label), text in zip(self.columns.items(), row, strict=True)
            ]
            for row in rows
        ]
        context = {"id": (attrs or {}).get("id", ""), "lines": lines}
        return render_to_string("portal/plausibility/lines.html", context)


class _LinesField(forms.Field):
    """A list of lines, each as long as there are columns."""

    hidden_widget = _Kept

    def __init__(self, *, widget: _Lines, **kwargs: Any) -> None:
        """Take no line at all, too."""
        super().__init__(required=False, show_hidden_initial=True, widget=widget, **kwargs)

    def to_python(self, value: Any) -> list[Row]:
        """Return lines, be they sent or what was shown. Raises ValidationError."""
        try:
            rows = json.loads(value) if isinstance(value, str) else value
            return [[str(text) for text in row] for row in rows or []]
        except (ValueError, TypeError, RecursionError):
            raise ValidationError(
                "", code="unreadable"
            ) from None  # what nobody's page showed counts as changed


class SingleField(_LinesField):
    """How early an achievement may be unlocked, and how fast one may come on."""

    def clean(self, value: Any) -> Any:
        """Read them as the API has them."""
        found = []
        for key, *told in super().clean(value):
            numbers = {name: text for name, text in zip(_OF_ONE, told, strict=True) if text}
            if not (key and numbers and all(text.isascii() and text.isdigit() for text in numbers.values())):
                raise ValidationError(
                    _(
                        "%(line)s: give an achievement's key, and whole seconds, whole steps a minute or both."
                    ),
                    params={"line": quoted(" ".join(text for text in (key, *told) if text))},
                )
            found.append({"achievement": key, **{name: int(text[:18]) for name, text in numbers.items()}})
        return _as_stored("achievements", found)


class OrderField(_LinesField):
    """What must be unlocked before what."""

    def clean(self, value: Any) -> Any:
        """Read them as the API has them."""
        found = []
        for first, then in super().clean(value):
            if not first or not then:
                raise ValidationError(
                    _("%(line)s: give both, what comes first and what comes then."),
                    params={"line": quoted(first or then)},
                )
            found.append({"first": first, "then": then})
        return _as_stored("order", found)


def _as_stored(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that can be. Raises ValidationError."""
    try:
        plausibility.CLEAN[name](rows)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    return rows


class PlausibilityForm(PortalForm):
    """A game's rules. What the sender did not touch is not written: somebody else may have, meanwhile."""

    earliest_seconds = forms.IntegerField(
        label=_("Earliest time, in seconds"),
        required=False,
        show_hidden_initial=True,
        min_value=1,
        max_value=plausibility.LONGEST_S,
        help_text=_("After the player's first session, for any achievement. Empty: no rule."),
    )
    unlocks_a_minute = forms.IntegerField(
        label=_("Unlocks a minute, at most"),
        required=False,
        show_hidden_initial=True,
        min_value=1,
        max_value=plausibility.MOST_A_MINUTE,
        help_text=_("Of one player. Empty: no rule."),
    )
    session_required = forms.BooleanField(
        label=_("A session has to be known from that time"),
        required=False,
        show_hidden_initial=True,
        help_text=_("Only for games that report sessions."),
    )
    achievements = SingleField(
        label=_("Single achievements"),
        widget=_Lines(key=_("Achievement"), seconds=_("Seconds"), steps=_("Steps a minute")),
        help_text=_(
            "How early each may be unlocked, and how much progress any minute may bring to one that counts steps of "
            "its own, or one stat up to a threshold. Either may stay empty."
        ),
    )
    order = OrderField(
        label=_("Order"),
        widget=_Lines(first=_("Comes first"), then=_("Comes then")),
    )

    @property
    def changes(self) -> dict[str, Any]:
        """What is to be changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


def initial(document: dict[str, Any]) -> dict[str, Any]:
    """Return stored rules as the form shows them."""
    times, paces = document["achievements"], document["paces"]
    return {
        **document,
        "achievements": [
            [key, str(times.get(key, "")), str(paces.get(key, ""))] for key in dict.fromkeys([*times, *paces])
        ],
    }
