"""How a person's data is sent."""

import os
from datetime import datetime
from typing import IO

from django.http import FileResponse

from accounts.finding import Known
from accounts.selectors import PlayerInfo
from care.exporting import file_name


def zip_answer(file: IO[bytes], person: Known | PlayerInfo, *, at: datetime) -> FileResponse:
    """Answer with an open zip file, which is closed when it is sent; it is kept by nobody on the way."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    answer = FileResponse(
        file, as_attachment=True, filename=file_name(person, at=at), content_type="application/zip"
    )
    answer["Content-Length"] = str(size)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer
