"""What forms of the portal take. Texts lose the spaces around them; characters that show nothing are refused."""

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignUpForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


def printable(text: str) -> None:
    """Refuse what a line of text can't show: line breaks would also end a mail's header (threats.md, P6)."""
    if not text.isprintable():
        raise ValidationError(_("Use characters that can be seen."), code="unprintable")


class PortalForm(forms.Form):
    """A form that names its errors' fields to assistive technology."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Prepare the fields."""
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class StudioForm(PortalForm):
    """A studio's name."""

    name = forms.CharField(label=_("Name"), max_length=200, validators=[printable])


class SignUpForm(AllauthSignUpForm):  # type: ignore[misc]
    """A new account."""

    def try_save(self, request: HttpRequest) -> Any:
        """Save it, or answer as if. Hashing takes longest: the clock must not tell that there is an account already."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)
