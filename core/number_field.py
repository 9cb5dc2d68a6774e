"""A form's field for numbers that are kept digit by digit."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core import spoken

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


class NumberField(forms.Field):
    """A number as it is written, or nothing: what may be kept of it is said by the rule that it is for."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        """Offer phones their digits."""
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Decimal | None:
        """Read it; thousands may be set apart by spaces, but by no comma or point, which are decimals to others."""
        text = re.sub(r"(?<=[0-9])[ \u00a0\u202f](?=[0-9]{3}(?![0-9]))", "", str(value or "").strip())
        if not text:
            return None
        text = spoken.typed(text)
        if not _NUMBER.fullmatch(text):
            raise ValidationError(_("Write a number with digits, such as 1500 or 0.25."), code="no_number")
        return Decimal(text)

    def prepare_value(self, value: Any) -> Any:
        """Write it without zeros that say nothing."""
        return written(value) if isinstance(value, Decimal) else value


def written(value: Decimal, *, grouped: bool = False) -> str:
    """Return a number as people write it, with thousands set apart if `grouped`."""
    text = f"{value:,f}" if grouped else f"{value:f}"
    return spoken.spelled(text.rstrip("0").rstrip(".") if "." in text else text)
