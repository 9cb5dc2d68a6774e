"""A player's inbox on the player site: what he was told by day, and what he wants to be told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as accounts
from accounts.visitors import Visitor, visitors_page
from achievements.selectors.definitions import names_in
from core import clock, spoken
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from leaderboards.selectors import definitions as boards
from social import choosing, selectors, services
from social import preferences as kept
from social.choosing import Change
from social.events import LEADERBOARD_UPDATED
from social.inbox_words import KINDS, Item, Names, item, place
from social.rules import minute_of, time_of
from social.selectors import NotificationInfo
from social.selectors.inboxes import Inbox

DEFAULT_THEME: Final = "dark"
MOST_NEW: Final = 20  # before the list by day; all of them stand under the filter
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Day:
    """What came on one day, where the player lives."""

    title: str
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the inbox a page shows; the empty kind is every kind."""

    kind: str
    only_unread: bool
    cursor: str

    @classmethod
    def by(cls, request: HttpRequest) -> "Asked":
        """Read an address; a kind that does not exist is none."""
        kind = request.GET.get("kind", "")
        return cls(
            kind if kind in KINDS else "", request.GET.get("unread") == "1", request.GET.get("cursor", "")
        )

    def query(self, **changes: str) -> str:
        """Return the query of this part, or of one that differs."""
        parts = {"kind": self.kind, "unread": "1" if self.only_unread else "", **changes}
        return urlencode({name: value for name, value in parts.items() if value})


@require_safe
@visitors_page
def inbox(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what the visitor was told: on the first page what is unread before all, then the rest by day."""
    asked, player = Asked.by(request), visitor.player
    whole = Inbox(player.id)
    kind, now = asked.kind or None, clock.now()
    newest = selectors.notifications(whole, limit=1)  # first: what comes meanwhile is not marked as read
    new = []
    if not asked.only_unread and not asked.cursor:
        new = selectors.notifications(whole, unread=True, kind=kind, limit=MOST_NEW + 1)
    listed = f"my inbox {player.id} {asked.query()}"
    found = selectors.notifications(
        whole,
        unread=asked.only_unread,
        read=not asked.only_unread,
        kind=kind,
        before_seq=decode_cursor(listed, asked.cursor)[0] if asked.cursor else None,
        limit=PAGE + 1,
    )
    shown, names = found[:PAGE], _names([*new, *found], language=player.language)
    more = encode_cursor(listed, [shown[-1].seq]) if len(found) > PAGE else ""
    context = {
        "new": [item(one, names=names) for one in new[:MOST_NEW]],
        "more_new": f"?{asked.query(unread='1')}" if len(new) > MOST_NEW else "",
        "days": list(_by_day(shown, names=names, zone=clock.zone(player.time_zone), now=now)),
        "more": f"?{asked.query(cursor=more)}" if more else "",
        "asked": asked,
        "filters": _filters(asked),
        "newest": newest[0].seq if newest else 0,
        "here": "inbox",
        "default_theme": DEFAULT_THEME,
    }
    return render(request, "player/inbox.html", context)


@require_POST
@visitors_page
def read(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Mark one thing of the visitor's as read, or all that he has seen, and go back to what was shown."""
    uuid, newest = parse_id(request.POST.get("id", "")), request.POST.get("newest", "")
    if uuid is not None:
        services.mark_read(Inbox(visitor.player.id), uuids=[uuid], at=clock.now())
    elif newest.isascii() and newest.isdigit() and len(newest) < 19:
        services.mark_read(Inbox(visitor.player.id), uuids=None, at=clock.now(), until_seq=int(newest))
    query = Asked(
        request.POST.get("kind", ""), request.POST.get("unread") == "1", request.POST.get("cursor", "")
    )
    return redirect(f"{reverse('player-inbox')}?{query.query(cursor=query.cursor)}")


class PreferencesForm(forms.Form):
    """What a player is told, which way, and when not."""

    quiet_from = forms.CharField(required=False, label="Quiet from")
    quiet_until = forms.CharField(required=False, label="until")

    def __init__(self, *args: Any, **named: Any) -> None:
        """Offer every kind."""
        super().__init__(*args, **named)
        for kind in KINDS:
            for way in ("inbox", "push"):
                self.fields[f"{way}:{kind}"] = forms.BooleanField(required=False)
        for name in ("quiet_from", "quiet_until"):
            self.fields[name].widget = forms.TimeInput(attrs={"type": "time"})

    def clean(self) -> dict[str, Any]:
        """Take both hours or none."""
        cleaned = super().clean() or {}
        begins, ends = (self._minute(cleaned.get(name) or "", name) for name in ("quiet_from", "quiet_until"))
        if not self.errors and (begins is None) != (ends is None):
            self.add_error("quiet_until" if ends is None else "quiet_from", "Give both hours, or none.")
        if begins is not None and begins == ends:
            self.add_error("quiet_until", "Give another hour than the first one.")
        cleaned["quiet"] = None if begins is None or ends is None else (begins, ends)
        return cleaned

    def _minute(self, text: str, name: str) -> int | None:
        try:
            return minute_of(text) if text else None
        except ValueError:
            self.add_error(name, "Give a time of day, such as 22:00.")
            return None

    def change(self) -> Change:
        """Return what is to be kept."""
        ways = {
            way: {kind: bool(self.cleaned_data[f"{way}:{kind}"]) for kind in KINDS}
            for way in ("inbox", "push")
        }
        return Change(ways["inbox"], ways["push"], quiet=self.cleaned_data["quiet"], sets_quiet=True)


@require_http_methods(["GET", "HEAD", "POST"])
@visitors_page
def preferences(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Let the visitor choose what he is told, and when."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=_initial(visitor))
    if form.is_bound and form.is_valid():
        choosing.choose(player_id=visitor.player.id, change=form.change())
        messages.success(request, "Saved. It holds for what happens from now on.")
        return redirect("player-inbox-preferences")
    context = {
        "form": form,
        "rows": [(kind, form[f"inbox:{kind.key}"], form[f"push:{kind.key}"]) for kind in KINDS.values()],
        "time_zone": visitor.player.time_zone,
        "here": "inbox",
        "default_theme": DEFAULT_THEME,
    }
    status = 422 if form.is_bound else 200
    return render(request, "player/inbox_preferences.html", context, status=status)


def _initial(visitor: Visitor) -> dict[str, Any]:
    chosen = kept.preference(visitor.player.id)
    initial: dict[str, Any] = {f"inbox:{kind}": kind not in chosen.not_told for kind in KINDS}
    initial |= {f"push:{kind}": kind not in chosen.not_pushed for kind in KINDS}
    if chosen.quiet is not None:
        initial |= {"quiet_from": time_of(chosen.quiet[0]), "quiet_until": time_of(chosen.quiet[1])}
    return initial


def _filters(asked: Asked) -> list[tuple[str, str, bool]]:
    """Return every filter: its label, its query, and whether it is set."""
    every = ("Everything", f"?{asked.query(kind='', unread='')}", not asked.kind and not asked.only_unread)
    unread = ("Unread", f"?{asked.query(unread='' if asked.only_unread else '1')}", asked.only_unread)
    kinds = [
        (
            kind.label,
            f"?{asked.query(kind='' if kind.key == asked.kind else kind.key)}",
            kind.key == asked.kind,
        )
        for kind in KINDS.values()
    ]
    return [every, unread, *kinds]


def _names(told: Sequence[NotificationInfo], *, language: str) -> Names:
    """Return what notifications leave to be looked up, in three queries at most."""
    places = {place(one) for one in told if one.data.get("achievement", {}).get("key") is not None}
    found = names_in(language, places) if language and places else {}
    achievements = {which: name for which, (name, _) in found.items()}
    ids = {one.game_id for one in told if one.kind == LEADERBOARD_UPDATED and one.game_id is not None}
    if not ids:
        return Names(achievements=achievements)
    titles = {pk: game.title for pk, game in accounts.games_by_id(ids).items()}
    return Names(titles, boards.names(ids), achievements)


def _by_day(
    told: Iterable[NotificationInfo], *, names: Names, zone: ZoneInfo, now: datetime
) -> Iterable[Day]:
    today = now.astimezone(zone).date()
    for day, some in groupby(told, key=lambda one: one.created_at.astimezone(zone).date()):
        yield Day(_title(day, today), [item(one, names=names) for one in some])


def _title(day: date, today: date) -> str:
    if day == today:
        return "Today"
    return "Yesterday" if day == today - timedelta(days=1) else spoken.day(day)
