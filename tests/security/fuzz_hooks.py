"""What the schema can't say of a request, for Schemathesis (test_api_fuzz.py): such refusals are no failures."""

from typing import Any, Final

from schemathesis import Case, HookContext, Response, hook
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData

# Cursors are signed; days and years end with today; lists by commas and languages have rules of their own; and of what
# is asked for together the schema of a query or of the simplest body tells nothing.
_UNSAID: Final = (
    "A funnel has",
    "The cursor",
    "The language ",
    "The year must be",
    "`cursor` and `offset` both",
    "`everything` is asked for alone",
    "`since` is not a cursor",
    "`stores` names",
    "`until` is",
)


@hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Say whether it is one."""
    if isinstance(failure, AcceptedNegativeData):
        return not _is_trimmed(case.body)
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    return not str(response.json()["detail"]).startswith(_UNSAID)


def _is_trimmed(body: object) -> bool:
    """Say whether the outer white space of a text may be why it is longer than it may be: it is not counted."""
    return isinstance(body, dict) and any(
        isinstance(value, str) and value != value.strip() for value in body.values()
    )
