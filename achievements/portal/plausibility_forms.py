"""What the form of a game's rules of plausibility takes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from achievements import plausibility
from core.forms import PortalForm
from core.texts import quoted

ARROW = "->"


class _Lines(forms.CharField):
    """A rule a line; empty lines are none."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def __init__(self, **kwargs: Any) -> None:
        """Take as many lines as there may be rules."""
        most = plausibility.MOST_LINES * 300
        super().__init__(required=False, show_hidden_initial=True, max_length=most, **kwargs)

    def lines(self, value: Any) -> list[str]:
        """Return what stands in the field, line by line."""
        text = super().clean(value)
        return [line.strip() for line in text.splitlines() if line.strip()]


class TimesField(_Lines):
    """`key = seconds` a line."""

    def clean(self, value: Any) -> Any:
        """Read them as the API has them."""
        found = []
        for line in self.lines(value):
            key, sign, seconds = line.rpartition("=")
            if not sign or not (seconds.strip().isascii() and seconds.strip().isdigit()):
                raise ValidationError(
                    _("%(line)s: write a key, an equals sign and whole seconds."),
                    params={"line": quoted(line)},
                )
            found.append({"achievement": key.strip(), "earliest_seconds": int(seconds.strip()[:18])})
        return _as_stored("achievements", found)


class OrderField(_Lines):
    """`first -> then` a line."""

    def clean(self, value: Any) -> Any:
        """Read them as the API has them."""
        found = []
        for line in self.lines(value):
            first, sign, then = line.replace("→", ARROW).partition(ARROW)
            if not sign or not first.strip() or not then.strip():
                raise ValidationError(
                    _("%(line)s: write what comes first, an arrow -> and what comes then."),
                    params={"line": quoted(line)},
                )
            found.append({"first": first.strip(), "then": then.strip()})
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
    achievements = TimesField(
        label=_("Earliest time of single achievements"),
        help_text=_("One a line, in seconds, such as <code>finale = 1800</code>."),
    )
    order = OrderField(
        label=_("Order"),
        help_text=_(
            "One a line: what must be unlocked before what, such as <code>prologue -> finale</code>."
        ),
    )

    @property
    def changes(self) -> dict[str, Any]:
        """What is to be changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


def initial(document: dict[str, Any]) -> dict[str, Any]:
    """Return stored rules as the form shows them."""
    return {
        **document,
        "achievements": "\n".join(f"{key} = {seconds}" for key, seconds in document["achievements"].items()),
        "order": "\n".join(f"{first} {ARROW} {then}" for first, then in document["order"]),
    }
