"""What the portal's forms of studios, members and the audit log take."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import ResetPasswordKeyForm as AllauthResetPasswordKeyForm
from allauth.account.forms import SetPasswordForm as AllauthSetPasswordForm
from allauth.account.forms import SignupForm as AllauthSignUpForm
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.socialaccount.forms import SignupForm as AllauthSocialSignUpForm
from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.words import ROLE_NAMES
from core.audit import LONGEST_REASON
from core.forms import PortalForm, printable

CAME_TO = "came_to"  # in the session of who signed up, whether or not there was an account: `play` or `make`


def plain_address(text: str) -> None:
    """Refuse letters that look like others: a mail server may read them as those, and bring the mail to another."""
    if not text.isascii():
        message = _("Write the address in plain letters; a domain of another script starts with xn--.")
        raise ValidationError(message, code="not-ascii")


def unquoted_address(text: str) -> None:
    """Refuse an address in quotes, which may hold anything: a comma in it would make several of it."""
    if '"' in text:
        raise ValidationError(_("Write an address without quotes."), code="quoted")


class StudioForm(PortalForm):
    """A studio's name."""

    name = forms.CharField(label=_("Name"), max_length=200, validators=[printable])


class RoleForm(PortalForm):
    """A role, of those that may be given."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: Iterable[str], **kwargs: Any) -> None:
        """Offer `roles`."""
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role, ROLE_NAMES[role]) for role in roles]


class InviteForm(RoleForm):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, validators=[printable, plain_address, unquoted_address]
    )
    field_order = ("email", "role")


class ReasonForm(PortalForm):
    """Why something is done, for the audit log."""

    reason = forms.CharField(
        label=_("Reason, for the audit log"),
        max_length=LONGEST_REASON,
        required=False,
        validators=[printable],
    )


class AuditFilter(PortalForm):
    """Which entries of the audit log are asked for; days are of UTC."""

    actor = forms.CharField(label=_("Who"), max_length=320, required=False, validators=[printable])
    action = forms.CharField(label=_("What"), max_length=64, required=False, validators=[printable])
    object = forms.CharField(
        label=pgettext_lazy("audit log", "About"), max_length=200, required=False, validators=[printable]
    )

    def __init__(self, *args: Any, actions: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """Offer the actions, as pairs of name and words, and the one that is asked for."""
        super().__init__(*args, **kwargs)
        self.fields["from"], self.fields["to"] = _day(_("From (UTC)")), _day(_("To (UTC)"))
        asked = str(self.data.get("action", ""))[:64]
        unknown = [(asked, asked)] if asked and asked not in dict(actions) else []
        self.fields["action"].widget = forms.Select(choices=[("", _("Anything")), *actions, *unknown])
        self.fields["actor"].widget.attrs["placeholder"] = _("E-mail or key's id")
        self.fields["object"].widget.attrs["placeholder"] = _("Id")

    def clean(self) -> dict[str, Any]:
        """Refuse days the wrong way round."""
        asked: dict[str, Any] = self.cleaned_data
        if asked.get("from") and asked.get("to") and asked["from"] > asked["to"]:
            self.add_error("to", _("The last day is before the first one."))
        return asked

    def query(self) -> str:
        """Return what is asked for, as in an address."""
        return urlencode({name: str(value) for name, value in self.cleaned_data.items() if value})


def _day(label: Any) -> forms.DateField:
    """Return a field for a day of this millennium."""
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[
            MinValueValidator(date(2000, 1, 1), _("Use a day from 2000 on.")),
            MaxValueValidator(date(2999, 12, 31), _("Use a day before 3000.")),
        ],
        error_messages={"invalid": _("Use a day such as 2026-11-26.")},
    )


_FOR_MAKERS: Final = ("/portal", "/admin", "/invitations/")


def asked_for(request: HttpRequest) -> str:
    """Return the page from which somebody came to sign up, as its address says; it may be anybody's writing."""
    return request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""


def is_somebodys(email: str) -> bool:
    """Say whether an address is an account's: not one that somebody wants to change to, and has not proved."""
    email = email.lower()
    proved = EmailAddress.objects.filter(email=email, verified=True)
    return proved.exists() or User.objects.filter(email=email).exists()


class _Unclaimed:
    """A form to sign up, for which an address is free until somebody has proved it, or has signed up with it.

    The library takes it as soon as anybody writes it into the form for another address of his own.
    """

    account_already_exists: bool

    def validate_unique_email(self, value: str) -> str:
        """Return an address, and note whether there is an account of it."""
        email: str = super().validate_unique_email(value)  # type: ignore[misc]
        self.account_already_exists = self.account_already_exists and is_somebodys(value)
        return email


class _Labelled(forms.Form):
    """Writes labels as all other forms do; the library has every word with a capital."""

    labels: ClassVar = {
        "remember": _("Remember me"),
        "oldpassword": _("Current password"),
        "password1": _("New password"),
        "password2": _("New password, again"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Exchange the labels of the fields that there are."""
        super().__init__(*args, **kwargs)
        for name in self.labels.keys() & self.fields.keys():
            self.fields[name].label = self.labels[name]


class LoginForm(_Labelled, AllauthLoginForm):  # type: ignore[misc]
    """Who signs in."""


class ChangePasswordForm(_Labelled, AllauthChangePasswordForm):  # type: ignore[misc]
    """Another password, for who knows the one of now."""


class SetPasswordForm(_Labelled, AllauthSetPasswordForm):  # type: ignore[misc]
    """The first password of who signed in by another service so far."""


class ResetPasswordKeyForm(_Labelled, AllauthResetPasswordKeyForm):  # type: ignore[misc]
    """Another password, for who came by a link of a mail."""


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]
    """Where to send a link for a new password: to nobody who only wants to change to this address.

    Whoever owns it would get a link into that person's account.
    """

    def clean_email(self) -> str:
        """Return the address."""
        email: str = super().clean_email()
        if not is_somebodys(email):
            self.users: list[Any] = []
        return email


def purpose_of(page: str) -> str:
    """Return what a page is for that somebody comes from, `play` or `make`; empty if it does not say."""
    if not page or page.startswith("/account/"):
        return ""
    return "make" if page.startswith(_FOR_MAKERS) else "play"


class WithPurpose(forms.Form):
    """Asks whether somebody wants to play or to make games, unless the page that he comes from says it."""

    purpose = forms.ChoiceField(
        label=_("What are you here for?"),
        choices=[("play", _("To play: my achievements, ranks and friends")), ("make", _("To make games"))],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose one. It says where you begin; you can do both with one account.")
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave the question out where it is answered."""
        super().__init__(*args, **kwargs)
        request = context.request
        if request is not None and purpose_of(asked_for(request)):
            del self.fields["purpose"]


class SocialSignUpForm(_Unclaimed, WithPurpose, AllauthSocialSignUpForm):  # type: ignore[misc]
    """A new account that another service vouches for."""

    def __init__(self, *args: Any, sociallogin: Any, **kwargs: Any) -> None:
        """Ask what the page that he came from does not say."""
        super().__init__(*args, sociallogin=sociallogin, **kwargs)
        if purpose_of(sociallogin.state.get("next") or ""):
            self.fields.pop("purpose", None)


class SignUpForm(_Unclaimed, WithPurpose, AllauthSignUpForm):  # type: ignore[misc]
    """A new account."""

    def try_save(self, request: HttpRequest) -> Any:
        """Save it, or answer as if. Hashing takes longest: the clock must not tell that there is an account already."""
        request.session[CAME_TO] = purpose_of(asked_for(request)) or self.cleaned_data["purpose"]
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)
