"""What of a studio's achievements needs somebody."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.doorway import Visit
from accounts.needs import Need, Severity
from accounts.roles import Act
from achievements.selectors import definitions, reports


def drafts(visit: Visit, _at: datetime) -> list[Need]:
    """Tell of drafts in games that are live: players don't see them."""
    if not visit.may(Act.WRITE_DEFINITIONS) or not visit.games:
        return []
    counts = definitions.counts_by_game([game.id for game in visit.games])
    waiting = [(game, counts[game.id][1]) for game in visit.games if all(counts[game.id][:2])]
    return [
        Need(
            Severity.INFO,
            "trophy",
            ngettext("A draft waits in %(game)s", "%(n)d drafts wait in %(game)s", n)
            % {"n": n, "game": game.title},
            _("Players see a draft once it is published."),
            _("See drafts"),
            reverse("portal-achievements", args=[visit.studio.studio_uuid, game.uuid]) + "?state=draft",
        )
        for game, n in waiting
    ]


def unanswered(visit: Visit, _at: datetime) -> list[Need]:
    """Tell of players' reports that nobody has answered."""
    if not visit.may(Act.CARE_FOR_PLAYERS):
        return []
    count = reports.open_count(visit.studio.studio_id)
    if not count:
        return []
    n = f"{reports.MOST_COUNTED - 1}+" if count >= reports.MOST_COUNTED else str(count)
    title = ngettext(
        "%(n)s report of a player is unanswered", "%(n)s reports of players are unanswered", count
    )
    text = _("Each has the trace of that moment attached.")
    url = reverse("portal-reports", args=[visit.studio.studio_uuid])
    return [Need(Severity.WARN, "message-circle", title % {"n": n}, text, pgettext("verb", "Answer"), url)]
