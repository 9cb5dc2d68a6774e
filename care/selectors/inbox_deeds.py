"""Deeds of the audit log as a member's inbox tells them: in words, and many of a kind at once as one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import named
from accounts.doorway import Visit
from accounts.portal import deeds as words
from accounts.roles import Act
from core.audit.entries import Entry
from webhooks import selectors as webhooks

STOPPED, PUBLISHED, IMPORTED = "webhook.disable", "achievement.publish", "achievement.import"
JOINED, ISSUED, ROTATED, REVOKED = "invitation.accept", "key.issue", "key.rotate", "key.revoke"
# What is told of, and what one must be allowed to hear of it.
DEEDS: Final = {
    STOPPED: Act.MANAGE_KEYS,
    PUBLISHED: Act.SEE_ANALYTICS,
    IMPORTED: Act.SEE_ANALYTICS,
    JOINED: Act.MANAGE_STUDIO,
    ISSUED: Act.MANAGE_KEYS,
    ROTATED: Act.MANAGE_KEYS,
    REVOKED: Act.MANAGE_KEYS,
}
AT_ONCE: Final = timedelta(minutes=10)  # what somebody publishes within so long of each other is one thing
_MOST_HOOKS = 100
_NAMED = 3  # achievements by key


@dataclass(frozen=True, slots=True)
class Told:
    """A deed, or several, in words."""

    at: datetime
    icon: str
    title: str
    text: str
    url: str
    tone: str = ""


def deeds(visit: Visit, found: Sequence[Entry], *, is_new: Callable[[datetime], bool]) -> list[Told]:
    """Return entries, newest first, in words; in two queries, and a third where a webhook was stopped."""
    who = named.actors(visit.studio.studio_id, {one.actor for one in found})
    keys = named.things(
        visit.studio.studio_id, {(one.kind, one.object_id) for one in found if one.kind == "key"}
    )
    hosts = _hosts(visit) if any(one.action == STOPPED for one in found) else {}
    told = []
    for group in _grouped(found, is_new):
        first = group[0]
        name = str(words.ACTORS.get(first.actor) or who.get(first.actor) or first.actor)
        if first.action == PUBLISHED:
            told.append(_published(visit, group, name))
        elif first.action == STOPPED:
            told.append(_stopped(visit, first, hosts))
        elif first.action == IMPORTED:
            told.append(_imported(visit, first, name))
        elif first.action == JOINED:
            told.append(_joined(visit, first, name))
        else:
            told.append(_key(visit, first, name, keys.get((first.kind, first.object_id), "")))
    return told


def _grouped(found: Sequence[Entry], is_new: Callable[[datetime], bool]) -> list[list[Entry]]:
    """Return what one person published of one game in one go as one, all else alone."""
    groups: list[list[Entry]] = []
    published: dict[tuple[str, str, bool], list[list[Entry]]] = {}
    for one in found:
        if one.action != PUBLISHED:
            groups.append([one])
            continue
        runs = published.setdefault((one.actor, one.object_id, is_new(one.at)), [])
        if runs and runs[-1][-1].at - one.at <= AT_ONCE:
            runs[-1].append(one)
        else:
            runs.append([one])
            groups.append(runs[-1])
    return groups


def _hosts(visit: Visit) -> Mapping[str, str]:
    listed = webhooks.endpoints(visit.studio.studio_id, limit=_MOST_HOOKS)
    return {str(one.uuid): urlsplit(one.url).hostname or one.url for one in listed}


def _title(visit: Visit, uuid: str) -> str:
    games = (*visit.games, *visit.put_away)
    return next((one.title for one in games if str(one.uuid) == uuid), "–")


def _game_page(visit: Visit, name: str, uuid: str) -> str:
    return reverse(name, args=[visit.studio.studio_uuid, uuid])


def _published(visit: Visit, group: Sequence[Entry], who: str) -> Told:
    keys = list(dict.fromkeys(key for one in group for key in _keys_of(one)))
    told = {"who": who, "n": len(keys), "game": _title(visit, group[0].object_id)}
    title = ngettext(
        "%(who)s published an achievement of %(game)s",
        "%(who)s published %(n)s achievements of %(game)s",
        len(keys),
    )
    text = ", ".join(keys[:_NAMED]) + (" …" if len(keys) > _NAMED else "")
    url = _game_page(visit, "portal-achievements", group[0].object_id)
    return Told(group[0].at, "trophy", title % told, text, url)


def _keys_of(entry: Entry) -> Iterable[str]:
    listed = entry.details.get("keys") or [entry.details.get("key")]
    return [str(key) for key in listed if key]


def _imported(visit: Visit, entry: Entry, who: str) -> Told:
    title = _("%(who)s imported a file into %(game)s") % {"who": who, "game": _title(visit, entry.object_id)}
    counts = {name: entry.details.get(name, 0) for name in ("created", "updated")}
    text = _("%(created)s new, %(updated)s changed.") % counts
    return Told(entry.at, "upload", title, text, _game_page(visit, "portal-achievements", entry.object_id))


def _joined(visit: Visit, entry: Entry, who: str) -> Told:
    title = _("%(who)s accepted an invitation") % {"who": who}
    url = reverse("members", args=[visit.studio.studio_uuid])
    return Told(entry.at, "user-plus", title, _("A member of the studio from now on."), url)


def _stopped(visit: Visit, entry: Entry, hosts: Mapping[str, str]) -> Told:
    """Tell of a webhook that was given up; of one that was deleted since, the list."""
    host, studio = hosts.get(entry.object_id), visit.studio.studio_uuid
    if host is None:
        return Told(
            entry.at,
            "webhook",
            _("A webhook was stopped"),
            _("It was deleted since."),
            reverse("portal-webhooks", args=[studio]),
            "bad",
        )
    text = _("%(host)s gets nothing any more. What happens is kept for a week, to be sent again.")
    url = reverse("portal-webhook", args=[studio, entry.object_id])
    return Told(entry.at, "webhook", _("A webhook was stopped"), text % {"host": host}, url, "bad")


def _key(visit: Visit, entry: Entry, who: str, name: str) -> Told:
    title = {
        ISSUED: _("%(who)s made an API key"),
        ROTATED: _("%(who)s rotated an API key"),
        REVOKED: _("%(who)s revoked an API key"),
    }[entry.action]
    text = f"{name} · {entry.reason}" if name and entry.reason else name or entry.reason
    return Told(entry.at, "key", title % {"who": who}, text, reverse("keys", args=[visit.studio.studio_uuid]))
