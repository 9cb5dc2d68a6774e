"""What forms of the portal take. Texts lose the spaces around them; characters that show nothing are refused."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.words import ROLE_NAMES
from core.audit import LONGEST_REASON
from core.refusals import Refused


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with, even if that is nothing; None when a page is only looked at."""
    return request.POST if request.method == "POST" else None


def printable(text: str) -> None:
    """Refuse what a line of text can't show: line breaks would also end a mail's header (threats.md, P6)."""
    if not text.isprintable():
        raise ValidationError(_("Use characters that can be seen."), code="unprintable")


def plain_address(text: str) -> None:
    """Refuse letters that look like others: a mail server may read them as those, and bring the mail to another."""
    if not text.isascii():
        message = _("Write the address in plain letters; a domain of another script starts with xn--.")
        raise ValidationError(message, code="not-ascii")


class PortalForm(forms.Form):
    """A form that names its errors' fields to assistive technology."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Prepare the fields."""
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def refuse(self, refused: Refused) -> None:
        """Show a refusal of a service above the fields, as the form's own."""
        self.add_error(None, refused.detail)


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

    email = forms.EmailField(label=_("E-mail address"), max_length=254, validators=[printable, plain_address])
    field_order = ("email", "role")


class ReasonForm(PortalForm):
    """Why something is done, for the audit log."""

    reason = forms.CharField(
        label=_("Reason, for the audit log"),
        max_length=LONGEST_REASON,
        required=False,
        validators=[printable],
    )
