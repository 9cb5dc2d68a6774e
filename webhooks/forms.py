"""What the portal's forms of webhooks take."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.doorway import Visit
from accounts.once_form import OnceForm
from core.forms import PortalForm, printable
from webhooks.announcing import EVENTS
from webhooks.models import State
from webhooks.rules import targets

_NAMES = {
    "achievement.unlocked": _("a player unlocked an achievement"),
    "achievement.revoked": _("an unlock was taken back"),
    "player.created": _("a player was seen for the first time"),
    "leaderboard.period_ended": _("a leaderboard's period is final"),
}
OVERLAPS = (("0", _("at once")), ("1", _("in an hour")), ("24", _("in a day")), ("168", _("in seven days")))


class WebhookForm(PortalForm):
    """A webhook's address and what it hears."""

    url = forms.CharField(
        label=_("Address"),
        max_length=targets.LONGEST_URL,
        strip=False,
        help_text=_("https, a public host name, port 443 or 8443."),
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://hooks.example.com/laurel"}),
    )
    events = forms.MultipleChoiceField(
        label=_("It hears that"),
        choices=[(name, _NAMES[name]) for name in EVENTS],
        widget=forms.CheckboxSelectMultiple,
        initial=list(EVENTS),
    )
    description = forms.CharField(
        label=_("What it is for"), max_length=200, required=False, validators=[printable]
    )


class NewWebhookForm(OnceForm, WebhookForm):
    """A webhook to create; which games it hears of is not changed later."""

    purpose = "webhook"
    game = forms.ChoiceField(label=_("Of"), required=False)
    field_order = ("url", "events", "game", "description")

    def __init__(self, data: QueryDict | None = None, *, visit: Visit, **kwargs: Any) -> None:
        """Offer the studio's games."""
        super().__init__(data, visit=visit, **kwargs)
        choices = [("", _("all games")), *((str(game.uuid), game.title) for game in visit.games)]
        self.fields["game"].choices = choices  # type: ignore[attr-defined]


class RotationForm(PortalForm):
    """Until when the old secret signs as well."""

    overlap = forms.ChoiceField(label=_("The old secret ends"), choices=OVERLAPS, initial="24")


class ReplayForm(PortalForm):
    """Which deliveries are sent again."""

    hours = forms.TypedChoiceField(
        label=_("Recorded in the last"),
        coerce=int,
        choices=((1, _("hour")), (24, _("day")), (168, _("seven days"))),
        initial=24,
    )
    states = forms.MultipleChoiceField(
        label=_("That"),
        choices=((State.PARKED, _("were given up or parked")), (State.SUCCEEDED, _("were delivered"))),
        widget=forms.CheckboxSelectMultiple,
        initial=[State.PARKED],
    )
