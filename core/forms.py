"""What every form of the portal shares."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.audit import LONGEST_REASON
from core.refusals import Refused


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with, even if that is nothing; None when a page is only looked at."""
    return request.POST if request.method == "POST" else None


def printable(text: str) -> None:
    """Refuse what a line of text can't show: line breaks would also end a mail's header."""
    if not text.isprintable():
        raise ValidationError(_("Use characters that can be seen."), code="unprintable")


class PortalForm(forms.Form):
    """A form whose labels end without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Prepare the fields."""
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def refuse(self, refused: Refused) -> None:
        """Show a refusal of a service: at the fields that it names, else above all of them."""
        named = [(one["pointer"].strip("/"), one["detail"]) for one in refused.errors]
        for name, detail in named:
            self.add_error(name if name in self.fields else None, detail)
        if not named:
            self.add_error(None, refused.detail)


class ReasonForm(PortalForm):
    """Why something is done: kept in the audit log."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the audit log."),
    )


class TypedForm(ReasonForm):
    """Why something is done to a player that can't be undone, and his id as a second thought."""

    typed = forms.CharField(strip=False)

    def __init__(self, *args: Any, external_id: str, **kwargs: Any) -> None:
        """Know what is to be typed."""
        super().__init__(*args, **kwargs)
        self._external_id = external_id
        self.fields["typed"].label = gettext("Type “%(id)s”") % {"id": external_id}
        self.fields["typed"].widget.attrs["autocomplete"] = "off"

    def clean_typed(self) -> str:
        """Compare it."""
        typed: str = self.cleaned_data["typed"]
        if typed.strip() != self._external_id.strip():
            raise ValidationError(_("Type the id as it is written above."))
        return typed
