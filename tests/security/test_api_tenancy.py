"""Tenancy: nobody reaches what is another's, by any address of the API, any method and any credential.

The document is OPERATIONS in tests/security/api_routes.py; the portal's is tests/accounts/test_portal_roles.py.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import transaction

from accounts.models import Game, Player
from achievements.models import Unlock
from core.rates import Rate
from tests import factories
from tests.security.api_routes import (
    ABOUT,
    BOARD,
    OPERATIONS,
    PLAYER,
    READ_ONLY,
    Operation,
    Side,
    send,
    served,
    unknown,
    unnamed,
)
from tests.security.nothing_changed import differences, nothing_changed, state

pytestmark = pytest.mark.django_db

CALLERS: Final = (
    "nobody",
    "own key",
    "own player",
    "revoked key",
    "read-only key",
    "key of another game",
    "another studio's key",
    "another studio's player",
)
# What names somebody or something in a list is answered in its place, and does not refuse the others.
IN_ITS_PLACE: Final = {
    ("POST /achievements/unlock/batch", "player"): 202,
    (f"POST {BOARD}/scores/batch", "player"): 202,
    ("POST /stats/report/batch", "player"): 202,
    (f"POST {PLAYER}/notifications/read", "notification"): 200,
}


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> tuple[Side, Side]:
    """Two studios, mine and theirs, whose players want to be found by nobody; and no limits."""
    for name in settings.RATES:
        monkeypatch.setitem(settings.RATES, name, Rate(name, 1e6, 10**6))
    return Side.make(), Side.make("private")


def ask(credential: str | None, operation: Operation, named: Mapping[str, str]) -> Any:
    """Send a request; what is done is undone, and what a refused one did stays to be seen."""
    with transaction.atomic():
        answer = send(credential, operation, named)
        answer.getvalue()  # an export is a file, open until it is read
        transaction.set_rollback(answer.status_code < 400)
    return answer


def told(answer: Any, named: Mapping[str, str]) -> tuple[int, str]:
    """Return what somebody hears, but for the names that he said himself and the request's id."""
    text: str = answer.getvalue().decode()
    for name, value in named.items():
        if "-" in value:
            text = text.replace(value, name).replace(quote(value), name)
    return answer.status_code, re.sub(r'"request_id":"[^"]+"', "", text)


def _credential(caller: str, mine: Side, theirs: Side) -> str | None:
    studio = mine.studio
    if caller == "revoked key":
        key = factories.server_key(studio)
        factories.revoke(key)
        return key
    known: dict[str, Callable[[], str | None]] = {
        "nobody": lambda: None,
        "own key": lambda: mine.key,
        "own player": lambda: mine.token,
        "read-only key": lambda: factories.server_key(studio, scopes=READ_ONLY),
        "key of another game": lambda: factories.server_key(studio, game=factories.game(studio)),
        "another studio's key": lambda: theirs.key,
        "another studio's player": lambda: theirs.token,
    }
    return known[caller]()


def _expected(caller: str, one: Operation) -> int:
    takes_tokens = one.player != 403
    return {
        "nobody": one.everybody,
        "own key": one.answers,
        "own player": one.player,
        "revoked key": 401,
        "read-only key": one.answers if one.scope in ("", *READ_ONLY) else 403,
        "key of another game": one.another_game,
        "another studio's key": one.elsewhere,
        "another studio's player": one.elsewhere if takes_tokens else 403,
    }[caller]


def test_the_table_names_every_address_and_method_of_the_api_and_no_other() -> None:
    table: dict[str, set[str]] = {}
    for one in OPERATIONS:
        table.setdefault(unnamed(one.route), set()).add(one.method)
    assert table == {route: methods for route, methods in served().items() if route not in ABOUT}


@pytest.mark.slow
@pytest.mark.parametrize("caller", [pytest.param(caller, id=f"T1-{caller}") for caller in CALLERS])
def test_every_operation_answers_each_caller_as_the_table_says(sides: tuple[Side, Side], caller: str) -> None:
    mine, theirs = sides
    credential = _credential(caller, mine, theirs)
    expected = {one.name: _expected(caller, one) for one in OPERATIONS}
    refused = [one for one in OPERATIONS if expected[one.name] >= 400]
    before = state()
    answered = {one.name: ask(credential, one, mine.named).status_code for one in refused}
    changed = differences(before, state())
    for one in OPERATIONS:
        if one not in refused:
            answered[one.name] = ask(credential, one, mine.named).status_code
    assert answered == expected
    assert not changed


def _foreign(of: Operation, mine: Side, theirs: Side) -> Iterator[tuple[str, dict[str, str]]]:
    """Return an operation's names with another studio's in place of all of them, and of each of them."""
    ids = [part for part in of.parts if mine.named[part] != theirs.named[part]]
    if ids:
        yield "all", {part: theirs.named[part] for part in ids}
    if len(ids) > 1:
        for part in ids:
            yield part, {part: theirs.named[part]}


@pytest.mark.slow
def test_what_is_another_studio_s_looks_like_what_is_nobody_s(sides: tuple[Side, Side]) -> None:
    """T1: byte for byte, whatever of an address or a body is another's, to a studio's key and to its player."""
    mine, theirs = sides
    before = state()
    for one in OPERATIONS:
        for credential in (mine.key, mine.token):
            for which, foreign in _foreign(one, mine, theirs):
                random = unknown(foreign)
                heard = told(ask(credential, one, mine.named | foreign), foreign)
                assert heard == told(ask(credential, one, mine.named | random), random), (one.name, which)
                refused = 404 if credential == mine.key or one.player != 403 else 403
                assert heard[0] == IN_ITS_PLACE.get((one.name, which), refused), (one.name, which, heard)
    assert not differences(before, state())


@pytest.mark.parametrize("whose", ["their achievement for my player", "my achievement for their player"])
def test_t2_nobody_unlocks_across_studios(sides: tuple[Side, Side], whose: str) -> None:
    mine, theirs = sides
    game, player = (theirs, mine) if whose.startswith("their") else (mine, theirs)
    body = {
        "game_id": game.named["game"],
        "player": player.named["player"],
        "achievement": "by-client",
    }
    for credential in (mine.key, mine.token):
        with nothing_changed():
            answer = factories.api(credential).post("/achievements/unlock", body)
        assert answer.status_code == 404


_NEVER_WRITTEN: Final = ("id", "uuid", "pk", "studio", "studio_id", "owner", "created_at", "__proto__")


@pytest.mark.parametrize("name", [pytest.param(name, id=f"T3-{name}") for name in _NEVER_WRITTEN])
def test_a_name_that_nobody_may_write_is_refused_by_every_operation(
    sides: tuple[Side, Side], name: str
) -> None:
    mine, theirs = sides
    before = state()
    for one in OPERATIONS:
        if isinstance(one.body, dict) and one.body and not one.route.endswith("/import"):
            sent = one._replace(body={**one.body, name: str(theirs.studio.pk)})
            assert ask(mine.key, sent, mine.named).status_code == 400, one.name
    assert not differences(before, state())


_QUERIES: Final = (
    "ordering=studio__owner__password",
    "player__email__startswith=a",
    "fields=*",
    "limit=1&limit=2",
    "studio_id=1",
)


@pytest.mark.parametrize("query", [pytest.param(query, id=f"T6-{query}") for query in _QUERIES])
def test_a_parameter_that_an_operation_does_not_take_is_refused(sides: tuple[Side, Side], query: str) -> None:
    mine, _ = sides
    before = state()
    for one in OPERATIONS:
        if one.method == "GET":
            sent = one._replace(query="&".join(filter(None, (one.query, query))))
            assert ask(mine.key, sent, mine.named).status_code == 400, one.name
    assert not differences(before, state())


def _lists(mine: Side) -> Iterator[Operation]:
    for one in OPERATIONS:
        if one.method == "GET":
            answer = ask(mine.key, one, mine.named)
            if answer["Content-Type"] == "application/json" and "next_cursor" in answer.json():
                yield one


def test_t4_a_cursor_that_was_not_given_out_for_this_list_is_malformed(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    factories.game(theirs.studio)
    given = factories.api(theirs.key).get("/games?limit=1").json()["next_cursor"]
    last = given[-1]
    altered = given[:-1] + ("A" if last != "A" else "B")
    tried = 0
    for one in _lists(mine):
        name = "since" if "changes" in one.route or "facts" in one.route else "cursor"
        for cursor in (given, altered, "AAAA", "x" * 5000, "%00", "-1"):
            sent = one._replace(query="&".join(filter(None, (one.query, f"{name}={cursor}"))))
            answer = ask(mine.key, sent, mine.named)
            assert answer.status_code == 400, (one.name, cursor, answer.content)
            tried += 1
    assert tried > 60


def test_t5_a_foreign_item_of_a_batch_refuses_itself_alone(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    names = [f"new-{number}" for number in range(99)]
    names.insert(50, theirs.named["player"])
    items = [{"player": name, "achievement": "by-client"} for name in names]
    had = Unlock.objects.count()
    answer = factories.api(mine.key).post(
        "/achievements/unlock/batch", {"game_id": mine.named["game"], "unlocks": items}
    )
    said = answer.json()
    assert (answer.status_code, said["unlocked"], said["rejected"]) == (202, 99, 1)
    assert said["results"][50]["problem"]["type"].endswith("/problems/not-found")
    assert Unlock.objects.count() == had + 99
    assert not Unlock.objects.filter(player_id=theirs.player.pk, game_id=mine.game.pk).exists()


def test_t8_the_same_address_tells_each_caller_his_own(sides: tuple[Side, Side]) -> None:
    """No answer of one studio, or in one language, is given to another, however they take turns."""
    addresses = (
        "/players/player",
        "/players/player/dashboard",
        "/players/player/changes",
        "/games",
        "/webhooks",
        "/leaderboards/global",
    )
    for number, side in enumerate(sides):
        Game.objects.filter(pk=side.game.pk).update(title=f"Title of side {number}")
        Player.objects.filter(pk=side.player.pk).update(display_name=f"Name of side {number}")
    factories.forget()
    callers = [(factories.api(side.key), side) for side in sides]
    for turn in range(200):
        caller, side = callers[turn % 2]
        other = sides[1 - turn % 2]
        answer = caller.get(addresses[turn // 2 % len(addresses)])
        text = answer.content.decode()
        assert answer.status_code == 200
        assert f"of side {1 - turn % 2}" not in text
        assert not [
            value for value in other.named.values() if re.search(r"[0-9a-f-]{36}", value) and value in text
        ]


def test_t8_what_depends_on_who_asks_is_kept_by_no_proxy(sides: tuple[Side, Side]) -> None:
    mine, _ = sides
    kept = {}
    for one in OPERATIONS:
        if one.method == "GET":
            answer = ask(mine.key, one, mine.named)
            said = answer.headers.get("Cache-Control", "")
            if "private" not in said and "no-store" not in said and one.everybody != 200:
                kept[one.name] = (said, answer.headers.get("Vary"))
    assert kept == {}


_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO")


@pytest.mark.slow
def test_a_method_that_an_address_does_not_take_is_refused(sides: tuple[Side, Side]) -> None:
    """I20: to whoever may use the address, with the methods that it takes."""
    mine, _ = sides
    before = state()
    for one in {one.route: one for one in OPERATIONS}.values():
        taken = served()[unnamed(one.route)]
        for method in set(_METHODS) - taken:
            answer = ask(mine.key, one._replace(method=method, body=None, query=""), mine.named)
            assert answer.status_code == 405, (method, one.route)
            allowed = set(answer["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
            assert allowed == taken, one.route
    assert not differences(before, state())
