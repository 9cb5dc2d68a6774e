"""What `manage.py` warns of before it begins, also where it migrates."""

from typing import Any

from django.conf import settings
from django.core import checks


@checks.register()
def ledger_outlives_its_process(**_: Any) -> list[checks.CheckMessage]:
    """Warn where copies of the ledger may go with a container: pictures are in a bucket, and they are in a folder."""
    is_apart = settings.MEDIA_STORE_URL.startswith("s3://")
    if not settings.IN_PRODUCTION or not is_apart or settings.ERASURE_LEDGER_URL.startswith("s3://"):
        return []
    return [
        checks.Warning(
            f"Copies of the ledger of erasures are kept in {settings.ERASURE_LEDGER_URL}, while pictures are in a "
            "bucket. If that folder goes with its container, a restore brings erased people back.",
            hint="Set ERASURE_LEDGER_URL to s3://bucket/prefix, then run `manage.py erasures --copy` once.",
            id="accounts.W001",
        )
    ]
