"""The rules by which a game's unlocks are weighed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements.portal.plausibility_forms import PlausibilityForm, initial
from achievements.selectors import definitions, plausibility
from achievements.services import plausibility as services
from core import clock
from core.forms import sent
from core.refusals import Invalid


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def rules(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the rules; a POST sets those that were touched."""
    assert visit.game is not None  # the address names it
    form = PlausibilityForm(sent(request), initial=initial(plausibility.document(visit.game.id)))
    if form.is_valid() and _is_set(request, visit, form):
        return redirect("plausibility", studio=visit.studio.studio_uuid, game=visit.game.uuid)
    offered = definitions.fresh_catalogue(visit.game.id).by_key.values()
    context = {
        "visit": visit,
        "here": "game-settings",
        "game": visit.game,
        "form": form,
        "offered": offered,
    }
    return render(request, "portal/plausibility/unlocks.html", context, status=422 if form.errors else 200)


def _is_set(request: HttpRequest, visit: Visit, form: PlausibilityForm) -> bool:
    """Set the rules of a valid form; say whether that went well, else the form says why not."""
    assert visit.game is not None
    try:
        changed = services.set_rules(
            game=visit.game, values=form.changes, keeps=True, actor=visit.actor, at=clock.now()
        )
    except Invalid as refused:
        for error in refused.errors:
            name = error["pointer"].lstrip("/")
            form.add_error(name if name in form.fields else None, error["detail"])
        return False
    messages.success(request, _("The rules are saved.") if changed else _("Nothing was different."))
    return True
