"""Exports as a studio's members see them."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils.functional import Promise

from core.db import lending
from core.exports.kinds import exports
from core.models import ExportJob, ExportPiece

LISTED = 50


@dataclass(frozen=True, slots=True)
class ExportInfo:
    """An export; `state` is `queued`, `running`, `done` or `failed`, `by` who asked for it."""

    id: int
    uuid: UUID
    kind: str
    label: Promise | str
    title: str
    by: str
    state: str
    percent: int
    rows: int
    size: int
    pieces: int
    error: str
    file_name: str
    created_at: datetime
    expires_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.state in (ExportJob.State.QUEUED, ExportJob.State.RUNNING)

    @property
    def is_done(self) -> bool:
        """Whether its file is there."""
        return self.state == ExportJob.State.DONE


def of_studio(studio_id: int, *, at: datetime) -> list[ExportInfo]:
    """Return a studio's latest exports, the newest first, without what is over."""
    jobs = ExportJob.objects.filter(studio_id=studio_id, expires_at__gt=at).order_by("-created_at")
    return [_info(job) for job in jobs[:LISTED]]


def one(studio_id: int, uuid: UUID, *, at: datetime) -> ExportInfo | None:
    """Return an export of a studio; None for another studio's, and for one that is over."""
    job = ExportJob.objects.filter(studio_id=studio_id, uuid=uuid, expires_at__gt=at).first()
    return None if job is None else _info(job)


def finished(
    studio_id: int, actor: str, *, since: datetime, at: datetime
) -> list[tuple[ExportInfo, datetime]]:
    """Return somebody's exports that were finished of late, or failed, and when; without what is over."""
    jobs = ExportJob.objects.filter(
        studio_id=studio_id, actor=actor, finished_at__gt=since, expires_at__gt=at
    )
    return [(_info(job), job.finished_at) for job in jobs.order_by("-created_at")[:LISTED] if job.finished_at]


def file_of(info: ExportInfo) -> StreamingHttpResponse:
    """Answer with the file of an export that is done; a piece at a time is in memory."""
    export = exports().get(info.kind)
    kind = export.content_type if export else "application/octet-stream"
    response = StreamingHttpResponse(lending(_pieces(info)), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{info.file_name}"'
    response["Content-Length"] = str(info.size)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _pieces(info: ExportInfo) -> Iterator[bytes]:
    for number in range(info.pieces):
        yield zlib.decompress(
            ExportPiece.objects.values_list("packed", flat=True).get(job_id=info.id, number=number)
        )


def _info(job: ExportJob) -> ExportInfo:
    export = exports().get(job.kind)
    return ExportInfo(
        id=job.pk,
        uuid=job.uuid,
        kind=job.kind,
        label=export.label if export else job.kind,
        title=job.title,
        by=job.actor.removeprefix("user:"),
        state=job.state,
        percent=job.percent,
        rows=job.rows,
        size=job.size,
        pieces=job.pieces,
        error=job.error,
        file_name=job.file_name,
        created_at=job.created_at,
        expires_at=job.expires_at,
    )
