"""What the forms of server keys take."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.doorway import Visit
from accounts.keys import SCOPES
from accounts.once_form import OnceForm
from accounts.selectors import GameInfo
from core import clock, spoken
from core.forms import PortalForm, ReasonForm, printable
from core.refusals import NotFound

MEANINGS: Final = {
    "unlocks:write": _("Unlock achievements, report progress and take unlocks back."),
    "stats:write": _("Report stats and play sessions."),
    "scores:write": _("Send scores to leaderboards."),
    "players:read": _("Read players: profiles, progress, friends and what they were told."),
    "players:write": _(
        "Name players, issue their tokens, ban them, keep them off boards; link and erase them for good."
    ),
    "definitions:read": _("Read games, achievements, stats and leaderboards as they are defined."),
    "definitions:write": _("Make and change games, achievements, stats and leaderboards."),
    "analytics:read": _("Read how games are played."),
    "webhooks:write": _("Set up webhooks, and replay what they missed."),
    "offline:write": _("Be believed about when something happened, up to 14 days back."),
}
_USUAL = ("unlocks:write", "stats:write", "scores:write")
_LONGEST_YEARS = 10
OVERLAPS: Final = {
    "1h": (timedelta(hours=1), _("1 hour")),
    "24h": (timedelta(hours=24), _("24 hours")),
    "7d": (timedelta(days=7), _("7 days")),
}


class KeyForm(OnceForm):
    """A new key."""

    purpose = "new-key"
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        validators=[printable],
        help_text=_("Where it is used, such as “Production servers”."),
    )
    game = forms.CharField(label=_("For"), required=False, widget=forms.Select)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        choices=[(scope, scope) for scope in SCOPES],
        initial=_USUAL,
        error_messages={"required": _("Choose one at least: a key without any could do nothing.")},
    )
    last_day = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        help_text=_("It ends at midnight UTC after this day. Empty: it works until somebody revokes it."),
    )

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        """Know the studio's games."""
        super().__init__(*args, visit=visit, **kwargs)
        self._games = {str(game.uuid): game for game in visit.games}
        choices = [
            ("", _("All games of the studio")),
            *((key, one.title) for key, one in self._games.items()),
        ]
        self.fields["game"].widget.choices = choices
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [
            (
                scope,
                format_html(
                    '<span><code>{}</code><br><span class="secondary muted">{}</span></span>',
                    scope,
                    MEANINGS[scope],
                ),
            )
            for scope in SCOPES
        ]

    def clean_game(self) -> GameInfo | None:
        """Return the game; another studio's is as unknown as one that does not exist."""
        uuid = self.cleaned_data["game"]
        if not uuid:
            return None
        if uuid not in self._games:
            raise NotFound(gettext("There is no such game."))
        return self._games[uuid]

    def clean_last_day(self) -> datetime | None:
        """Return when the key ends."""
        day: date | None = self.cleaned_data["last_day"]
        if day is None:
            return None
        today = clock.now().astimezone(UTC).date()
        if day < today:
            raise ValidationError(_("This day is over. Choose today or a later one."))
        if day.year > today.year + _LONGEST_YEARS:
            raise ValidationError(_("Choose a day within ten years, or none."))
        return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)


class RotationForm(PortalForm):
    """For how long both keys work."""

    overlap = forms.ChoiceField(
        label=_("The old key ends after"),
        choices=[(name, label) for name, (_length, label) in OVERLAPS.items()],
        widget=forms.RadioSelect,
        initial="24h",
    )

    @property
    def length(self) -> timedelta:
        """The overlap."""
        return OVERLAPS[self.cleaned_data["overlap"]][0]


class LimitsForm(PortalForm):
    """How much a key may do in a second, at most what the instance allows."""

    writes_per_s = forms.IntegerField(
        label=_("Writes a second"),
        required=False,
        min_value=1,
        help_text=_("Items of a batch count one by one. Empty: %(most)s, as many as this instance allows."),
    )
    reads_per_s = forms.IntegerField(
        label=_("Reads a second"),
        required=False,
        min_value=1,
        help_text=_("Empty: %(most)s, as many as this instance allows."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Know what the instance allows."""
        super().__init__(*args, **kwargs)
        for name, rate in (("writes_per_s", "server-writes"), ("reads_per_s", "server-reads")):
            field = self.fields[name]
            most = round(settings.RATES[rate].per_s)
            field.widget.attrs |= {"max": most, "inputmode": "numeric"}
            field.help_text = str(field.help_text) % {"most": spoken.whole(most)}
            field.validators.append(MaxValueValidator(most))


class RevocationForm(ReasonForm):
    """Why a key is revoked."""
