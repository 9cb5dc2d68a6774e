"""What the forms of stats take. What a value may be is said by the rules of stats, for every door."""

from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.forms import PortalForm
from core.number_field import NumberField
from core.texts import KEY_LENGTH, NAME_LENGTH
from stats.rules.definitions import FIXED_BY_VALUES
from stats.selectors.definitions import StatInfo

AGGREGATIONS: Final = {
    "sum": (_("Sum"), _("Reports add to it: 3 kills, then 2 kills, make 5.")),
    "max": (_("Highest"), _("The highest value that was reported stays: a best score.")),
    "min": (_("Lowest"), _("The lowest value that was reported stays: a best time.")),
    "last": (_("Latest"), _("The value with the latest time replaces the one before: a level, a rating.")),
}
AUTHORITIES: Final = {
    "server": (_("Your servers"), _("Only server keys may report it. Nobody else can claim a value.")),
    "client": (
        _("Players, too"),
        _("The game itself may report it with a player's token. Bound it below: a token can be misused."),
    ),
}


def choices(told: dict[str, tuple[Any, Any]]) -> list[tuple[str, Promise | str]]:
    """Return choices that each say in a sentence what they do."""
    return [
        (
            value,
            format_html('<span><b>{}</b><br><span class="secondary muted">{}</span></span>', label, sentence),
        )
        for value, (label, sentence) in told.items()
    ]


class StatForm(PortalForm):
    """A stat's fields. What the sender did not touch is not written: somebody else may have, meanwhile."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, show_hidden_initial=True)
    aggregation = forms.ChoiceField(
        label=_("What a report makes of the value before it"),
        choices=choices(AGGREGATIONS),
        widget=forms.RadioSelect,
        initial="sum",
        show_hidden_initial=True,
    )
    authority = forms.ChoiceField(
        label=_("Who reports it"),
        choices=choices(AUTHORITIES),
        widget=forms.RadioSelect,
        initial="server",
        show_hidden_initial=True,
    )
    increment_only = forms.BooleanField(
        label=_("It only rises: a report that would lower it is refused"),
        required=False,
        show_hidden_initial=True,
    )
    max_delta = NumberField(
        label=_("Largest change by one report"),
        required=False,
        show_hidden_initial=True,
        help_text=_("Up or down. Empty: any."),
    )
    min = NumberField(
        label=_("Lowest value"), required=False, show_hidden_initial=True, help_text=_("Empty: no bound.")
    )
    max = NumberField(
        label=_("Highest value"), required=False, show_hidden_initial=True, help_text=_("Empty: no bound.")
    )
    default = NumberField(
        label=_("Value before the first report"),
        required=False,
        show_hidden_initial=True,
        help_text=_("Empty: none. A sum then begins at 0."),
    )
    guards = ("increment_only", "max_delta", "min", "max", "default")

    def __init__(self, *args: Any, is_fixed: bool = False, **kwargs: Any) -> None:
        """Leave out what can't change any more, unless a form that was opened before sends it: it is told why."""
        super().__init__(*args, **kwargs)
        for name in FIXED_BY_VALUES if is_fixed else ():
            if self.add_prefix(name) not in self.data:
                del self.fields[name]

    @property
    def head(self) -> list[forms.BoundField]:
        """The fields that say what the stat is."""
        return [field for field in self.visible_fields() if field.name not in self.guards]

    @property
    def guarding(self) -> list[forms.BoundField]:
        """The fields that say which reports are refused."""
        return [field for field in self.visible_fields() if field.name in self.guards]

    @property
    def changes(self) -> dict[str, Any]:
        """What is to be changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class NewStatForm(StatForm):
    """A new stat."""

    key = forms.CharField(
        label=_("Key"),
        max_length=KEY_LENGTH,
        strip=False,
        help_text=_("What your servers call it, such as kills. It stays for good."),
    )
    field_order = ("name", "key")


def initial_of(stat: StatInfo) -> dict[str, Any]:
    """Return what a stat's form shows."""
    return {
        "name": stat.name,
        "aggregation": stat.rule.aggregation,
        "authority": stat.authority,
        "increment_only": stat.rule.increment_only,
        "max_delta": stat.rule.max_delta,
        "min": stat.rule.lowest,
        "max": stat.rule.highest,
        "default": stat.rule.start,
    }
