"""The limits of a studio that are enforced here, and how much of them is used."""

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts import games, invitations, issued_keys, keyring, members
from accounts.models import Game, Tester
from core import clock
from core.idempotency import KEPT_DAYS
from core.items import LARGEST_BATCH
from core.limits import Limit
from core.strict_json import MAX_BYTES, MAX_DEPTH


def limits(studio_id: int) -> list[Limit]:
    """Return them (STUDIO_LIMITS)."""
    now = clock.now()
    invited = len(invitations.open_invitations(studio_id, at=now))
    rows = Tester.objects.filter(game__studio_id=studio_id).values("game").annotate(n=Count("pk"))
    most = rows.order_by("-n").first()
    title = Game.objects.values_list("title", flat=True).get(pk=most["game"]) if most else ""
    return [
        Limit(_("Members, those invited included"), members.MOST, members.count(studio_id) + invited),
        Limit(_("Open invitations"), invitations.MOST_OPEN, invited),
        Limit(_("API keys that work"), keyring.MOST_KEYS, len(issued_keys.live(studio_id, at=now))),
        Limit(_("Testers of one game"), games.MOST_TESTERS, most["n"] if most else 0, about=title),
        Limit(_("Writes of a key, by item"), _a_second("server-writes"), unit=_("a second")),
        Limit(_("Reads of a key"), _a_second("server-reads"), unit=_("a second")),
        Limit(_("Body of a call"), MAX_BYTES // 1024, unit="KiB"),
        Limit(_("Levels of JSON in a body"), MAX_DEPTH),
        Limit(_("Items in a batch"), LARGEST_BATCH),
        Limit(_("An Idempotency-Key is remembered"), KEPT_DAYS, unit=_("days")),
    ]


def _a_second(rate: str) -> int:
    return round(settings.RATES[rate].per_s)
