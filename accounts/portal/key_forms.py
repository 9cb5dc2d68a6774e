"""What the forms of server keys take."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.doorway import Visit
from accounts.keys import SCOPES
from accounts.once_form import OnceForm
from accounts.selectors import GameInfo
from core.forms import PortalForm, ReasonForm, printable
from core.refusals import NotFound

MEANINGS: Final = {
    "unlocks:write": _("Unlock achievements, report progress and take unlocks back."),
    "stats:write": _("Report stats and play sessions."),
    "scores:write": _("Send scores to leaderboards."),
    "players:read": _("Read players: profiles, progress, friends and what they were told."),
    "players:write": _("Name players, issue their tokens, ban them and keep them off boards."),
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
        today = timezone.now().astimezone(UTC).date()
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


class RevocationForm(ReasonForm):
    """Why a key is revoked."""
