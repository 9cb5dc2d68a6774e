"""What a page of analytics shows, as it stands in its address, and where its links lead."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.doorway import Visit
from accounts.selectors import GameInfo
from analytics.asking import Asked, asked
from analytics.rules.choosing import DEFAULT_WINDOW
from core import clock

WINDOWS: Final[dict[str, Promise]] = {
    "7d": _("7 days"),
    "30d": _("30 days"),
    "90d": _("90 days"),
    "365d": _("1 year"),
    "all": _("All"),
}
TABS: Final[dict[str, Promise]] = {
    "portal-analytics": _("Overview"),
    "analytics-achievements": _("Achievements"),
    "analytics-retention": _("Retention"),
    "analytics-funnel": _("Funnel"),
    "analytics-leaderboards": _("Leaderboards"),
    "analytics-stats": _("Stats"),
}
# Pages compare by themselves: what an address does not say is this.
_USUAL: Final = {"window": DEFAULT_WINDOW, "compare": "true"}
_KEPT: Final = ("window", "until", "compare", "achievements")  # from tab to tab
_OWN: Final = ("sort", "view", "stat", "page", "regions")


@dataclass(frozen=True, slots=True)
class Link:
    """A link, and whether it leads to what is shown."""

    label: Promise | str
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class State:
    """What a page shows: its tab, and what its address says."""

    visit: Visit
    tab: str
    said: dict[str, str]
    asked: Asked

    @property
    def game(self) -> GameInfo:
        """The game that it is about."""
        assert self.visit.game is not None  # the address names one
        return self.visit.game

    @property
    def has_before(self) -> bool:
        """Whether there is a span to compare with."""
        return self.asked.span.before() is not None

    @property
    def ends_today(self) -> bool:
        """Whether the last day is not over."""
        return self.asked.span.until == self.asked.today

    def windows(self) -> list[Link]:
        """Return the switch of windows."""
        here = self.asked.choice.window
        return [Link(label, self.here(window=name, page=""), name == here) for name, label in WINDOWS.items()]

    def tabs(self) -> list[Link]:
        """Return the tabs."""
        own = dict.fromkeys(_OWN, "")
        return [Link(label, self.to(name, **own), name == self.tab) for name, label in TABS.items()]

    def compare_url(self) -> str:
        """Return where the comparison is switched on or off."""
        return self.here(compare="false" if self.asked.choice.compare else "true")

    def here(self, **changes: str) -> str:
        """Return the page's own address with some things changed; an empty text takes one away."""
        return self.to(self.tab, **changes)

    def to(self, name: str, **changes: str) -> str:
        """Return a tab's address that shows the same but for changes."""
        return reverse(name, args=[self.visit.studio.studio_uuid, self.game.uuid]) + self.query(**changes)

    def file(self, table: str) -> str:
        """Return the address of a table's file."""
        address = reverse("analytics-file", args=[self.visit.studio.studio_uuid, self.game.uuid, table])
        return address + self.query(sort="", view="", page="", regions="")

    def query(self, **changes: str) -> str:
        """Return `?…` of what is not as usual."""
        said = {**self.said, **changes}
        kept = {name: value for name, value in said.items() if value and value != _USUAL.get(name)}
        return f"?{urlencode(kept)}" if kept else ""

    def fields(self, *without: str) -> list[tuple[str, str]]:
        """Return what a form on this page sends along."""
        return [(name, value) for name, value in self.said.items() if name not in without and name != "page"]

    @property
    def fields_of_days(self) -> list[tuple[str, str]]:
        """Return what the form sends along that asks for another last day."""
        return self.fields("until")


def state(request: HttpRequest, visit: Visit, tab: str) -> State:
    """Read a page's address; what it does not know it passes over. Raises Malformed."""
    said = {name: request.GET[name] for name in (*_KEPT, *_OWN) if request.GET.get(name)}
    assert visit.game is not None  # the address names one
    about = asked({**_USUAL, **said}, game_id=visit.game.id, now=clock.now())
    return State(visit, tab, said, about)
