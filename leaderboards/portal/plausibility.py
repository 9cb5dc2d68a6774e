"""The rules by which scores are looked at before they count, of all boards of a game on one page."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from core import clock
from core.forms import PortalForm, sent
from core.refusals import Refused
from leaderboards.rules import scores as rules
from leaderboards.rules.plausibility import HIGHEST_Z, LEAST_PLAYERS, LOWEST_Z
from leaderboards.selectors import definitions
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import plausibility as services


class BoardForm(PortalForm):
    """A board's rules. What the sender did not touch is not written."""

    bound = forms.DecimalField(label=gettext_lazy("Bound"), required=False, show_hidden_initial=True)
    z_score = forms.DecimalField(
        label=gettext_lazy("Standard deviations"),
        required=False,
        show_hidden_initial=True,
        min_value=LOWEST_Z,
        max_value=HIGHEST_Z,
    )

    def __init__(self, *args: Any, board: BoardInfo, **kwargs: Any) -> None:
        """Show what holds now; a board that adds up has no z-score."""
        bound = None if board.flag_units is None else rules.exact(board.flag_units, decimals=board.decimals)
        z_score = None if board.flag_z is None else Decimal(str(board.flag_z))
        super().__init__(*args, prefix=f"b{board.id}", initial={"bound": bound, "z_score": z_score}, **kwargs)
        self.fields["bound"].widget.attrs.update({"step": "any", "aria-label": self._called("bound", board)})
        self.fields["z_score"].widget.attrs.update(
            {"step": "any", "aria-label": self._called("z_score", board)}
        )
        if board.operator == "sum":
            del self.fields["z_score"]

    def _called(self, name: str, board: BoardInfo) -> str:
        return f"{self.fields[name].label}: {board.name}"


@dataclass(frozen=True, slots=True)
class Row:
    """A board and its form."""

    board: BoardInfo
    form: BoardForm


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def rules_of_scores(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the rules of every board; a POST sets those that were touched: all of them, or none."""
    assert visit.game is not None  # the address names it
    boards = [one for one in definitions.fresh_boards(visit.game.id).values() if not one.archived]
    rows = [Row(one, BoardForm(sent(request), board=one)) for one in boards]
    valid = [row.form.is_valid() for row in rows]  # each is to show its errors
    if request.method == "POST" and all(valid) and _are_set(visit, rows):
        messages.success(request, _("The rules are saved."))
        return redirect("plausibility-scores", studio=visit.studio.studio_uuid, game=visit.game.uuid)
    is_refused = any(row.form.errors for row in rows)
    context = {
        "visit": visit,
        "here": "game-settings",
        "game": visit.game,
        "rows": rows,
        "least": LEAST_PLAYERS,
        "is_refused": is_refused,
    }
    return render(request, "portal/plausibility/scores.html", context, status=422 if is_refused else 200)


def _are_set(visit: Visit, rows: list[Row]) -> bool:
    """Set the rules of valid forms; say whether that went well, else a form says why not."""
    assert visit.game is not None
    with transaction.atomic():
        for row in rows:
            if not row.form.changed_data:
                continue
            try:
                services.set_rules(
                    game=visit.game,
                    key=row.board.key,
                    values={name: row.form.cleaned_data[name] for name in row.form.changed_data},
                    keeps=True,
                    actor=visit.actor,
                    at=clock.now(),
                )
            except Refused as refused:
                _refuse(row.form, refused)
                transaction.set_rollback(True)
                return False
    definitions.forget()
    return True


def _refuse(form: BoardForm, refused: Refused) -> None:
    for error in refused.errors or [{"pointer": "", "detail": refused.detail}]:
        name = error["pointer"].lstrip("/")
        form.add_error(name if name in form.fields else None, error["detail"])
