"""Asking for an export."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from core import audit
from core.exports.kinds import exports
from core.models import ExportJob
from core.refusals import Conflict, Invalid, Refused

KEPT: Final = timedelta(days=7)
A_DAY: Final = 5  # of a studio
OPEN: Final = (ExportJob.State.QUEUED, ExportJob.State.RUNNING)


class TooManyExports(Refused):
    """A studio asked for as many as it may in a day."""

    slug = "rate-limited"


def ask(
    *,
    uuid: UUID,
    studio_id: int,
    kind: str,
    about: Mapping[str, Any],
    title: str,
    file_name: str,
    actor: str,
    at: datetime,
) -> None:
    """Have a file made; the same `uuid` again changes nothing.

    Raises:
        Invalid: there is no such kind.
        Conflict: one of that kind is being made for the studio.
        TooManyExports: A_DAY were asked for within a day.

    """
    if kind not in exports():
        raise Invalid.value("/kind", "There is no such export.")
    with transaction.atomic():
        _take_turns(studio_id)
        jobs = ExportJob.objects.filter(studio_id=studio_id)
        if jobs.filter(uuid=uuid).exists():
            return
        if jobs.filter(kind=kind, state__in=OPEN).exists():
            raise Conflict("An export of this kind is being made. Ask again when it is done.")
        if jobs.filter(created_at__gt=at - timedelta(days=1)).count() >= A_DAY:
            raise TooManyExports(f"A studio has {A_DAY} exports a day.")
        ExportJob.objects.create(
            uuid=uuid,
            studio_id=studio_id,
            kind=kind,
            about=dict(about),
            title=title,
            file_name=file_name,
            actor=actor,
            created_at=at,
            expires_at=at + KEPT,
        )
        audit.record(
            studio_id=studio_id,
            actor=actor,
            action="export.create",
            kind="export",
            object_id=uuid,
            reason="",
            at=at,
            details={"kind": kind, "title": title, **about},
        )


def _take_turns(studio_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('core.exports ' || %s, 0))", [studio_id]
        )
