"""A form that makes one thing, however often it is sent."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.doorway import Visit
from core import once
from core.forms import PortalForm


class OnceForm(PortalForm):
    """Carries the id of what it makes.

    Attributes:
        purpose: what that is.
        uuid: its id, once the form is valid.

    """

    purpose: ClassVar[str]
    uuid: UUID
    once = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, visit: Visit, **kwargs: Any) -> None:
        """Know who sends it; what was sent is copied, as the id in it may have to be replaced."""
        self._whose = {"user_id": visit.user.pk, "studio_id": visit.studio.studio_id}
        self._sent = None if data is None else data.copy()
        super().__init__(self._sent, initial={"once": self._mint()}, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Read the id; a form that was open for a day gets a new one."""
        uuid = once.read(self.cleaned_data.get("once", ""), self.purpose, **self._whose)
        if uuid is None:
            assert self._sent is not None  # else there is nothing to clean
            self._sent["once"] = self._mint()
            raise ValidationError(_("This form was open too long. Send it again."))
        self.uuid = uuid
        return self.cleaned_data

    def _mint(self) -> str:
        return once.mint(self.purpose, **self._whose)
