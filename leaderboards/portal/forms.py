"""What the forms of leaderboards take. What a value may be is said by the rules of boards, for every door."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.audit import LONGEST_REASON
from core.clock import rfc3339
from core.forms import PortalForm
from core.number_field import NumberField
from core.refusals import Refused
from core.strict_json import loads
from core.texts import KEY_LENGTH, NAME_LENGTH
from leaderboards.portal import words
from leaderboards.rules.definitions import FIXED_BY_SCORES
from leaderboards.rules.periods import EXTRA_SPANS
from leaderboards.rules.showing import EXAMPLE
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services.definitions import as_values

_LOCAL = "%Y-%m-%dT%H:%M"


def _choices(told: words.Told) -> list[tuple[str, Promise | str]]:
    return [
        (
            value,
            format_html('<span><b>{}</b><br><span class="secondary muted">{}</span></span>', label, sentence),
        )
        for value, (label, sentence) in told.items()
    ]


def _ties() -> list[tuple[str, Promise | str]]:
    """Return the tie rules, each with what becomes of four scores."""
    scores = ", ".join(map(str, EXAMPLE))
    return [
        (
            rule,
            format_html(
                '<span><b>{}</b> <span class="tie-example num">{}</span><br>'
                '<span class="secondary muted">{}</span></span>',
                label,
                f"{scores} → {words.EXAMPLES[rule]}",
                sentence,
            ),
        )
        for rule, (label, sentence) in words.TIES.items()
    ]


class _Radio(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.RadioSelect, show_hidden_initial=True, **kwargs)


class _Moment(forms.DateTimeField):
    """A time in UTC, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL)
        super().__init__(widget=widget, required=False, show_hidden_initial=True, **kwargs)


class MetadataField(forms.CharField):
    """An object as JSON; nothing is an empty one."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        """Read it."""
        if isinstance(value, Mapping):
            return dict(value)
        text = super().to_python(value)
        try:
            return loads(text.encode(), exact=True) if text else {}
        except Refused as refused:
            raise ValidationError(refused.detail, code="no_json") from None

    def prepare_value(self, value: Any) -> Any:
        """Write it."""
        if isinstance(value, Mapping):
            return json.dumps(value, ensure_ascii=False, indent=2, default=float) if value else ""
        return value


class BoardForm(PortalForm):
    """A board's fields. What the sender did not touch is not written: somebody else may have, meanwhile."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, show_hidden_initial=True)
    sort = _Radio(label=_("Which score is first"), choices=_choices(words.SORTS), initial="desc")
    operator = _Radio(
        label=_("What a submission makes of the score before it"),
        choices=_choices(words.OPERATORS),
        initial="best",
    )
    format = _Radio(label=_("How a score is written"), choices=_choices(words.FORMATS), initial="number")
    decimals = forms.IntegerField(
        label=_("Decimals that are kept"),
        initial=0,
        show_hidden_initial=True,
        help_text=_("0 to 6. With 3, a score of 81.2345 is refused, not rounded."),
    )
    authority = _Radio(label=_("Who submits"), choices=_choices(words.AUTHORITIES), initial="server")
    stat = forms.ChoiceField(
        label=_("Fed by a stat"),
        required=False,
        show_hidden_initial=True,
        help_text=_("From then on what players report of it counts here, and nobody submits scores."),
    )
    tie_break = _Radio(label=_("Equal scores"), choices=_ties(), initial="shared")
    reset = _Radio(label=_("When it begins anew"), choices=_choices(words.RESETS), initial="never")
    cron = forms.CharField(
        label=_("Cron expression"),
        required=False,
        show_hidden_initial=True,
        help_text=_("Five fields. 0 18 * * 5 is every Friday at 18:00. Only with the choice above."),
    )
    time_zone = forms.CharField(
        label=_("Time zone of resets"),
        initial="UTC",
        show_hidden_initial=True,
        help_text=_("By its name in the IANA database, such as Europe/Berlin."),
    )
    spans = forms.MultipleChoiceField(
        label=_("Kept beside it"),
        required=False,
        show_hidden_initial=True,
        choices=[(span, words.SPANS[span]) for span in EXTRA_SPANS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each score counts in these, too, so that a weekly board can also show all time."),
    )
    attempts_limit = forms.IntegerField(
        label=_("Submissions of a player in a period"),
        required=False,
        show_hidden_initial=True,
        help_text=_("Empty: any number."),
    )
    min_score = NumberField(
        label=_("Lowest score"),
        required=False,
        show_hidden_initial=True,
        help_text=_("What is lower is refused."),
    )
    max_score = NumberField(
        label=_("Highest score"),
        required=False,
        show_hidden_initial=True,
        help_text=_("What is higher is refused."),
    )
    starts_at = _Moment(label=_("Takes scores from (UTC)"))
    ends_at = _Moment(label=_("Takes scores until (UTC)"))
    metadata = MetadataField(
        label=_("Your own data"),
        required=False,
        show_hidden_initial=True,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text=_("A JSON object of at most 4 KiB that is told with the board, such as its map."),
    )

    _SECTIONS: Final = (
        (_("What counts"), ("sort", "operator", "format", "authority", "decimals", "stat")),
        (_("Ties"), ("tie_break",)),
        (_("Periods"), ("reset", "cron", "time_zone", "spans")),
        (_("Limits"), ("attempts_limit", "min_score", "max_score", "starts_at", "ends_at")),
        (_("Beside it"), ("metadata",)),
    )

    def __init__(
        self, *args: Any, stats: list[tuple[str, str]], is_fixed: bool = False, **kwargs: Any
    ) -> None:
        """Know the stats that may feed it, as `(key, name)`.

        What can't change any more is left out, unless a form that was opened before sends it: it is told why.
        """
        super().__init__(*args, **kwargs)
        feeding = self.fields["stat"]
        assert isinstance(feeding, forms.ChoiceField)
        feeding.choices = [("", _("No stat: scores are submitted")), *stats]
        for name in FIXED_BY_SCORES if is_fixed else ():
            if self.add_prefix(name) not in self.data:
                del self.fields[name]

    @property
    def head(self) -> list[forms.BoundField]:
        """The fields that stand above all sections."""
        return [self[name] for name in ("name", "key") if name in self.fields]

    @property
    def sections(self) -> list[tuple[Promise, list[forms.BoundField]]]:
        """The fields by their sections; one without fields is left out."""
        found = [
            (title, [self[name] for name in names if name in self.fields]) for title, names in self._SECTIONS
        ]
        return [(title, fields) for title, fields in found if fields]

    @property
    def values(self) -> dict[str, Any]:
        """All values, as the service takes them."""
        return {name: _raw(name, value) for name, value in self.cleaned_data.items()}

    @property
    def changes(self) -> dict[str, Any]:
        """What is to be changed, likewise."""
        return {name: _raw(name, self.cleaned_data[name]) for name in self.changed_data}


class NewBoardForm(BoardForm):
    """A new board."""

    key = forms.CharField(
        label=_("Key"),
        max_length=KEY_LENGTH,
        strip=False,
        help_text=_("What your servers call it, such as best-lap. It stays for good."),
    )


def _raw(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value or None if name == "stat" else value


def initial_of(info: BoardInfo) -> dict[str, Any]:
    """Return what a board's form shows; its times to the minute, which is all that a browser asks for."""
    values = as_values(info)
    times = {
        name: values[name] and values[name].replace(second=0, microsecond=0)
        for name in ("starts_at", "ends_at")
    }
    return {**values, **times, "spans": list(info.extra_spans), "stat": info.stat or ""}


class ReasonForm(PortalForm):
    """Why something is done: kept in the audit log."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept in the audit log."),
    )


class EntryForm(ReasonForm):
    """In which period a player's entry is meant, and why."""

    period = forms.ChoiceField(label=_("Period"))
    field_order = ["period", "reason"]

    def __init__(self, *args: Any, periods: list[tuple[str, Any]], **kwargs: Any) -> None:
        """Know the periods in which there is something."""
        super().__init__(*args, **kwargs)
        choice = self.fields["period"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = periods


class _Typed(PortalForm):
    """A name that is typed as a second thought."""

    typed = forms.CharField(label=_("Name"), strip=True)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        """Know what is to be typed."""
        super().__init__(*args, **kwargs)
        self._name = name
        self.fields["typed"].label = _("Type “%(name)s”") % {"name": name}
        self.fields["typed"].widget.attrs["autocomplete"] = "off"

    def clean_typed(self) -> str:
        """Compare it."""
        typed: str = self.cleaned_data["typed"]
        if typed.split() != self._name.split():
            raise ValidationError(_("Type it as it is written above."))
        return typed


class DeleteEntryForm(_Typed, EntryForm):
    """Which entry goes for good, why, and the player's id."""

    field_order = ["period", "reason", "typed"]


class ResetForm(_Typed, ReasonForm):
    """Why a board begins anew, and its name; it carries the epoch that was seen, so that it is not done twice."""

    epoch = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ["reason", "typed"]
