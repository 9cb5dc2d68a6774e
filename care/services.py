"""What is done with a person's data by who looks after players."""

from datetime import datetime
from typing import IO

from care import exporting
from care.exporting import Subject
from core import audit


def export(subject: Subject, *, reason: str, actor: str, at: datetime) -> IO[bytes]:
    """Return a person's data of a studio as a zip file, and note who took it and why.

    It is no transaction: one that reads for long would keep listeners from going on.
    """
    file = exporting.write(subject, at=at)
    try:
        audit.record(
            studio_id=subject.studio_id,
            actor=actor,
            action="player.export",
            kind="player",
            object_id=subject.person.uuid,
            reason=reason,
            at=at,
        )
    except BaseException:
        file.close()
        raise
    return file
