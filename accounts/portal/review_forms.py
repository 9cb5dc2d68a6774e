"""What the forms of the review queue take."""

from itertools import islice
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core import reviewing
from core.audit import LONGEST_REASON
from core.forms import PortalForm, printable
from core.ids import parse_id

Chosen = dict[str, list[UUID]]  # by kind


class DecisionForm(PortalForm):
    """What is decided, about what, and why."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        required=False,
        validators=[printable],
        help_text=_("Kept in the audit log. Needed to reject."),
    )

    def __init__(self, *args: Any, about: str = "", **kwargs: Any) -> None:
        """Know what it is about, where that is one thing only."""
        super().__init__(*args, **kwargs)
        self._about = about

    @property
    def names(self) -> list[str]:
        """What was chosen, as it was sent."""
        if self._about:
            return [self._about]
        sent: Any = self.data
        return list(islice(sent.getlist("chosen"), reviewing.MOST_AT_ONCE)) if self.is_bound else []

    @property
    def approves(self) -> bool:
        """Whether it is approved."""
        return bool(self.cleaned_data["act"] == "approve")

    def clean(self) -> dict[str, Any]:
        """Read what was chosen, and refuse a rejection without a reason."""
        values: dict[str, Any] = self.cleaned_data
        values["chosen"] = _chosen(self.names)
        values["act"] = str(self.data.get("act", ""))
        if values["act"] not in ("approve", "reject") or not values["chosen"]:
            raise ValidationError(_("Choose entries in the table, then approve or reject them."))
        if values["act"] == "reject" and not values.get("reason") and "reason" not in self.errors:
            self.add_error("reason", _("Say why it does not count."))
        return values


def _chosen(names: list[str]) -> Chosen:
    """Return what forms call `kind:uuid`; what can't be one is left out."""
    found: Chosen = {}
    for name in names:
        kind, _colon, text = name.partition(":")
        uuid = parse_id(text)
        if uuid is not None and kind in reviewing.sources():
            found.setdefault(kind, []).append(uuid)
    return found
