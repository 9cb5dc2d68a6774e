"""What a member of a studio should hear of, told from what the rooms keep anyway (ADR 0049).

Nothing is written for it: who did what is in the audit log, what waits in its own tables. A member has one mark, until
when everything is read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import issued_keys
from accounts.doorway import Visit
from accounts.roles import Act
from achievements.selectors import reports
from care import keys
from care.selectors.inbox_deeds import DEEDS, deeds
from core import reviewing, spoken
from core.audit import entries
from core.exports import made

SPAN: Final = timedelta(days=30)  # older ones are in the audit log and on the pages of what they are about
SHOWN: Final = 100
KEPT_S: Final = 20
ENDS_SOON: Final = timedelta(days=7)
MOST_COUNTED: Final = 100
_MOST_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class News:
    """Something to hear of.

    Attributes:
        at: when it happened; of several at once, the latest.
        icon: a symbol of `static/icons.svg`; `tone` colours it: bad, warn, info or nothing.
        title, text: what happened, and what it means.
        url: where one sees more of it.
        is_new: whether it happened after the member's mark.

    """

    at: datetime
    icon: str
    title: str
    text: str
    url: str
    tone: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """For whom, since when, and now."""

    visit: Visit
    since: datetime
    at: datetime

    @property
    def studio_id(self) -> int:
        return self.visit.studio.studio_id

    def url(self, name: str) -> str:
        return reverse(name, args=[self.visit.studio.studio_uuid])

    def is_new(self, at: datetime) -> bool:
        return at > self.visit.studio.seen_at


def news(visit: Visit, *, at: datetime) -> list[News]:
    """Return what the visitor's role may hear of the last SPAN, newest first, at most SHOWN; in ten queries at most."""
    return _since(visit, at - SPAN, at)[:SHOWN]


def unread(visit: Visit, *, at: datetime) -> int:
    """Return how much of it is new, at most MOST_COUNTED, and at most KEPT_S ago: a page costs one look into Valkey."""
    key = keys.unread(visit.user.pk, visit.studio)
    found: int | None = cache.get(key)
    if found is None:
        found = min(len(_since(visit, max(visit.studio.seen_at, at - SPAN), at)), MOST_COUNTED)
        cache.set(key, found, KEPT_S)
    return found


def _since(visit: Visit, since: datetime, at: datetime) -> list[News]:
    asked = _Asked(visit, since, at)
    found = [one for source in _SOURCES for one in source(asked)]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _deeds(asked: _Asked) -> list[News]:
    """Tell of what colleagues and the platform did, many of a kind at once as one."""
    actions = [action for action, needs in DEEDS.items() if asked.visit.may(needs)]
    found = entries.latest(
        asked.studio_id, actions, since=asked.since, but_by=asked.visit.actor, each=_MOST_OF_A_KIND
    )
    return [
        News(one.at, one.icon, one.title, one.text, one.url, one.tone, asked.is_new(one.at))
        for one in deeds(asked.visit, found, is_new=asked.is_new)
    ]


def _exports(asked: _Asked) -> list[News]:
    if not asked.visit.may(Act.SEE_ANALYTICS):
        return []
    told = []
    for export, at in made.finished(asked.studio_id, asked.visit.actor, since=asked.since, at=asked.at):
        if export.is_done:
            title = _("Your export of %(title)s is ready") % {"title": export.title}
            until = {"when": spoken.day(export.expires_at, "j M, H:i")}
            text, tone = _("It is kept until %(when)s UTC.") % until, ""
        else:
            title = _("Your export of %(title)s failed") % {"title": export.title}
            text, tone = _("Nothing of it is kept. Ask for it again."), "bad"
        told.append(News(at, "download", title, text, asked.url("portal-exports"), tone, asked.is_new(at)))
    return told


def _keys(asked: _Asked) -> list[News]:
    if not asked.visit.may(Act.MANAGE_KEYS):
        return []
    told = []
    for name, ends_at in issued_keys.ending(asked.studio_id, at=asked.since, before=asked.at + ENDS_SOON):
        ended = ends_at <= asked.at
        at = ends_at if ended else ends_at - ENDS_SOON
        if at <= asked.since:
            continue
        told_of = {"name": name, "when": spoken.day(ends_at, "j M, H:i")}
        if ended:
            title = _("The API key “%(name)s” has ended") % told_of
            text, tone = _("What is sent with it is refused since %(when)s UTC.") % told_of, "bad"
        else:
            title = _("The API key “%(name)s” ends soon") % told_of
            text, tone = _("It works until %(when)s UTC.") % told_of, "warn"
        told.append(News(at, "key", title, text, asked.url("keys"), tone, asked.is_new(at)))
    return told


def _flags(asked: _Asked) -> list[News]:
    if not asked.visit.may(Act.CARE_FOR_PLAYERS):
        return []
    heard = reviewing.heard(asked.studio_id, since=asked.since, most=MOST_COUNTED)
    text = _("What is held back counts on no board and in no percentage until somebody decides.")

    def title(n: str, count: int) -> str:
        said = ngettext(
            "%(n)s entry came into the review queue", "%(n)s entries came into the review queue", count
        )
        return said % {"n": n}

    return _waiting(asked, heard, "hourglass", title, text, asked.url("review-queue"))


def _reports(asked: _Asked) -> list[News]:
    if not asked.visit.may(Act.SEE_PLAYERS):
        return []
    opened = reports.opened(asked.studio_id, since=asked.since, most=MOST_COUNTED)

    def title(n: str, count: int) -> str:
        said = ngettext("%(n)s report of a player came in", "%(n)s reports of players came in", count)
        return said % {"n": n}

    text = _("Each has the trace of that moment attached.")
    return _waiting(asked, opened, "message-circle", title, text, asked.url("portal-reports"))


def _waiting(
    asked: _Asked,
    times: Sequence[datetime],
    icon: str,
    title: Callable[[str, int], str],
    text: str,
    url: str,
) -> list[News]:
    """Tell of what still waits: what is new as one, and what was there before as another."""
    told = []
    for is_new in (True, False):
        part = [at for at in times if asked.is_new(at) == is_new]
        if part:
            n = f"{MOST_COUNTED - 1}+" if len(part) >= MOST_COUNTED else str(len(part))
            told.append(News(part[0], icon, title(n, len(part)), text, url, "warn", is_new))
    return told


_SOURCES: Final[tuple[Callable[[_Asked], Iterable[News]], ...]] = (_deeds, _exports, _keys, _flags, _reports)
