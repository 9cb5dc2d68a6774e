"""Why something is done: what moderating calls ask for, and the audit log keeps."""

from core.audit import LONGEST_REASON
from core.endpoint import StrictSerializer, StrictText


class Reasoned(StrictSerializer):
    """Why it is done: somebody will ask."""

    reason = StrictText(
        max_length=LONGEST_REASON, help_text=f"1 to {LONGEST_REASON} characters; kept in the audit log."
    )
