"""What a process notes of calls until it is written: bounded whatever comes, and cheap for who notes.

A studio's calls are noted whole as long as its budget lasts, then they are only summed up; what there is no room for
is counted.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from accounts.calls.models import CallCount
from core.refusals import Told

# A studio by its id, or whoever a key belongs to, by its hash: that is looked up when it is written.
Owner = int | bytes
# Plain texts: an enumeration's are hashed by Python code, at each call.
OK: Final = CallCount.Ending.OK.value
REFUSED: Final = CallCount.Ending.REFUSED.value
FAILED: Final = CallCount.Ending.FAILED.value
MISSED: Final = CallCount.Ending.MISSED.value

# Calls of a studio that are noted whole: so many at once, and so many more each second.
REFUSALS: Final = (100.0, 0.5)  # 1,800 an hour, a hundred MB a day at most
SAMPLES: Final = (20.0, 0.1)
MOST_CALLS: Final = 2_000  # of all studios, until they are written
MOST_OF_KEYS: Final = 200  # of those, by keys that nobody has looked up yet: most are made up
MOST_KEYS: Final = 1_000
MOST_BODY_BYTES: Final = 8 * 1024 * 1024
MOST_SUMS: Final = 5_000
MOST_SUMS_OF_ONE: Final = 100
MOST_OWNERS: Final = 20_000
FIRST_REFUSAL: Final = 400  # of the statuses


@dataclass(frozen=True, slots=True)
class Noted:
    """A call, as the request knew it; `at` are seconds since 1970, `body` is as it was sent."""

    at: float
    owner: Owner
    key_id: int | None
    game: UUID | str | None
    method: str
    route: str
    path: str
    status: int
    told: Told
    weight: int
    duration_us: int
    request_id: str
    address: str
    body: bytes
    body_bytes: int

    @property
    def is_refused(self) -> bool:
        """Say whether it is no sample of the others."""
        return self.status >= FIRST_REFUSAL


@dataclass(frozen=True, slots=True)
class Sort:
    """What summed-up calls have in common; without method and route if there are too many sorts of a studio's."""

    owner: Owner
    method: str
    route: str
    status: int
    slug: str


@dataclass(slots=True)
class Page:
    """What was noted until it was taken."""

    calls: list[Noted] = field(default_factory=list)
    sums: dict[Sort, list[float]] = field(default_factory=dict)  # how many, and when the last was
    counts: Counter[tuple[Owner, str]] = field(default_factory=Counter)
    keys: set[bytes] = field(default_factory=set)
    sorts_of: Counter[Owner] = field(default_factory=Counter)
    body_bytes: int = 0
    calls_of_keys: int = 0


class Notebook:
    """A process's notes; every method may be called by any thread."""

    def __init__(self) -> None:
        """Begin with an empty page."""
        self._lock = threading.Lock()
        self._page = Page()
        # When it was looked at, and what there was then; for refused calls and for samples.
        self._budgets: dict[tuple[Owner, bool], tuple[float, float]] = {}

    def count(self, studio_id: int, ending: str) -> None:
        """Count a call of which nothing else is noted."""
        with self._lock:
            self._page.counts[studio_id, ending] += 1

    def note(self, call: Noted, ending: str) -> None:
        """Count a call and note it: whole, in sum, or not at all."""
        with self._lock:
            page = self._page
            if isinstance(call.owner, bytes) and not self._knows(page, call.owner):
                return
            page.counts[call.owner, ending] += 1
            if not self._has_budget(call.owner, call.is_refused, call.at):
                sort = Sort(call.owner, call.method, call.route, call.status, call.told.slug)
                self._add(page, sort, call.weight, call.at)
            elif len(page.calls) >= MOST_CALLS or not self._has_place(page, call.owner):
                self._miss(page, call)
            else:
                page.calls.append(self._fitting(page, call))

    def sum(self, sort: Sort, ending: str, *, at: float) -> None:
        """Count a call of which no more is known than its sort, and sum it up."""
        with self._lock:
            self._page.counts[sort.owner, ending] += 1
            self._add(self._page, sort, 1, at)

    def take(self, *, sums: bool) -> Page:
        """Return what was noted, and begin anew; sums stay, and go on, unless they are asked for."""
        with self._lock:
            page, self._page = self._page, Page()
            if not sums:
                self._page.sums, page.sums = page.sums, {}
                self._page.sorts_of = page.sorts_of
        return page

    def put_back(self, page: Page) -> None:
        """Take back what could not be written, as far as there is room: before what was noted since."""
        with self._lock:
            now = self._page
            now.counts.update(page.counts)
            now.keys |= page.keys
            room = max(0, MOST_CALLS - len(now.calls))
            for call in page.calls[room:]:
                self._miss(now, call)
            now.calls[:0] = page.calls[:room]
            now.body_bytes += sum(len(call.body) for call in page.calls[:room])
            for sort, (count, last) in page.sums.items():
                self._add(now, sort, count, last)

    def forget(self) -> None:
        """Forget everything (between tests)."""
        with self._lock:
            self._page = Page()
            self._budgets.clear()

    def _knows(self, page: Page, key: bytes) -> bool:
        if key not in page.keys:
            if len(page.keys) >= MOST_KEYS:
                return False
            page.keys.add(key)
        return True

    def _has_budget(self, owner: Owner, is_refused: bool, at: float) -> bool:
        most, refilled_each_s = REFUSALS if is_refused else SAMPLES
        if len(self._budgets) >= MOST_OWNERS and (owner, is_refused) not in self._budgets:
            self._budgets.clear()
        seen_at, left = self._budgets.get((owner, is_refused), (at, most))
        left = min(most, left + max(0.0, at - seen_at) * refilled_each_s)
        has_some = left >= 1.0
        self._budgets[owner, is_refused] = (max(at, seen_at), left - 1.0 if has_some else left)
        return has_some

    def _has_place(self, page: Page, owner: Owner) -> bool:
        if isinstance(owner, int):
            return True
        page.calls_of_keys += 1
        return page.calls_of_keys <= MOST_OF_KEYS

    def _fitting(self, page: Page, call: Noted) -> Noted:
        if page.body_bytes + len(call.body) > MOST_BODY_BYTES:
            return replace(call, body=b"")
        page.body_bytes += len(call.body)
        return call

    def _add(self, page: Page, sort: Sort, count: float, last: float) -> None:
        if sort not in page.sums and page.sorts_of[sort.owner] >= MOST_SUMS_OF_ONE:
            sort = Sort(sort.owner, "", "", sort.status, sort.slug)
        known = page.sums.get(sort)
        if known is not None:
            known[0] += count
            known[1] = max(known[1], last)
        elif len(page.sums) < MOST_SUMS:
            page.sums[sort] = [count, last]
            page.sorts_of[sort.owner] += 1
        elif sort.status >= FIRST_REFUSAL:
            page.counts[sort.owner, MISSED] += int(count)

    def _miss(self, page: Page, call: Noted) -> None:
        if call.is_refused:
            page.counts[call.owner, MISSED] += 1


notebook = Notebook()
