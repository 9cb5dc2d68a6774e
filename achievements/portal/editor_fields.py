"""The fields of the editor's form. They take any text: the rules of achievements/rules.py judge, as for the API."""

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy as _

from achievements import rules
from core.forms import PortalForm
from core.texts import KEY_LENGTH, NAME_LENGTH

_BOUNDS: Final = (("at_least", _("at least")), ("at_most", _("at most")))
_TYPES: Final = (
    ("standard", _("At once")),
    ("incremental", _("In steps")),
    ("meta", _("By other achievements")),
)
_AUTHORITIES: Final = (("server", _("Your server only")), ("client", _("Your server, or the game itself")))
_DRIVEN: Final = (
    ("reports", _("Steps that your game reports")),
    ("stat", _("One stat, up to the target")),
    ("all", _("Several stats, all of them")),
    ("any", _("Several stats, any of them")),
    ("sum", _("The sum of several stats")),
    ("written", _("A goal written as JSON")),
)


class EditorFields(PortalForm):
    """Everything about an achievement but its translations and conditions, which come in rows."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"maxlength": NAME_LENGTH}),
        help_text=_("Shown on the card and the toast."),
    )
    key = forms.CharField(
        label=_("Key"),
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"maxlength": KEY_LENGTH, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("How your game names it, such as first-blood. It never changes."),
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": rules.DESCRIPTION_LENGTH}),
    )
    points = forms.CharField(
        label=_("Points"), required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    group = forms.CharField(
        label=_("Group"),
        required=False,
        help_text=_("Such as an expansion. Empty: the base game."),
    )
    authority = forms.CharField(
        label=_("Who may report it"), required=False, widget=forms.Select(choices=_AUTHORITIES)
    )
    hidden = forms.BooleanField(
        label=_("Hidden until it is unlocked"),
        required=False,
    )
    icon_url = forms.CharField(
        label=_("Icon"), required=False, widget=forms.URLInput, help_text=_("An https address.")
    )
    icon_locked_url = forms.CharField(
        label=_("Icon while locked"),
        required=False,
        widget=forms.URLInput,
        help_text=_("Empty: the icon in grey."),
    )
    type = forms.CharField(label=_("How it is unlocked"), required=False, widget=forms.Select(choices=_TYPES))
    driven = forms.CharField(label=_("What counts"), required=False, widget=forms.Select(choices=_DRIVEN))
    target = forms.CharField(
        label=_("Target"), required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    stat = forms.CharField(label=_("Stat"), required=False, widget=forms.Select)
    sum_bound = forms.CharField(label=_("Together"), required=False, widget=forms.Select(choices=_BOUNDS))
    sum_threshold = forms.CharField(
        label=_("Number"), required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    written = forms.CharField(
        label=_("Goal as JSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
        help_text=_("As the API takes it: all and any may hold each other."),
    )
    requires = forms.CharField(label=_("Achievements it asks for"), required=False)
    requires_count = forms.CharField(
        label=_("How many of them"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=_("Empty: all of them."),
    )
    available_from = forms.CharField(
        label=_("Available from (UTC)"),
        required=False,
        widget=forms.TextInput(attrs={"type": "datetime-local", "step": 1}),
    )
    available_until = forms.CharField(
        label=_("Available until (UTC)"),
        required=False,
        widget=forms.TextInput(attrs={"type": "datetime-local", "step": 1}),
    )
