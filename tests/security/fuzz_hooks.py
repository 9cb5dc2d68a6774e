"""What the schema can't say of a request, for Schemathesis (test_api_fuzz.py): such refusals are no failures.

What there is no room for just now, as on a machine that stalls, is sent again: all that is judged is the last answer.
"""

import time
from typing import Any, Final

from schemathesis import Case, HookContext, Response, hook
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.transport.requests import RequestsTransport

# Of one that is refused each time; it is told to wait for some seconds between them.
_TRIES: Final = 10
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
_send: Final = RequestsTransport.send


def _send_until_there_is_room(self: RequestsTransport, case: Case[Any], **options: Any) -> Response:
    for left in reversed(range(_TRIES)):
        response = _send(self, case, **options)
        if response.status_code != 503 or b"/problems/unavailable" not in response.content:
            break
        time.sleep(float(response.headers["retry-after"][0]) if left else 0)
    return response


# There is no hook that could do so for the checks' own requests, too.
RequestsTransport.send = _send_until_there_is_room  # type: ignore[method-assign]


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
