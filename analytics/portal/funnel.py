"""The page where players stop: its steps are chosen in its address, and kept for the game if somebody wants that."""

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from analytics import tables
from analytics.asking import steps_named
from analytics.portal.pages import head
from analytics.portal.state import State, state
from analytics.rules.choosing import FEWEST_STEPS, MOST_STEPS, join_steps
from analytics.selectors import funnels
from analytics.services.choosing import choose_steps
from core import clock

LISTED: Final = 500  # achievements that are proposed while somebody types


@dataclass(frozen=True, slots=True)
class EditedStep:
    """A step of the list, and where its links lead; an empty one leads nowhere."""

    step: tables.Step
    up: str
    down: str
    without: str


def steps_of(here: State) -> list[Definition]:
    """Return the steps that an address names, or the game's own. Raises Malformed and NotFound."""
    said = here.said.get("achievements")
    return steps_named(here.game.id, said) if said else list(funnels.usual_steps(here.game.id))


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def funnel(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show where players stop; `add` names an achievement that is to be the next step."""
    here = state(request, visit, "analytics-funnel")
    steps = steps_of(here)
    published = [one for one in definitions.fresh_catalogue(here.game.id).by_key.values() if one.is_published]
    typed = request.GET.get("add", "").strip()
    if typed:
        added, refused = _added(typed, steps, published)
        if added is not None:
            return redirect(here.here(achievements=_joined([*steps, added])))
    else:
        refused = ""
    found = funnels.funnel(here.game.id, [one.id for one in steps]) if steps else None
    listed = tables.steps(((one.key, one.name) for one in steps), found.reached if found else ())
    shown = head(here) | {
        "steps": listed,
        "edited": _edited(here, steps, listed),
        "counted_at": found.as_of if found else None,
        "choices": [one for one in published if one not in steps][:LISTED],
        "may_add": len(steps) < MOST_STEPS,
        "most": MOST_STEPS,
        "typed": typed,
        "refused": refused,
        "is_chosen": "achievements" in here.said,
        "has_own": funnels.has_own(here.game.id),
        "joined": _joined(steps),
        "usual_url": here.here(achievements=""),
        "csv_url": here.file("funnel"),
        "others": here.fields("achievements"),
        "keep_url": reverse("keep-funnel", args=[visit.studio.studio_uuid, here.game.uuid]),
    }
    return render(request, "portal/analytics/funnel.html", shown, status=422 if refused else 200)


def _added(typed: str, steps: list[Definition], published: list[Definition]) -> tuple[Definition | None, str]:
    """Return the achievement that a text means, by its key or name, or why there is none."""
    found = next((one for one in published if one.key == typed), None) or next(
        (one for one in published if one.name.casefold() == typed.casefold()), None
    )
    if found is None:
        return None, _("No published achievement has this key or name.")
    if found in steps:
        return None, _("It is a step already: move it instead.")
    if len(steps) >= MOST_STEPS:
        return None, _("A funnel has %(most)d steps at most: remove one first.") % {"most": MOST_STEPS}
    return found, ""


def _edited(here: State, steps: list[Definition], listed: list[tables.Step]) -> list[EditedStep]:
    def moved(n: int, to: int) -> str:
        if not 0 <= to < len(steps):
            return ""
        order = [one for one in steps if one is not steps[n]]
        return here.here(achievements=_joined([*order[:to], steps[n], *order[to:]]))

    return [
        EditedStep(
            one,
            moved(n, n - 1),
            moved(n, n + 1),
            here.here(achievements=_joined([*steps[:n], *steps[n + 1 :]]))
            if len(steps) > FEWEST_STEPS
            else "",
        )
        for n, one in enumerate(listed)
    ]


def _joined(steps: list[Definition]) -> str:
    return join_steps([one.key for one in steps])


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def keep_funnel(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Keep the steps as the game's own; without any, show what most players unlocked again."""
    here = state(request, visit, "analytics-funnel")
    text = request.POST.get("achievements", "")
    steps = steps_named(here.game.id, text) if text else []
    choose_steps(here.game, steps, actor=visit.actor, at=clock.now())
    messages.success(
        request, _("These steps are the game's funnel.") if steps else _("The usual steps are back.")
    )
    return redirect(here.here(achievements=""))
