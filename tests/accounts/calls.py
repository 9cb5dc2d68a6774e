"""Calls of the API that are refused, and written to the request log at once."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.calls import writing
from accounts.calls.models import Call
from accounts.models import Studio
from tests import factories


def write(*, at: datetime | None = None) -> int:
    """Write what this process noted."""
    return writing.write(at=at or timezone.now())


def calls(of: Studio, **filters: Any) -> list[Call]:
    """Return what the log has of a studio, oldest first."""
    return list(Call.objects.filter(studio_id=of.pk, **filters).order_by("pk"))


def refused_call(of: Studio, *, path: str = "/games/0198f2c4-6f1e-7000-8000-000000000000") -> int:
    """Let a studio be refused something, and return the call's id in the log."""
    api = factories.api(factories.server_key(of, scopes=["definitions:read"]))
    assert api.get(path).status_code == 404
    write()
    return calls(of)[-1].pk
