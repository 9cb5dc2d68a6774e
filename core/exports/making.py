"""Making exports: a piece at a time, of whichever studio waits longest, on the queue for bulk."""

import zlib
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from core import clock
from core.exports.asking import KEPT, OPEN
from core.exports.kinds import Chunk, exports
from core.models import ExportJob, ExportPiece
from core.refusals import Refused

log = structlog.get_logger(__name__)

TURN: Final = timedelta(seconds=20)  # then the worker is free for others
LEASE: Final = timedelta(seconds=60)  # after that whoever began a piece is taken for dead
TRIES: Final = 3
LARGEST: Final = 4 << 30  # bytes
FORGOTTEN_AT_ONCE: Final = 10


def run_some(*, now: datetime) -> int:
    """Work on exports for a while, and forget old ones; return how many pieces were made.

    Others may run it at the same time: each takes another export.
    """
    forget(now=now)
    made = 0
    while clock.now() < now + TURN:
        job = _take(at=clock.now())
        if job is None:
            break
        _make_piece(job)
        made += 1
    return made


def forget(*, now: datetime) -> int:
    """Delete some exports whose time is over; return how many."""
    old = list(ExportJob.objects.filter(expires_at__lte=now).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    with transaction.atomic():
        ExportPiece.objects.filter(job_id__in=old).delete()
        ExportJob.objects.filter(pk__in=old).delete()
    return len(old)


def _take(*, at: datetime) -> ExportJob | None:
    """Begin the next piece of the export that has waited longest, and note that, so that it is nobody else's."""
    with transaction.atomic():
        free = ExportJob.objects.filter(state__in=OPEN, expires_at__gt=at).exclude(
            worked_at__gt=at - LEASE, tries__gt=0
        )
        job = (
            free.select_for_update(skip_locked=True)
            .order_by(F("worked_at").asc(nulls_first=True), "pk")
            .first()
        )
        if job is None:
            return None
        job.state, job.worked_at, job.tries = ExportJob.State.RUNNING, at, job.tries + 1
        job.save(update_fields=["state", "worked_at", "tries"])
    return job


def _make_piece(job: ExportJob) -> None:
    if job.tries > TRIES:
        return _fail(job, "It broke off three times. Ask for it again; if it fails again, tell the operator.")
    export = exports().get(job.kind)
    if export is None or job.size > LARGEST:
        return _fail(job, "There is no such export any more." if export is None else "The file is too large.")
    try:
        chunk = export.read(job.studio_id, job.about, job.after)
    except Refused as refused:
        return _fail(job, refused.detail)
    except Exception:
        # It stays begun: a while later it is tried again.
        log.exception("export failed", export=job.kind, uuid=str(job.uuid), tries=job.tries)
        return None
    _keep(job, chunk, at=clock.now())
    return None


def _keep(job: ExportJob, chunk: Chunk, *, at: datetime) -> None:
    """Add a piece, unless somebody else did meanwhile, who took this worker for dead."""
    mine = ExportJob.objects.filter(pk=job.pk, pieces=job.pieces, state=ExportJob.State.RUNNING)
    ends = {"state": ExportJob.State.DONE, "percent": 100, "finished_at": at, "expires_at": at + KEPT}
    goes_on = {"percent": Least(max(0, chunk.percent), 99)}
    with transaction.atomic():
        is_mine = mine.update(
            after=chunk.after,
            pieces=F("pieces") + 1,
            rows=F("rows") + chunk.rows,
            size=F("size") + len(chunk.data),
            tries=0,
            **(ends if chunk.is_end else goes_on),
        )
        if is_mine:
            ExportPiece.objects.create(job_id=job.pk, number=job.pieces, packed=zlib.compress(chunk.data))


def _fail(job: ExportJob, error: str) -> None:
    """End an export that can't be made; its pieces are of no use."""
    log.warning("export given up", export=job.kind, uuid=str(job.uuid), error=error)
    with transaction.atomic():
        failed = ExportJob.objects.filter(pk=job.pk, state=ExportJob.State.RUNNING)
        if failed.update(
            state=ExportJob.State.FAILED, error=error, finished_at=clock.now(), pieces=0, size=0
        ):
            ExportPiece.objects.filter(job_id=job.pk).delete()
