"""Who may do what on the portal's pages: every address below a studio, for everybody, by every method.

TABLE is the document. An address that it lacks fails a test: say there who may look and who may send.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts import invitations
from accounts.models import Game, ServerKey, Studio
from accounts.roles import MAY, Act
from accounts.selectors import fresh_game
from achievements.selectors.versions import latest
from achievements.services import definitions
from achievements.services.versions import Author
from core.models import ExportJob
from tests import factories
from tests.accounts.calls import refused_call
from tests.accounts.visitors import Visitor, member, membership, visitor
from tests.achievements.reports import a_report
from tests.leaderboards import kept as boards
from webhooks.services import deliveries, endpoints

pytestmark = pytest.mark.django_db

ROOT = "portal/<uuid:studio>/"
EVERYBODY = Act.SEE_ANALYTICS
OUTSIDERS = ("outsider", "signed out")


class Page(NamedTuple):
    """What an address answers.

    Attributes:
        get: what one must be allowed to look at it; None if there is nothing to look at.
        post: what one must be allowed to send a form there; None if it takes none.
        sent: what is answered to an empty form, of who may send it; a redirect never leads to signing in.
        seen: what is answered to who may look.

    """

    get: Act | None
    post: Act | None = None
    sent: int = 422
    seen: int = 200


GAME, HOOK, PLAYER = "games/<uuid:game>", "webhooks/<uuid:hook>", "players/<uuid:player>"
STAT, BOARD = f"{GAME}/stats/<uuid:stat>", f"{GAME}/leaderboards/<str:board>"
ONE = f"{GAME}/achievements/<uuid:achievement>"
TABLE = {
    "": Page(get=EVERYBODY),
    "members": Page(get=EVERYBODY, post=Act.MANAGE_STUDIO),
    "members/<int:member>": Page(get=Act.MANAGE_STUDIO, post=Act.MANAGE_STUDIO),
    "members/<int:member>/remove": Page(get=None, post=Act.MANAGE_STUDIO, sent=302),
    "invitations/<uuid:invitation>/withdraw": Page(get=None, post=Act.MANAGE_STUDIO, sent=302),
    "settings": Page(get=EVERYBODY, post=Act.MANAGE_STUDIO),
    "leave": Page(get=None, post=EVERYBODY, sent=302),
    "games/new": Page(get=Act.MANAGE_STUDIO, post=Act.MANAGE_STUDIO),
    f"{GAME}/": Page(get=EVERYBODY, seen=302),
    f"{GAME}/first-steps": Page(get=EVERYBODY),
    f"{GAME}/analytics": Page(get=EVERYBODY),
    f"{GAME}/analytics/achievements": Page(get=EVERYBODY),
    f"{GAME}/analytics/retention": Page(get=EVERYBODY),
    f"{GAME}/analytics/funnel": Page(get=EVERYBODY),
    f"{GAME}/analytics/funnel/keep": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/analytics/leaderboards": Page(get=EVERYBODY),
    f"{GAME}/analytics/stats": Page(get=EVERYBODY),
    f"{GAME}/analytics/<slug:table>.csv": Page(get=EVERYBODY),
    f"{GAME}/settings": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS),
    f"{GAME}/testers/add": Page(get=None, post=Act.WRITE_DEFINITIONS),
    f"{GAME}/testers/remove": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=404),
    f"{GAME}/put-away": Page(get=Act.MANAGE_STUDIO, post=Act.MANAGE_STUDIO),
    f"{GAME}/restore": Page(get=None, post=Act.MANAGE_STUDIO, sent=302),
    f"{GAME}/achievements": Page(get=EVERYBODY),
    f"{GAME}/achievements/change": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/achievements/move": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/achievements/first": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/achievements/import": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS),
    f"{GAME}/achievements/import/apply": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/achievements/check": Page(get=EVERYBODY, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/achievements/<uuid:achievement>/icon": Page(
        get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS
    ),
    f"{GAME}/achievements/export": Page(get=EVERYBODY),
    f"{GAME}/stats": Page(get=EVERYBODY),
    f"{GAME}/stats/new": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS),
    STAT: Page(get=EVERYBODY, post=Act.WRITE_DEFINITIONS),
    f"{STAT}/archive": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{STAT}/delete": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/leaderboards": Page(get=EVERYBODY),
    f"{GAME}/new-leaderboard": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS),
    BOARD: Page(get=EVERYBODY),
    f"{BOARD}/periods": Page(get=EVERYBODY),
    f"{BOARD}/periods/<str:period>/standings": Page(get=EVERYBODY),
    f"{BOARD}/snapshots": Page(get=EVERYBODY),
    f"{BOARD}/snapshots/<uuid:snapshot>": Page(get=EVERYBODY),
    f"{BOARD}/moderation": Page(get=Act.CARE_FOR_PLAYERS),
    f"{BOARD}/moderation/<uuid:player>": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    f"{BOARD}/reset": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS),
    f"{BOARD}/settings": Page(get=EVERYBODY, post=Act.WRITE_DEFINITIONS),
    f"{BOARD}/archive": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{BOARD}/delete": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    "exports": Page(get=EVERYBODY, post=EVERYBODY),
    "exports/list": Page(get=EVERYBODY),
    "exports/<uuid:export>/file": Page(get=EVERYBODY),
    f"{GAME}/plausibility": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/plausibility/scores": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{GAME}/achievements/new": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS),
    f"{GAME}/achievements/preview": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=200),
    ONE: Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS),
    f"{ONE}/publish": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS, sent=409),
    f"{ONE}/archive": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS, sent=409),
    f"{ONE}/discard": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{ONE}/delete": Page(get=None, post=Act.WRITE_DEFINITIONS, sent=302),
    f"{ONE}/history": Page(get=Act.WRITE_DEFINITIONS),
    f"{ONE}/history/<int:version>": Page(get=Act.WRITE_DEFINITIONS, post=Act.WRITE_DEFINITIONS, sent=409),
    "keys": Page(get=Act.MANAGE_KEYS),
    "keys/new": Page(get=Act.MANAGE_KEYS, post=Act.MANAGE_KEYS),
    "keys/<uuid:key>": Page(get=Act.MANAGE_KEYS),
    "keys/<uuid:key>/limits": Page(get=Act.MANAGE_KEYS, post=Act.MANAGE_KEYS, sent=302),
    "keys/<uuid:key>/rotate": Page(get=Act.MANAGE_KEYS, post=Act.MANAGE_KEYS),
    "keys/<uuid:key>/revoke": Page(get=Act.MANAGE_KEYS, post=Act.MANAGE_KEYS),
    "webhooks": Page(get=Act.MANAGE_KEYS),
    "webhooks/new": Page(get=Act.MANAGE_KEYS, post=Act.MANAGE_KEYS),
    HOOK: Page(get=Act.MANAGE_KEYS, post=Act.MANAGE_KEYS),
    f"{HOOK}/switch": Page(get=None, post=Act.MANAGE_KEYS, sent=302),
    f"{HOOK}/rotate": Page(get=None, post=Act.MANAGE_KEYS, sent=302),
    f"{HOOK}/test": Page(get=None, post=Act.MANAGE_KEYS, sent=302),
    f"{HOOK}/replay": Page(get=None, post=Act.MANAGE_KEYS, sent=302),
    f"{HOOK}/delete": Page(get=None, post=Act.MANAGE_KEYS, sent=302),
    f"{HOOK}/deliveries/<uuid:uuid>": Page(get=Act.MANAGE_KEYS),
    f"{HOOK}/deliveries/<uuid:uuid>/redeliver": Page(get=None, post=Act.MANAGE_KEYS, sent=302),
    "review": Page(get=Act.CARE_FOR_PLAYERS),
    "review/decide": Page(get=None, post=Act.CARE_FOR_PLAYERS),
    "review/<slug:kind>/<uuid:flagged>": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    "reports": Page(get=Act.SEE_PLAYERS),
    "reports/<uuid:report>": Page(get=Act.SEE_PLAYERS),
    "reports/<uuid:report>/answer": Page(get=None, post=Act.CARE_FOR_PLAYERS),
    "reports/<uuid:report>/resolve": Page(get=None, post=Act.CARE_FOR_PLAYERS, sent=302),
    "reports/<uuid:report>/reopen": Page(get=None, post=Act.CARE_FOR_PLAYERS, sent=302),
    "usage": Page(get=EVERYBODY),
    "inbox": Page(get=EVERYBODY),
    "inbox/read": Page(get=None, post=EVERYBODY, sent=302),
    "search": Page(get=EVERYBODY),
    "search/suggestions": Page(get=EVERYBODY),
    "requests": Page(get=Act.MANAGE_KEYS),
    "requests.csv": Page(get=Act.MANAGE_KEYS),
    "requests/<int:call>": Page(get=Act.MANAGE_KEYS),
    "players": Page(get=Act.SEE_PLAYERS),
    PLAYER: Page(get=Act.SEE_PLAYERS),
    f"{PLAYER}/achievements": Page(get=Act.SEE_PLAYERS),
    f"{PLAYER}/stats": Page(get=Act.SEE_PLAYERS),
    f"{PLAYER}/ranks": Page(get=Act.SEE_PLAYERS),
    f"{PLAYER}/sessions": Page(get=Act.SEE_PLAYERS),
    f"{PLAYER}/export": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    f"{PLAYER}/ban": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    f"{PLAYER}/erase": Page(get=Act.ERASE_PLAYERS, post=Act.ERASE_PLAYERS),
    f"{PLAYER}/exclude": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    f"{PLAYER}/reset": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    f"{PLAYER}/{GAME}/test": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    f"{PLAYER}/{GAME}/grant": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    f"{PLAYER}/{GAME}/revoke": Page(get=Act.CARE_FOR_PLAYERS, post=Act.CARE_FOR_PLAYERS),
    "audit": Page(get=Act.READ_AUDIT),
    "audit.csv": Page(get=Act.READ_AUDIT),
}


def routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    """Return the addresses below a studio, without what they begin with."""
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        elif isinstance(one, URLPattern) and route.startswith(ROOT):
            yield route.removeprefix(ROOT)


class World:
    """A studio with something of everything, and a visitor of each kind."""

    def __init__(self) -> None:
        """Build it."""
        self.studio = factories.studio()
        self.owner = member(self.studio, "owner")
        other = member(self.studio, "analyst", "other@example.com")
        invited = invitations.invite(
            studio_id=self.studio.pk,
            email="invited@example.com",
            role="analyst",
            by=self.owner.user,
            at=timezone.now(),
        )
        factories.server_key(self.studio)
        hook, _ = endpoints.create(
            studio_id=self.studio.pk,
            game_id=None,
            url="https://hooks.example.com/",
            events=["player.created"],
            description="",
            actor="user:owner@example.com",
            at=timezone.now(),
        )
        game = factories.game(self.studio)
        info = fresh_game(game.uuid)
        assert info is not None
        by = Author("platform", timezone.now())
        made = definitions.create(game=info, values={"key": "a", "name": "A"}, by=by)
        version = latest(made.id)
        assert version is not None
        period = boards.final_period(factories.leaderboard(game, "daily", reset="daily"))
        # What stands in addresses, by its name there.
        self.named: dict[str, object] = {
            "game": game.uuid,
            "achievement": made.uuid,
            "version": version.id,
            "stat": factories.stat(game).uuid,
            "board": "daily",
            "period": period.name,
            "snapshot": boards.snapshot(period).uuid,
            "player": factories.player(self.studio).uuid,
            "table": "overview",
            "key": ServerKey.objects.get().uuid,
            "hook": hook.uuid,
            "uuid": deliveries.send_test(hook, at=timezone.now()),
            "member": membership(self.studio, other),
            "invitation": invited.uuid,
            "export": made_export(self.studio),
            "kind": "unlock",
            "report": a_report(game),
            "call": refused_call(self.studio),
        }
        self.named["flagged"] = factories.flagged_unlock(Game.objects.get()).uuid

    def visitor(self, kind: str) -> Visitor:
        """Return a member of that role, somebody of another studio, or somebody who is not signed in."""
        if kind == "outsider":
            return member(factories.studio(), "owner", "outsider@example.com")
        if kind == "signed out":
            return visitor(None)
        return member(self.studio, kind, f"second-{kind}@example.com")

    def path(self, route: str, studio: object | None = None) -> str:
        """Return an address with everything named in it."""
        named = {"studio": studio or self.studio.uuid, **self.named}
        unknown = set(re.findall(r"<\w+:(\w+)>", route)) - set(named)
        assert not unknown, f"Say in World what {unknown} of {route} is."
        return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(named[found[1]]), ROOT + route)


def made_export(studio: Studio) -> UUID:
    """Make a file of no bytes, and return its id."""
    now = timezone.now()
    row = ExportJob.objects.create(
        uuid=uuid4(),
        studio_id=studio.pk,
        kind="facts",
        title="Emberwake",
        file_name="facts.ndjson",
        actor="user:owner@example.com",
        state=ExportJob.State.DONE,
        percent=100,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    return row.uuid


@pytest.fixture
def world() -> World:
    return World()


def ask(who: Visitor, method: str, path: str) -> Any:
    """Ask in vain: what was changed is undone."""
    with transaction.atomic():
        answer = getattr(who.client, method)(path)
        transaction.set_rollback(True)
    return answer


def test_the_table_names_every_address_below_a_studio_and_no_other() -> None:
    assert sorted(routes(get_resolver().url_patterns)) == sorted(TABLE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*MAY, *OUTSIDERS])
def test_every_address_answers_as_the_table_says(world: World, kind: str) -> None:
    who = world.visitor(kind)
    expected: dict[tuple[str, str], int | str] = {}
    answered: dict[tuple[str, str], int | str] = {}
    for route, page in TABLE.items():
        path = world.path(route)
        for method, act, success in (("get", page.get, page.seen), ("post", page.post, page.sent)):
            answer = ask(who, method, path)
            leads_in = answer.status_code == 302 and answer["Location"].startswith("/account/login/?next=")
            answered[method, route] = "sign in" if leads_in else answer.status_code
            if act is None:
                expected[method, route] = 405
            elif kind == "signed out":
                expected[method, route] = "sign in"
            elif kind == "outsider":
                expected[method, route] = 404
            else:
                expected[method, route] = success if act in MAY[kind] else 403
    assert answered == expected


def _told(answer: Any, studio: object) -> str:
    """Return what a page says, without what differs at every request: ids, tokens and the address itself."""
    text = answer.content.decode().replace(str(studio), "STUDIO")
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    return re.sub(r"request <code>[\w-]+</code>", "", text)


@pytest.mark.slow
def test_another_studio_looks_like_none(world: World) -> None:
    outsider, nowhere = world.visitor("outsider"), uuid4()
    for route, page in TABLE.items():
        for method in ("get",) * (page.get is not None) + ("post",) * (page.post is not None):
            theirs = ask(outsider, method, world.path(route))
            nobodys = ask(outsider, method, world.path(route, nowhere))
            assert theirs.status_code == nobodys.status_code == 404, route
            assert _told(theirs, world.studio.uuid) == _told(nobodys, nowhere), route


@pytest.mark.slow
def test_what_is_another_studio_s_is_nothing_in_one_s_own(world: World) -> None:
    outsider = world.visitor("outsider")
    mine = Studio.objects.get(members__user=outsider.user)
    for route, page in TABLE.items():
        if "<" not in route:
            continue
        for method in ("get",) * (page.get is not None) + ("post",) * (page.post is not None):
            assert ask(outsider, method, world.path(route, mine.uuid)).status_code == 404, (method, route)


@pytest.mark.slow
def test_pages_are_kept_by_no_browser_or_proxy(world: World) -> None:
    for route, page in TABLE.items():
        if page.get is not None:
            kept = ask(world.owner, "get", world.path(route))["Cache-Control"]
            assert {"no-store", "private"} <= set(kept.split(", ")), route


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAY)
def test_pages_lead_nobody_to_where_his_role_may_not_go(world: World, kind: str) -> None:
    who = world.visitor(kind)
    led = set()
    for route, page in TABLE.items():
        if page.get in MAY[kind]:
            text = ask(who, "get", world.path(route)).getvalue().decode()
            led |= set(re.findall(rf'href="(/portal/{world.studio.uuid}/[^"#?]*)', text))
    assert led
    for path in led:
        assert ask(who, "get", path).status_code in (200, 302), path
