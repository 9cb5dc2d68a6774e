"""Notes refusals that were given again at the door, without a look at the request (core/turned_away.py)."""

import re
from functools import cache
from typing import Final

from accounts.calls.notebook import REFUSED, Sort, notebook
from core import clock
from core.refusals import PROBLEMS

_CONVERTED: Final = re.compile(r"<(?:\w+:)?(\w+)>")


@cache
def as_documented(route: str) -> str:
    """Return an address as the API's documentation writes it: `<path:player>` as `{player}`."""
    return _CONVERTED.sub(r"{\1}", route)


def repeated(studio_id: int, method: str, route: str, slug: str) -> None:
    """Note one more of a studio's refusals; `route` is as Django writes it."""
    sort = Sort(studio_id, method, as_documented(route), PROBLEMS[slug].status, slug)
    notebook.sum(sort, REFUSED, at=clock.now().timestamp())
