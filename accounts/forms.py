"""What the portal's forms of studios take."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import PortalForm, printable


class StudioForm(PortalForm):
    """A studio's name."""

    name = forms.CharField(label=_("Name"), max_length=200, validators=[printable])
