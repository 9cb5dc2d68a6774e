"""Input abuse: what can't be read, stored or found is refused in time, as documented, and changes nothing."""

import time
from datetime import timedelta
from typing import Any, Final

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import PlayerIdentity
from achievements.models import Achievement, Unlock
from core.clock import rfc3339
from core.rates import Rate
from tests import factories
from tests.care.world import Desk
from tests.security.api_routes import OPERATIONS, Side, send
from tests.security.nothing_changed import differences, nothing_changed, state

UNLOCK: Final = "/achievements/unlock"


@pytest.fixture
def side(db: None, monkeypatch: pytest.MonkeyPatch) -> Side:
    """A studio with something of everything, and no limits."""
    for name in settings.RATES:
        monkeypatch.setitem(settings.RATES, name, Rate(name, 1e6, 10**6))
    return Side.make()


def unlock(side: Side, **more: Any) -> dict[str, Any]:
    """Return the body of an unlock."""
    return {"game_id": side.named["game"], "player": "new", "achievement": "by-client", **more}


def assert_refused(answer: Any, *statuses: int) -> None:
    """Fail unless a request was refused with one of these, as a problem."""
    assert answer.status_code in statuses, (answer.status_code, answer.content)
    assert answer["Content-Type"] == "application/problem+json"


BODIES: Final[dict[str, tuple[bytes, int]]] = {
    "I1-half": (b"{", 400),
    "I1-nothing": (b"", 400),
    "I1-null": (b"null", 400),
    "I1-a list": (b"[]", 400),
    "I1-a text": (b'"x"', 400),
    "I1-a number": (b"1", 400),
    "I1-UTF-16": ('{"a": 1}'.encode("utf-16"), 400),
    "I1-a byte order mark": (b"\xef\xbb\xbf{}", 400),
    "I1-no UTF-8": (b'{"a": "\xff"}', 400),
    "I1-more behind": (b'{"a": 1} x', 400),
    "I1-single quotes": (b"{'a': 1}", 400),
    "I1-a comment": (b"{} // x", 400),
    "I2-33 levels": (b'{"a":' * 33 + b"1" + b"}" * 33, 400),
    "I2-100,000 lists": (b"[" * 100_000 + b"]" * 100_000, 400),
    "I2-100,000 objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "I2-never closed": (b"[" * 100_000, 400),
    "I3-NUL": (rb'{"player": "\u0000"}', 422),
    "I3-NUL in a name": (rb'{"a\u0000": 1}', 422),
    "I4-a surrogate": (rb'{"player": "\ud800"}', 422),
    "I4-a surrogate in a name": (rb'{"\udfff": 1}', 422),
    "I4-an escaped surrogate as bytes": (b'{"player": "\xed\xa0\x80"}', 400),
    "I5-5,000 digits": (b'{"a": ' + b"1" * 5_000 + b"}", 400),
    "I6-NaN": (b'{"a": NaN}', 422),
    "I6-Infinity": (b'{"a": Infinity}', 422),
    "I6-minus Infinity": (b'{"a": -Infinity}', 422),
    "I6-1e400": (b'{"a": 1e400}', 422),
    "I7-twice": (b'{"player": "a", "player": "b"}', 400),
    "I7-twice, spelled otherwise": (rb'{"player": "a", "pl\u0061yer": "b"}', 400),
    "I7-twice inside": (b'{"a": [{"b": 1, "b": 2}]}', 400),
}


@pytest.mark.slow
@pytest.mark.parametrize("attack", BODIES)
def test_a_body_that_can_not_be_is_refused_by_every_operation(side: Side, attack: str) -> None:
    body, status = BODIES[attack]
    before = state()
    for one in OPERATIONS:
        if (
            one.method != "GET"
            and not isinstance(one.body, bytes)
            and not one.route.endswith("/import")
            and (body or one.body)
        ):
            answer = send(side.key, one._replace(body=body), side.named, kind="application/json")
            # None is of no kind, either; and who deletes an icon sends nothing, readable or not.
            others = (415,) if not body else (400,) if one.route.endswith("/icon") else ()
            assert_refused(answer, status, *others)
    assert not differences(before, state())


def test_i2_a_deep_body_costs_neither_time_nor_memory(side: Side) -> None:
    caller = factories.api(side.key)
    for body in (b"[" * 500_000 + b"]" * 500_000, b'{"a":' * 150_000):
        caller.post(UNLOCK, body)
        began = time.process_time()
        assert_refused(caller.post(UNLOCK, body), 400)
        assert time.process_time() - began < 0.25


METADATA: Final[dict[str, tuple[bytes, int]]] = {
    "I3-metadata": (rb'{"a": ["\u0000"]}', 422),
    "I3-a name of metadata": (rb'{"\u0000": 1}', 422),
    "I4-metadata": (rb'{"a": {"b": "\ud83d"}}', 422),
    "I2-metadata": (b'{"a":' * 33 + b"1" + b"}" * 33, 400),
    "I6-metadata": (b'{"a": NaN}', 422),
    "I7-metadata": (b'{"a": 1, "a": 2}', 400),
    "I8-metadata": (b'{"a": "' + b"x" * 4096 + b'"}', 422),
}


@pytest.mark.parametrize("attack", METADATA)
def test_metadata_that_can_not_be_is_refused(side: Side, attack: str) -> None:
    metadata, status = METADATA[attack]
    body = b'{"player": "p", "score": 1, "metadata": ' + metadata + b"}"
    with nothing_changed():
        answer = factories.api(side.key).post(f"/leaderboards/{side.named['game']}/high/scores", body)
    assert_refused(answer, status)


NUMBERS: Final = {
    "9223372036854775808": b"9223372036854775808",
    "-9223372036854775809": b"-9223372036854775809",
    "1e30": b"1e30",
    "a text": b'"1"',
    "1_000": b'"1_000"',
    "Arabic digits": '"١٢"'.encode(),
    "true": b"true",
    "null": b"null",
    "a list": b"[1]",
    "an object": b"{}",
}


@pytest.mark.parametrize("number", [pytest.param(number, id=f"I5-{number}") for number in NUMBERS])
def test_a_number_that_can_not_be_is_refused_wherever_one_is_taken(side: Side, number: str) -> None:
    game, sent = side.named["game"], NUMBERS[number]
    caller = factories.api(side.key)
    places = {
        f"/games/{game}/achievements": b'{"key": "n", "name": "N", "points": %s}',
        f"/games/{game}/achievements?": b'{"key": "n", "name": "N", "type": "incremental", "target": %s}',
        f"/leaderboards/{game}/high/scores": b'{"player": "p", "score": %s}',
        "/achievements/progress": b'{"game_id": "%b", "player": "p", "achievement": "steps", "steps": %s}'
        % (game.encode(), b"%s"),
        "/stats/report": b'{"game_id": "%b", "player": "p", "stats": {"kills": {"set": %s}}}'
        % (game.encode(), b"%s"),
    }
    for path, body in places.items():
        with nothing_changed(path):
            answer = caller.post(path.rstrip("?"), body % sent)
        if path == "/stats/report" and answer.status_code == 202:
            assert answer.json()["status"] == "rejected", answer.content
        else:
            assert_refused(answer, 422)


FRACTIONS: Final = {"I5-1.5": b"1.5", "I5--1": b"-1", "I5-100001": b"100001"}


@pytest.mark.parametrize("attack", FRACTIONS)
def test_points_are_whole_and_within_bounds(side: Side, attack: str) -> None:
    body = b'{"key": "n", "name": "N", "points": %s}' % FRACTIONS[attack]
    with nothing_changed():
        assert_refused(factories.api(side.key).post(f"/games/{side.named['game']}/achievements", body), 422)


@pytest.mark.parametrize(
    "score", [pytest.param(score, id=f"I6-{score}") for score in ("9007199254740993", "-1e17")]
)
def test_a_score_that_no_double_holds_is_refused(side: Side, score: str) -> None:
    body = b'{"player": "p", "score": %s}' % score.encode()
    with nothing_changed():
        assert_refused(
            factories.api(side.key).post(f"/leaderboards/{side.named['game']}/high/scores", body), 422
        )


def test_i6_minus_zero_is_zero(side: Side) -> None:
    body = b'{"player": "zero", "score": -0.0}'
    path = f"/leaderboards/{side.named['game']}/high"
    assert factories.api(side.key).post(f"{path}/scores", body).status_code == 202
    assert b"-0" not in factories.api(side.key).get(f"{path}/players/zero").content


KINDS: Final = {
    "I10-a form": ("application/x-www-form-urlencoded", b"title=New"),
    "I10-a multipart form": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nNew\r\n--x--\r\n',
    ),
    "I10-plain text": ("text/plain", b'{"title": "New"}'),
    "I10-nothing said": ("", b'{"title": "New"}'),
    "I10-XML": ("application/xml", b"<title>New</title>"),
    "I10-other JSON": ("application/json-patch+json", b'{"title": "New"}'),
    "I10-UTF-16": ("application/json; charset=utf-16", b'{"title": "New"}'),
}


@pytest.mark.parametrize("attack", KINDS)
def test_a_body_that_is_no_json_is_refused(side: Side, attack: str) -> None:
    kind, body = KINDS[attack]
    with nothing_changed():
        answer = factories.api(side.key).post("/games", body, content_type=kind)
    assert_refused(answer, 415)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "x"])
def test_i9_a_compressed_body_is_refused_unread(side: Side, encoding: str) -> None:
    with nothing_changed():
        answer = factories.api(side.key).post("/games", b'{"title": "New"}', Content_Encoding=encoding)
    assert_refused(answer, 415)


@pytest.mark.parametrize("path", ["unlock", "scores", "stats"])
@pytest.mark.parametrize("size", [pytest.param(size, id=f"I11-{size}") for size in (0, 1001)])
def test_a_batch_of_none_or_too_many_is_refused(side: Side, path: str, size: int) -> None:
    game = side.named["game"]
    where, name = {
        "unlock": ("/achievements/unlock/batch", "unlocks"),
        "scores": (f"/leaderboards/{game}/high/scores/batch", "scores"),
        "stats": ("/stats/report/batch", "reports"),
    }[path]
    body: dict[str, Any] = {name: [{"player": "p"}] * size}
    if path != "scores":
        body["game_id"] = game
    with nothing_changed():
        assert_refused(factories.api(side.key).post(where, body), 422)


def test_i11_the_same_a_hundred_times_in_a_batch_is_once(side: Side) -> None:
    items = [{"player": "same", "achievement": "by-client"}] * 100
    answer = factories.api(side.key).post(
        "/achievements/unlock/batch", {"game_id": side.named["game"], "unlocks": items}
    )
    said = answer.json()
    assert (said["unlocked"], said["already_unlocked"], said["rejected"]) == (1, 99, 0)
    assert Unlock.objects.filter(achievement__key="by-client").count() == 1


TEXTS: Final = (
    "<script>alert(1)</script>",
    "{{7*7}}{% debug %}",
    "=cmd|'/c calc'!A1",
    "a\u202egnp.exe",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "'; DROP TABLE accounts_game; --",
    "%s%n%x",
    "a\u0301" * 50,
)


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=f"I12-{number}") for number, text in enumerate(TEXTS)]
)
def test_any_text_is_kept_as_it_is(side: Side, text: str) -> None:
    caller = factories.api(side.key)
    path = f"/games/{side.named['game']}/achievements"
    assert caller.post(path, {"key": "any", "name": text, "description": text}).status_code == 201
    said = caller.get(f"{path}/any").json()
    assert (said["name"], said["description"]) == (text, text)


def test_i12_a_file_for_a_spreadsheet_runs_no_formula(side: Side) -> None:
    caller = factories.api(side.key)
    path = f"/games/{side.named['game']}/achievements"
    for number, first in enumerate("=+-@\t\r"):
        body = {"key": f"f{number}", "name": "x", "description": f"a{first}", "group": "g"}
        assert (
            caller.post(path, {**body, "name": f"{first}cmd" if first not in "\t\r" else "x"}).status_code
            == 201
        )
    text = caller.get(f"{path}/export?format=csv").content.decode()
    cells = [cell.strip('"') for line in text.splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t", "\r") or cell.startswith("-c")]


@pytest.mark.parametrize("field", ["name", "description"])
def test_i12_a_text_of_a_megabyte_is_refused(side: Side, field: str) -> None:
    body = {"key": "any", "name": "A", field: "x" * 900_000}
    with nothing_changed():
        assert_refused(factories.api(side.key).post(f"/games/{side.named['game']}/achievements", body), 422)


def test_i13_a_key_in_another_normal_form_is_the_same_key(side: Side) -> None:
    caller = factories.api(side.key)
    path = f"/games/{side.named['game']}/achievements"
    assert caller.post(path, {"key": "caf\u00e9", "name": "A"}).status_code == 201
    with nothing_changed():
        assert_refused(caller.post(path, {"key": "cafe\u0301", "name": "A"}), 409)
    assert caller.get(f"{path}/cafe%CC%81").json()["key"] == "caf\u00e9"


TIMES: Final = (
    "0001-01-01T00:00:00Z",
    "1979-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "2016-12-31T23:59:60Z",
    "2026-11-23T12:26:00",
    "2026-02-30T00:00:00Z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T12:26:00+99:00",
    "now",
    "",
    1732360000,
    "\uff12026-11-23T12:26:00Z",
)


@pytest.mark.parametrize("at", [pytest.param(at, id=f"I14-{at}") for at in TIMES])
def test_a_time_that_can_not_be_is_refused(side: Side, at: object) -> None:
    with nothing_changed():
        assert_refused(factories.api(side.key).post(UNLOCK, unlock(side, unlocked_at=at)), 422)


def test_i14_a_time_to_come_is_refused(side: Side) -> None:
    for ahead in (timedelta(minutes=6), timedelta(hours=24)):
        with nothing_changed():
            at = rfc3339(timezone.now() + ahead)
            assert_refused(factories.api(side.key).post(UNLOCK, unlock(side, unlocked_at=at)), 422)


def _progress(side: Side, **more: Any) -> Any:
    body = {"game_id": side.named["game"], "player": "runner", "achievement": "steps", **more}
    return factories.api(side.key).post("/achievements/progress", body)


def test_i15_progress_neither_jumps_out_of_its_bounds_nor_goes_back(side: Side) -> None:
    assert _progress(side, steps=5).json()["current"] == 5
    for steps in (-1, 10, 10**9, 10**19):
        with nothing_changed():
            assert_refused(_progress(side, steps=steps), 422)
    with nothing_changed():
        assert _progress(side, steps=2).json() == {"current": 5, "target": 9, "unlocked": False}
    said = _progress(side, steps=9).json()
    assert (said["current"], said["unlocked"]) == (9, True)
    assert _progress(side, steps=9).json()["unlocked"] is True
    assert Unlock.objects.filter(achievement__key="steps").count() == 1


def test_i15_a_step_without_an_event_counts_for_nothing(side: Side) -> None:
    with nothing_changed():
        assert_refused(_progress(side, steps=1, op="add"), 422)


def test_i17_what_an_unlock_was_worth_stays(side: Side) -> None:
    caller = factories.api(side.key)
    path = f"/games/{side.named['game']}/achievements/by-client"
    before = Achievement.objects.get(game=side.game, key="by-client").points
    assert caller.post(UNLOCK, unlock(side)).json()["points"] == before
    assert caller.patch(path, {"points": before + 40}).status_code == 200
    assert caller.post(UNLOCK, unlock(side, player="later")).json()["points"] == before + 40
    worth = Unlock.objects.filter(achievement__key="by-client").values_list("points", flat=True)
    assert sorted(worth) == [before, before + 40]


NAMES: Final = ("", "x" * 129, "a\nb", "a\rb", "a\tb", "\x7f", "\u200b", "\u2028", "\ufeff")


@pytest.mark.parametrize("name", [pytest.param(name, id=f"I18-{name.encode()!r:.20}") for name in NAMES])
def test_a_name_that_no_player_has_creates_nobody(side: Side, name: str) -> None:
    with nothing_changed():
        assert_refused(factories.api(side.key).post(UNLOCK, unlock(side, player=name)), 422)
    assert not PlayerIdentity.objects.filter(external_id=name).exists()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=f"I18-taken-{name}")
        for name in ("../../etc/passwd", "%00", "a@b.example", "$HOME", "игрок")
    ],
)
def test_any_printable_name_is_a_player_s(side: Side, name: str) -> None:
    assert factories.api(side.key).post(UNLOCK, unlock(side, player=name)).status_code == 202
    assert PlayerIdentity.objects.filter(studio=side.studio, external_id=name).count() == 1


SEARCHES: Final = {
    "I25-a costly pattern": "(a+)+$" * 1_500,
    "I25-percent signs": "%" * 1_000,
    "I25-underscores": "_" * 1_000,
    "I25-backslashes": "\\" * 1_000,
    "I25-NUL": "a\0b",
    "I25-ten kilobytes": "a" * 10_000,
    "I25-quotes": "'\"" * 500,
}


@pytest.mark.parametrize("attack", SEARCHES)
def test_a_search_takes_no_longer_for_what_it_is_asked(side: Side, attack: str) -> None:
    desk = Desk()
    portal = desk.house.client("owner")
    for client, path in (
        (Client(), "/search"),
        (portal, desk.house.path("search")),
        (portal, desk.house.path("search/suggestions")),
        (portal, desk.house.path("players")),
    ):
        client.get(path, {"q": "warm"})
        with nothing_changed(path):
            began = time.process_time()
            answer = client.get(path, {"q": SEARCHES[attack]})
            taken_s = time.process_time() - began
        assert answer.status_code in (200, 400, 422), path
        assert taken_s < 0.5, path


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_i20_no_header_makes_another_method_of_one(side: Side, name: str) -> None:
    path = f"/games/{side.named['game']}/achievements/by-client"
    with nothing_changed():
        answer = factories.api(side.key).get(path, **{name: "DELETE"})
        assert_refused(factories.api(side.key).get(f"{path}?_method=DELETE"), 400)
    assert answer.status_code == 200


@pytest.mark.parametrize("accept", ["application/zzz", "text/html", "image/*", "application/xml;q=1"])
def test_i20_an_answer_in_another_form_is_refused(side: Side, accept: str) -> None:
    with nothing_changed():
        assert_refused(factories.api(side.key).post("/games", {"title": "New"}, Accept=accept), 406)
