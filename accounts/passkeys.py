"""What browsers send as passkeys. What is none is refused like a wrong code, whatever the library stumbles over."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.forms import HiddenInput, JSONField
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from accounts import second_factors

_NONE = (LookupError, TypeError, ValueError, AttributeError, InvalidSignature)


class CredentialField(JSONField):
    """An object of JSON."""

    def to_python(self, value: Any) -> Any:
        """Return the object."""
        try:
            read = super().to_python(value)
        except (ValueError, RecursionError):  # numbers and nests that Python's parser gives up on
            read = None
        if not isinstance(read, dict):
            raise _refused()
        return read

    def bound_data(self, data: Any, initial: Any) -> InvalidJSONInput:
        """Return what is shown again of what was sent: nothing, the browser makes another."""
        return InvalidJSONInput("")


class _Asked:
    """What the forms that ask for a passkey do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Read it carefully."""
        super().__init__(*args, **kwargs)
        self.fields["credential"] = CredentialField(widget=HiddenInput)  # type: ignore[attr-defined]

    def clean_credential(self) -> Authenticator:
        """Return whose it is."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _NONE:
            raise _refused() from None
        except ValidationError as error:
            raise (_refused() if error.code == "incorrect_code" else error) from None


class AuthenticateForm(_Asked, forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as second factor."""


class LoginForm(_Asked, forms.LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey in place of a password."""


class ReauthenticateForm(_Asked, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey before something that needs one anew."""


class AddForm(forms.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Read it carefully."""
        super().__init__(*args, **kwargs)
        self.fields["credential"] = CredentialField(widget=HiddenInput)
        alone = self.fields["passwordless"]
        alone.initial = True
        alone.label = _("Sign in with it alone, without a password")
        alone.help_text = _("It then asks for your fingerprint, your face or a PIN each time.")
        self.fields["name"].max_length = self.fields["name"].widget.attrs["maxlength"] = 100

    def clean(self) -> dict[str, Any]:
        """Check it."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except _NONE:
            raise _refused() from None
        if not self.errors:
            second_factors.end_logins_without(self.user)
        return cleaned


def _refused() -> ValidationError:
    said = _("This passkey is not known here. Use another one, or your password.")
    return ValidationError(said, code="incorrect_code")
