"""What the request log's filters take."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import selectors
from accounts.calls.log import ENDINGS, Wanted
from accounts.doorway import Visit
from core.forms import PortalForm, printable
from core.ids import parse_id
from core.refusals import PROBLEMS

SPANS: Final = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "3d": timedelta(days=3)}
ENDING_NAMES: Final = (
    ("", _("All")),
    ("refused", _("Refused")),
    ("failed", _("Failed here")),
    ("ok", _("Answered")),
)
_SPAN_NAMES: Final = (
    ("", _("7 days")),
    ("3d", _("3 days")),
    ("24h", _("24 hours")),
    ("1h", _("1 hour")),
)
_WIDE = {"type": "datetime-local"}


class RequestFilter(PortalForm):
    """Which calls are asked for; times are of UTC."""

    ending = forms.ChoiceField(
        choices=[(one, one) for one in ENDINGS], required=False, widget=forms.HiddenInput
    )
    problem = forms.ChoiceField(label=_("Problem"), required=False)
    route = forms.CharField(label=_("Address"), max_length=200, required=False, validators=[printable])
    key = forms.ChoiceField(label=_("API key"), required=False)
    game = forms.ChoiceField(label=_("Game"), required=False)
    request_id = forms.CharField(
        label=_("Request id"), max_length=128, required=False, validators=[printable]
    )
    span = forms.ChoiceField(label=_("Within the last"), choices=_SPAN_NAMES, required=False)

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        """Offer the studio's keys and games."""
        super().__init__(*args, **kwargs)
        self.fields["from"], self.fields["to"] = _moment(_("From (UTC)")), _moment(_("To (UTC)"))
        keys = selectors.keys_of(visit.studio.studio_id)
        games = (*visit.games, *visit.put_away)
        self._offer("problem", [(slug, slug) for slug in PROBLEMS], _("Any problem"))
        self._offer("key", [(str(one.uuid), f"{one.name} (…{one.hint})") for one in keys], _("Any key"))
        self._offer("game", [(str(one.uuid), one.title) for one in games], _("Any game"))
        self.fields["route"].widget.attrs["placeholder"] = "/achievements/unlock"

    def _offer(self, name: str, choices: list[tuple[str, str]], anything: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", anything), *choices]

    def clean(self) -> dict[str, Any]:
        """Refuse times the wrong way round."""
        asked: dict[str, Any] = self.cleaned_data
        if asked.get("from") and asked.get("to") and asked["from"] > asked["to"]:
            self.add_error("to", _("The end is before the beginning."))
        return asked

    def wanted(self, *, at: datetime) -> Wanted:
        """Return what is asked for."""
        asked = self.cleaned_data
        span = SPANS.get(asked["span"])
        begins = [one for one in (asked["from"], at - span if span else None) if one]
        return Wanted(
            ending=asked["ending"],
            slug=asked["problem"],
            route=asked["route"].removeprefix("/api/v1"),
            key=_uuid(asked["key"]),
            game=_uuid(asked["game"]),
            request_id=asked["request_id"],
            since=max(begins) if begins else None,
            until=asked["to"],
        )

    def query(self, **changes: str) -> str:
        """Return what is asked for, as in an address."""
        asked = {name: _written(value) for name, value in self.cleaned_data.items()} | changes
        return urlencode({name: value for name, value in asked.items() if value})

    def chips(self) -> list[tuple[str, str]]:
        """Return what is set but for the ending, in words, each with the query without it."""
        said = []
        for name, value in self.cleaned_data.items():
            if value and name != "ending":
                field = self.fields[name]
                known: dict[str, Any] = dict(getattr(field, "choices", ()))
                words = str(known.get(value) or _written(value).replace("T", " "))
                said.append((f"{field.label}: {words}", self.query(**{name: ""})))
        return said


def _uuid(text: str) -> UUID | None:
    return parse_id(text) if text else None


def _written(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else str(value or "")


def _moment(label: Any) -> forms.DateTimeField:
    return _Utc(
        label=label,
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs=_WIDE, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("Use a time such as 2026-11-26T14:30.")},
    )


class _Utc(forms.DateTimeField):
    """A time of UTC."""

    def to_python(self, value: Any) -> datetime | None:
        """Read it; what is before this millennium, or after it, is no time of ours."""
        read = super().to_python(value)
        if read is None:
            return None
        read = read.replace(tzinfo=UTC)
        if not 2000 <= read.year < 3000:
            raise forms.ValidationError(_("Use a time from 2000 on, before 3000."), code="invalid")
        return read
