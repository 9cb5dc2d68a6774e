"""nginx as it is shipped, for real: what it keeps and for whom, what it refuses, what it says of who asks."""

import itertools
import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from accounts.models import Game
from config import var_dir
from config.children import HOST, Place
from config.embedded import Servers
from config.settings.environment import BASE_DIR
from tests import factories
from tests.deploy import proxying
from tests.deploy.proxying import NAME, Proxy, in_front_of, status
from tests.platform import wait_for
from tests.security import production

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(proxying.PROGRAM is None, reason="nginx is not installed"),
]
HOST_LINE = f"Host: {NAME}\r\n".encode()
BEHIND_IT = {"CLIENT_ADDRESS_VARIABLE": "HTTP_X_REAL_IP", "RATE_LIMITS": "address=60/h:2000"}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def place(
    servers: Servers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[Place]:
    with (
        django_db_blocker.unblock(),
        production.running(servers, tmp_path_factory.mktemp("var"), **BEHIND_IT) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def proxy(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with in_front_of(place, tmp_path_factory.mktemp("nginx")) as found:
        yield found


def kept(answer: httpx.Response) -> str:
    """Return what nginx says of an answer: MISS, HIT, BYPASS; empty where it keeps nothing of the kind."""
    return str(answer.headers.get("X-Cache", ""))


def fresh(path: str) -> str:
    """Return an address that nobody asked for before; the site does not look at that parameter."""
    return f"{path}?n={next(_numbers)}"


def test_a_page_for_everybody_is_fetched_once(proxy: Proxy) -> None:
    address = fresh("/games")
    first, second = proxy.ask(address), proxy.ask(address)
    assert (first.status_code, second.status_code) == (200, 200)
    assert "s-maxage" in first.headers["Cache-Control"]
    assert (kept(first), kept(second)) == ("MISS", "HIT")
    assert first.text == second.text
    assert proxy.ask(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "header",
    [
        {"Cookie": "__Host-sessionid=0123456789abcdefghijklmnopqrstuv"},
        {"Cookie": "__Host-theme=dark"},
        {"Authorization": "Bearer lrl_sk_of-nobody"},
    ],
    ids=["signed in", "with a theme", "with a key"],
)
def test_who_says_something_of_himself_gets_nothing_that_was_kept_and_leaves_nothing(
    proxy: Proxy, header: dict[str, str]
) -> None:
    address = fresh("/games")
    assert kept(proxy.ask(address, headers=header)) == "BYPASS"
    assert kept(proxy.ask(address)) == "MISS"
    assert kept(proxy.ask(address, headers=header)) == "BYPASS"


@pytest.mark.parametrize("path", ["/", "/account/login/", "/portal/", "/nothing-is-here", "/api/v1/games"])
def test_what_is_not_for_everybody_is_fetched_each_time(proxy: Proxy, path: str) -> None:
    answers = [proxy.ask(path) for _ in range(3)]
    assert "HIT" not in {kept(answer) for answer in answers}
    assert not any("s-maxage" in answer.headers.get("Cache-Control", "") for answer in answers)


@pytest.mark.parametrize(
    "path", ["/account/password/reset/key/{}/", "/account/confirm-email/{}/", "/invitations/{}"]
)
def test_no_secret_of_an_address_is_in_the_log(proxy: Proxy, path: str) -> None:
    proxy.ask(path.format("a-secret-of-a-link"))
    log = proxy.folder / "access.log"
    wait_for(lambda: path.partition("{")[0] in log.read_text(), what="a line of the log")
    assert "a-secret" not in log.read_text()


def test_a_board_is_kept_for_who_shows_no_key(proxy: Proxy) -> None:
    studio = factories.studio()
    game = factories.game(studio)
    key = factories.server_key(studio)
    address = f"/api/v1/leaderboards/{game.uuid}/points/rank?score=5"
    answers = [proxy.ask(address) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert [kept(answer) for answer in answers] == ["MISS", "HIT"]
    assert ["RateLimit" in answer.headers for answer in answers] == [True, False]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 2
    named = proxy.ask(address, headers={"X-Request-Id": "game-1:7"})
    assert (kept(named), named.headers["X-Request-Id"]) == ("HIT", "game-1:7")
    renamed = proxy.ask(address, headers={"X-Request-Id": "a b"}).headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", renamed)
    asked = proxy.ask(address, headers={"Authorization": f"Bearer {key}"})
    assert (asked.status_code, kept(asked), "RateLimit" in asked.headers) == (200, "BYPASS", True)


def test_a_dashboard_says_alone_how_fresh_it_is(proxy: Proxy) -> None:
    studio = factories.studio()
    factories.player(studio, "p-1")
    key = {"Authorization": f"Bearer {factories.server_key(studio)}", "X-Request-Id": "a-look"}
    answers = [proxy.ask("/api/v1/players/p-1/dashboard", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert [answer.headers.get_list("X-Cache") for answer in answers] == [["miss"], ["hit"]]
    assert [answer.headers.get_list("X-Request-Id") for answer in answers] == [["a-look"]] * 2


def test_a_file_is_kept_for_good_whoever_asks(proxy: Proxy) -> None:
    page = proxy.ask("/").text
    found = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert found
    cookie = {"Cookie": "__Host-sessionid=0123456789abcdefghijklmnopqrstuv"}
    answers = [proxy.ask(found[1], headers=cookie), proxy.ask(f"{found[1]}?again")]
    assert [kept(answer) for answer in answers] == ["MISS", "HIT"]
    assert "immutable" in answers[1].headers["Cache-Control"]
    assert "Set-Cookie" not in answers[0].headers


def test_a_socket_and_a_stream_go_through(proxy: Proxy) -> None:
    studio = factories.studio()
    game = factories.game(studio)
    key = {"Authorization": f"Bearer {factories.server_key(studio)}"}
    made = proxy.ask("/api/v1/players/p-1/token", "POST", headers=key, json={"game_id": str(game.uuid)})
    token = made.json()["token"]
    with connect(
        f"wss://{NAME}/ws/v1/live",
        sock=socket.create_connection((HOST, proxy.port)),
        ssl=proxying.believing(),
        server_hostname=NAME,
        subprotocols=[Subprotocol("laurel.v1")],
        compression=None,
        open_timeout=proxying.WITHIN_S,
    ) as line:
        line.send(json.dumps({"type": "authenticate", "token": token}))
        assert json.loads(line.recv(timeout=proxying.WITHIN_S))["type"] == "ready"
    request = (
        b"GET /api/v1/live HTTP/1.1\r\n"
        + HOST_LINE
        + f"Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    with proxy.line() as stream:
        stream.sendall(request)
        heard = b""
        while b"\r\n\r\n" not in heard or heard.endswith(b"\r\n\r\n"):  # the first words of the stream itself
            heard += stream.recv(65_536)
    assert status(heard) == 200
    assert b"text/event-stream" in heard


HIDDEN = b"GET /hidden HTTP/1.1\r\n" + HOST_LINE + b"\r\n"
POST = b"POST /api/v1/achievements/unlock HTTP/1.1\r\n" + HOST_LINE + b"Content-Type: application/json\r\n"
SMUGGLED = {
    "a length and chunks": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + HIDDEN,
    "two lengths in a line": b"Content-Length: 0, 44\r\n\r\n" + HIDDEN,
    "a length that is none": b"Content-Length: +5\r\n\r\nhello" + HIDDEN,
    "other chunks": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks twice": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks behind a space": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a size that is none": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + HIDDEN,
    "a folded line": b"X: y\r\n Content-Length: 5\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("how", SMUGGLED)
def test_i23_a_request_hidden_in_another_one_is_refused_by_the_proxy(proxy: Proxy, how: str) -> None:
    for _ in range(10):
        heard = proxy.send(POST + SMUGGLED[how])
        assert status(heard) == 400, heard
        assert heard.count(b"HTTP/1.1 ") == 1, heard
    log = (proxy.folder / "access.log").read_text()
    assert "/hidden" not in log


def test_nobody_says_himself_where_he_comes_from(proxy: Proxy) -> None:
    """Each is counted by his own address, whatever he writes."""
    game = factories.game(factories.studio())
    left = []
    for number in range(8):
        written = f"203.0.113.{number}"
        named = dict.fromkeys(
            ("X-Real-IP", "X_Real_IP", "X-Forwarded-For", "Forwarded", "Client-IP"), written
        )
        left.append(left_of_the_limit(proxy, game, number, named))
    assert min(left) <= max(left) - 3, "each was counted by what it wrote"


def left_of_the_limit(proxy: Proxy, game: Game, number: int, headers: dict[str, str]) -> int:
    """Ask something that was not asked yet, and return how often the address may ask again."""
    answer = proxy.ask(f"/api/v1/leaderboards/{game.uuid}/points/rank?score={number}", headers=headers)
    found = re.search(r"r=(\d+)", answer.headers["RateLimit"])
    assert found, answer.headers
    return int(found[1])


def test_links_are_made_of_our_name_and_https(proxy: Proxy) -> None:
    written = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "80"}
    answer = proxy.ask("/portal/", headers=written)
    assert answer.status_code == 302
    assert "evil.example" not in answer.headers["Location"]
    assert answer.headers["Strict-Transport-Security"]


def test_another_name_is_answered_by_nobody(proxy: Proxy) -> None:
    with pytest.raises(ssl.SSLError):
        proxy.line("evil.example").close()
    with socket.create_connection((HOST, proxy.http_port), timeout=proxying.WITHIN_S) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        with suppress(ConnectionResetError):
            assert line.recv(1024) == b""
    # By a connection that was opened in our name.
    heard = proxy.send(b"GET /portal/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert b"evil.example" not in heard
    assert status(heard) in (0, 421)


def test_http_leads_to_https(proxy: Proxy) -> None:
    url = f"http://{HOST}:{proxy.http_port}/portal/?a=b"
    answer = httpx.get(url, headers={"Host": NAME}, timeout=proxying.WITHIN_S)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{production.URL}/portal/?a=b")


@pytest.mark.parametrize(
    "path", ["/metrics", "/readyz", "/readyz?verbose", "/.git/config", "/static/../manage.py"]
)
def test_what_is_for_operators_is_not_there(proxy: Proxy, path: str) -> None:
    assert proxy.ask(path).status_code == 404


UNLOCK = "/api/v1/achievements/unlock"
REFUSED = {
    "too large": (413, "payload-too-large", UNLOCK, POST + b"Content-Length: 13000000\r\n\r\n"),
    "another coding": (400, "malformed-request", UNLOCK, POST + b"Transfer-Encoding: gzip\r\n\r\n"),
    "a length twice": (400, "malformed-request", UNLOCK, POST + SMUGGLED["two lengths in a line"]),
    "a long header": (400, "malformed-request", UNLOCK, POST + b"X: " + b"x" * 20_000 + b"\r\n\r\n"),
    "a long address": (
        400,
        "malformed-request",
        None,
        b"GET /api/v1/" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ),
    "a method": (
        405,
        "method-not-allowed",
        "/api/v1/x%22",
        b"TRACE /api/v1/x%22?a HTTP/1.1\r\n" + HOST_LINE + b"\r\n",
    ),
    "quotes": (405, "method-not-allowed", None, b'TRACE /api/v1/"x HTTP/1.1\r\n' + HOST_LINE + b"\r\n"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_is_refused_here_is_refused_in_words_that_programs_read(proxy: Proxy, how: str) -> None:
    expected, slug, instance, sent = REFUSED[how]
    with proxy.line() as line:
        line.sendall(sent)
        answer = HTTPResponse(line)
        answer.begin()
        said = json.loads(answer.read())
    assert (answer.status, answer.headers["Content-Type"]) == (expected, "application/problem+json")
    assert said["type"] == f"{production.URL}/problems/{slug}"
    assert (said["status"], said.get("instance")) == (expected, instance)
    assert said["request_id"] == answer.headers["X-Request-Id"]
    assert said["title"]
    assert said["detail"]
    assert answer.headers["Retry-After"] is None
    assert ("GET" in answer.headers.get("Allow", "")) == (expected == 405)


def test_a_page_is_refused_in_words_for_people(proxy: Proxy) -> None:
    heard = proxy.send(b"TRACE /games HTTP/1.1\r\n" + HOST_LINE + b"Connection: close\r\n\r\n")
    assert status(heard) == 405
    assert b"Content-Type: text/html" in heard
    assert b"X-Request-Id: " in heard


def test_while_web_is_away_everybody_is_told_when_to_come_again(tmp_path: Path) -> None:
    with in_front_of(Place(tmp_path, var_dir.free_ports(2)), tmp_path / "nginx") as alone:
        answer = alone.ask_once("/api/v1/players/p-1")
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
        assert answer.headers["Retry-After"] == "5"
        said = answer.json()
        assert (said["status"], said["instance"]) == (503, "/api/v1/players/p-1")
        assert said["type"] == f"{production.URL}/problems/unavailable"
        assert said["request_id"] == answer.headers["X-Request-Id"]
        page = alone.ask_once("/")
        assert (page.status_code, page.headers["Content-Type"]) == (503, "text/html")


def behind_a_cdn() -> tuple[str, str]:
    """Return what the page has nginx told where a CDN stands before it, and the secret in that."""
    page = (BASE_DIR / "deploy" / "cloudfront" / "README.md").read_text()
    shown = re.search(r"```nginx\n(.+?)```", page, re.DOTALL)
    assert shown
    secret = re.search(r'!= "([^"]+)"', shown[1])
    assert secret
    return shown[1], secret[1]


def test_who_sends_much_at_once_leaves_room_for_others_behind_a_cdn_too(place: Place, tmp_path: Path) -> None:
    settings = (BASE_DIR / "deploy" / "nginx" / "laurel.conf").read_text()
    most = re.search(r"limit_conn requests (\d+);", settings)
    assert most
    behind, secret = behind_a_cdn()
    with in_front_of(place, tmp_path / "nginx", behind=behind) as proxy, ExitStack() as held:

        def asked_by(address: str) -> httpx.Response:
            return proxy.ask("/api/v1", headers={"X-Origin-Secret": secret, "X-Forwarded-For": address})

        def is_refused(address: str) -> bool:
            return asked_by(address).status_code == 429

        for sender, neighbour, other in (
            ("203.0.113.9", "203.0.113.9", "203.0.113.8"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::7", "2001:db8:1:3::7"),
        ):
            by = f"X-Origin-Secret: {secret}\r\nX-Forwarded-For: {sender}\r\nContent-Length: 1000\r\n\r\n"
            for _ in range(int(most[1])):
                held.enter_context(proxy.line()).sendall(POST + by.encode() + b"{")
            wait_for(partial(is_refused, neighbour), what=f"room of {sender} to end")
            refused = asked_by(neighbour)
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert (refused.headers["Retry-After"], refused.json()["status"]) == ("5", 429)
            assert asked_by(other).status_code == 200
        assert (proxy.folder / "cache-bodies").is_dir(), "beside the pages, on a disk"


def test_behind_a_cdn_nobody_comes_by_another_way_and_addresses_are_those_it_says(
    place: Place, tmp_path: Path
) -> None:
    behind, secret = behind_a_cdn()
    game = factories.game(factories.studio())
    with in_front_of(place, tmp_path / "nginx", behind=behind) as proxy:
        assert proxy.ask("/games").status_code == 403
        headers = {"X-Origin-Secret": secret, "X-Forwarded-For": "192.0.2.1, 203.0.113.9"}
        left = [left_of_the_limit(proxy, game, 100 + number, headers) for number in range(8)]
        another = {**headers, "X-Forwarded-For": "192.0.2.1, 198.51.100.7"}
        assert min(left) <= left_of_the_limit(proxy, game, 200, another) - 3
