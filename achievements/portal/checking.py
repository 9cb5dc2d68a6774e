"""What a game's achievements lack by the guidelines of the stores that it goes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language_info, gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import GameInfo
from achievements import linting
from achievements.linting import Finding
from achievements.selectors import definitions
from achievements.selectors import linting as selectors
from achievements.selectors.definitions import Definition
from achievements.services import arranging
from core import clock

_SHOWN = 12  # of the achievements that a finding is about; the others are behind a click
_LINKED = 50  # of those; whoever mends so many looks again
_GROUPS = {
    "error": gettext_lazy("To mend"),
    "warning": gettext_lazy("To think about"),
    "hint": gettext_lazy("Small things"),
}
_ABOUT_ICONS = frozenset({"missing-icon", "icon-contrast", "duplicate-icon"})


@dataclass(frozen=True, slots=True)
class Link:
    """An achievement that a finding is about, and where it is changed."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as it is shown; `behind` says how many achievements are behind a click, those without a link too."""

    text: str
    stores: list[str]
    links: list[Link]
    more: list[Link]
    behind: int
    left: int


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one severity."""

    severity: str
    title: str
    findings: list[Told]


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.SEE_ANALYTICS)
def check(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what was found; choose a store, or leave it out from now on."""
    game = _game(visit)
    if request.method == "POST":
        visit.need(Act.WRITE_DEFINITIONS)
        return _choose(request, visit)
    stores = selectors.stores_of(game.id)
    found = selectors.findings(game, stores=stores, at=clock.now())
    by_key = definitions.fresh_catalogue(game.id).by_key
    context = {
        "visit": visit,
        "here": "achievements",
        "chips": [(store, name, store in stores) for store, name in linting.STORES.items()],
        "groups": _groups(visit, found, by_key),
        "count": len(found),
        "total": len(by_key),
    }
    return render(request, "portal/achievements/check.html", context)


def _choose(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Choose a store, or leave it out; what is no store, or is so already, changes nothing."""
    game, at = _game(visit), clock.now()
    for act, is_chosen in (("choose", True), ("leave", False)):
        store = request.POST.get(act)
        if store in linting.STORES:
            arranging.choose_store(game=game, store=store, is_chosen=is_chosen, actor=visit.actor, at=at)
    return redirect("check-achievements", studio=visit.studio.studio_uuid, game=game.uuid)


def _groups(visit: Visit, found: Sequence[Finding], by_key: Mapping[str, Definition]) -> list[Group]:
    told = {
        severity: [_told(visit, one, by_key) for one in found if one.severity == severity]
        for severity in _GROUPS
    }
    return [Group(severity, str(_GROUPS[severity]), those) for severity, those in told.items() if those]


def _told(visit: Visit, finding: Finding, by_key: Mapping[str, Definition]) -> Told:
    about = [by_key[key] for key in finding.keys if key in by_key]
    links = [Link(one.name, _where(visit, finding, one)) for one in about[:_LINKED]]
    return Told(
        gettext(finding.text) % {**finding.values, **_spoken(finding.values)},
        [linting.STORES[store] for store in finding.stores],
        links[:_SHOWN],
        links[_SHOWN:],
        len(about[_SHOWN:]),
        len(about[_LINKED:]),
    )


def _spoken(values: Mapping[str, object]) -> dict[str, str]:
    """Return a language by its name, where Django knows one for its tag."""
    try:
        return {"language": get_language_info(str(values["language"]))["name_translated"]}
    except KeyError:
        return {}


def _where(visit: Visit, finding: Finding, definition: Definition) -> str:
    """Return the page where an achievement is mended."""
    place = (visit.studio.studio_uuid, _game(visit).uuid)
    if finding.rule in _ABOUT_ICONS and visit.may(Act.WRITE_DEFINITIONS):
        return reverse("achievement-icon", args=(*place, definition.uuid))
    return f"{reverse('portal-achievements', args=place)}?{urlencode({'q': definition.key})}"


def _game(visit: Visit) -> GameInfo:
    assert visit.game is not None  # the address names it
    return visit.game
