"""Enumeration: nobody learns from an answer, or from how long it took, who has an account or whom a code stands for.

Each way is tried with what is known here and with what is not, and whatever could be told apart is compared.
"""

import json
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote
from uuid import uuid4

import pytest
import trustme
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone

from accounts import linking, selectors
from accounts.models import LinkCode, Player, User
from config.children import BASE_DIR
from tests import factories
from tests.accounts.entrance import EMAIL, PASSWORD, RESET, SIGN_IN, SIGN_UP, browser, mails, sign_in, user
from tests.accounts.test_social_sign_in import environment
from tests.accounts.visitors import member
from tests.social.people import People
from tests.social.visiting import Guest

pytestmark = pytest.mark.django_db
NEW: Final = "new@northlight.example"
# What differs at each request, or is the asker's own.
_OWN: Final = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|"csrf": "\w+"|nonce-[\w+/=-]+|nonce="[^"]+"|<code>[\w-]{36}</code>'
    r'|"request_id":"[^"]+"|(?<!\d)\d{1,2}:\d\d(:\d\d)?(?!\d)'
)
_VARYING: Final = frozenset(
    {"X-Request-Id", "Content-Length", "Content-Security-Policy", "Expires", "RateLimit"}
)


@pytest.fixture(autouse=True)
def _mail_waits(settings: Any) -> None:
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each password that is hashed: by far the longest that an answer can take."""
    noted: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        noted.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return noted


def told(answer: Any, *own: object) -> tuple[object, ...]:
    """Return all that somebody hears of an answer, but for what he said himself and what always differs."""
    text = answer.getvalue().decode()
    headers = {name: value for name, value in answer.headers.items() if name not in _VARYING}
    for one in own:
        text = text.replace(str(one), "…").replace(quote(str(one)), "…")
        headers = {name: value.replace(str(one), "…") for name, value in headers.items()}
    return answer.status_code, _OWN.sub("", text), headers, sorted(answer.cookies)


def _followed(client: Client, answer: Any, email: str) -> tuple[object, ...]:
    """Return what is heard of an answer and of the page that it leads to."""
    to = answer.headers.get("Location")
    return told(answer, email), told(client.get(to), email) if to else None


def _by_form(path: str, **fields: str) -> Callable[[str], tuple[object, ...]]:
    def ask(email: str) -> tuple[object, ...]:
        client = browser()
        sent = {name: value.format(email=email) for name, value in fields.items()}
        return _followed(client, client.post(path, sent), email)

    return ask


def _change(email: str) -> tuple[object, ...]:
    owner = User.objects.filter(email="ben@players.example").first() or user("ben@players.example")
    client = browser()
    sign_in(client, owner.email)
    return _followed(client, client.post("/account/email/", {"email": email, "action_add": ""}), email)


WAYS: Final = {
    "signing up": _by_form(SIGN_UP, email="{email}", password1=PASSWORD, purpose="make"),
    "signing up to play": _by_form(SIGN_UP, email="{email}", password1=PASSWORD, purpose="play"),
    "signing up on the way to a page": _by_form(f"{SIGN_UP}?next=/me/", email="{email}", password1=PASSWORD),
    "a wrong password": _by_form(SIGN_IN, login="{email}", password="wrong-password"),
    "a lost password": _by_form(RESET, email="{email}"),
    "another address": _change,
}


@pytest.mark.parametrize("way", WAYS)
def test_an_address_that_has_an_account_looks_like_one_that_has_none(way: str, hashed: list[str]) -> None:
    known = user()
    before = User.objects.filter(pk=known.pk).values().get()
    heard, work = [], []
    if way == "another address":
        user("ben@players.example")
    for email in (EMAIL, NEW):
        hashed.clear()
        heard.append(WAYS[way](email))
        work.append(len(hashed))
    assert heard[0] == heard[1]
    assert work[0] == work[1]
    assert User.objects.filter(pk=known.pk).values().get() == before, "nothing changed"
    if way.startswith("signing up"):
        assert mails()[0].subject == "You already have an account on Laurel"
    if way == "a lost password":
        assert mails()[0].subject == "Set a new password for Laurel"
        assert mails(NEW)[0].subject == "There is no account with this address"


@pytest.mark.parametrize("kind", ["no password", "inactive", "not proved"])
def test_an_account_that_nobody_can_sign_in_to_looks_like_none(kind: str, hashed: list[str]) -> None:
    made = user() if kind != "not proved" else User.objects.create_user(EMAIL, PASSWORD)
    if kind == "no password":
        made.set_unusable_password()
    made.is_active = kind != "inactive"
    made.save()
    heard, work = [], []
    for email in (EMAIL, NEW):
        hashed.clear()
        heard.append(WAYS["a wrong password"](email))
        work.append(len(hashed))
    assert heard[0] == heard[1]
    assert work[0] == work[1]


def test_who_is_invited_is_told_alike_whether_he_has_an_account() -> None:
    user()
    studio = factories.studio()
    owner = member(studio, "owner")
    owner.get("members", studio.uuid)
    heard = []
    for email in (EMAIL, NEW):
        answer = owner.post("members", studio.uuid, email=email, role="analyst")
        token = re.findall(r"/invitations/([\w-]+)", mails(email)[-1].message)[0]
        page = browser().get(f"/invitations/{token}")
        heard.append((told(answer, email), told(page, email, token)))
    assert heard[0] == heard[1]


def test_who_hides_looks_like_nobody() -> None:
    """A private player and one who does not exist are the same to a stranger, on every page and act."""
    people = People()
    people.set("hidden", visibility="private")
    stranger = Guest(people["ada"])
    stranger.get("friends")
    nobody = Player(uuid=uuid4())
    heard = []
    for other in (people["hidden"], nobody):
        seen = [
            told(stranger.get("player", other.uuid), other.uuid),
            told(stranger.get("player-card", other.uuid), other.uuid),
            told(stranger.get("player-badge", other.uuid), other.uuid),
            told(stranger.get("player-feed", other.uuid), other.uuid),
            told(stranger.get("player-game", other.uuid, people.game.uuid), other.uuid),
            told(stranger.get("compare", people["ada"].uuid, other.uuid), other.uuid),
            told(stranger.get("friends", q=str(other.uuid)), other.uuid),
        ]
        seen += [told(stranger.do(deed, other), other.uuid) for deed in ("ask", "block")]
        heard.append(seen)
    for hidden, none in zip(*heard, strict=True):
        assert hidden == none
    for name in ("friends", "player-search"):
        found, none = (stranger.get(name, q=text) for text in ("Hidden", "Zzyzxq"))
        assert told(found, "Hidden") == told(none, "Zzyzxq"), name


def test_codes_that_do_not_work_are_answered_alike() -> None:
    studio = factories.studio()
    api = factories.api(factories.server_key(studio))
    factories.player(studio, "p-1")
    info = selectors.player_of_studio(studio.pk, "p-1")
    assert info is not None

    def code() -> str:
        return linking.issue_code(player=info, studio_id=studio.pk, by="key:test", at=timezone.now())[0]

    used, expired = code(), ""
    assert api.post("/players/p-2/link", {"code": used}).status_code == 200
    expired = code()
    LinkCode.objects.filter(used_at=None).update(expires_at=timezone.now())
    heard = {
        how: told(api.post("/players/p-3/link", {"code": tried}), tried)
        for how, tried in {
            "used": used,
            "expired": expired,
            "unknown": "AAAA-AAAA",
            "mistyped": "O0O0-I1l1",
        }.items()
    }
    assert len({repr(one) for one in heard.values()}) == 1, heard


# A service that names the address that the code says, and has not proved it: its answers go over a real connection. (Of
# one that was proved there it is said here whether it is taken: to its owner.)
class _Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        home = f"https://localhost:{self.server.server_port}"  # type: ignore[attr-defined]
        if self.path.startswith("/.well-known/"):
            named = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            self._say(
                {"issuer": home, **{f"{name}_endpoint": f"{home}/{path}" for name, path in named.items()}}
            )
        else:
            email = self.headers["Authorization"].split()[1]
            self._say(
                {"sub": f"sub-{email}", "email": email, "email_verified": False, "given_name": "{{7*7}}<b>"}
            )

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._say({"access_token": sent["code"][0], "token_type": "Bearer"})

    def _say(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Run it, with a certificate; gives what an instance's environment says of it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield {
        "SOCIAL_SIGN_IN": f"openid_connect=id:secret:https://localhost:{server.server_port}",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
    }
    server.shutdown()
    server.server_close()
    thread.join()


# Somebody who signs in by that service, with an address that is taken, one that is not, and one that is none.
_VISITS = """
import json, sys, django
django.setup()
from tests.patience import wait_long
wait_long()
from urllib.parse import parse_qs, urlsplit
from django.conf import settings
from django.test.utils import setup_test_environment
setup_test_environment()
settings.EMAIL_BACKEND = "core.mail.Queue"
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
from accounts.models import User
from post_office.models import Email
from tests.accounts.entrance import EMAIL, browser, user
from tests.security.test_pages_enumeration import NEW, told
user()
heard = []
asked = []
for email in (EMAIL, NEW):
    client = browser()
    led = client.post("/account/oidc/sso/login/?process=login")
    state = parse_qs(urlsplit(led["Location"]).query)["state"][0]
    back = client.get("/account/oidc/sso/login/callback/", {"code": email, "state": state})
    page = client.get(back["Location"])
    asked.append([back["Location"], 'name="purpose"' in page.content.decode(), repr(told(page, email))])
for email in (EMAIL, NEW, '"a,ada@northlight.example,b"@evil.example'):
    client = browser()
    led = client.post("/account/oidc/sso/login/?process=login&next=/portal/")
    state = parse_qs(urlsplit(led["Location"]).query)["state"][0]
    back = client.get("/account/oidc/sso/login/callback/", {"code": email, "state": state})
    page = client.get(back["Location"])
    heard.append([repr(told(back, email)), repr(told(page, email))])
    if email not in (EMAIL, NEW):
        typed = [client, back["Location"]]
forms = []
for email in (EMAIL, "free@northlight.example"):
    client = browser()
    led = client.post("/account/oidc/sso/login/?process=login")
    state = parse_qs(urlsplit(led["Location"]).query)["state"][0]
    back = client.get("/account/oidc/sso/login/callback/", {"code": '"' + email + '"@x.example', "state": state})
    sent = client.post(back["Location"], {"email": email, "purpose": "make"})
    forms.append(repr([told(sent, email), told(client.get(sent["Location"]), email)]))
print(json.dumps({"heard": heard, "forms": forms, "asked": asked,
    "users": sorted(User.objects.values_list("email", flat=True)),
    "vouched": list(User.objects.get(email=EMAIL).socialaccount_set.values_list("uid", flat=True)),
    "mail": [[one.to, one.subject] for one in Email.objects.order_by("pk")]}))
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_account_elsewhere_tells_nobody_whose_address_is_taken_here(service: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _VISITS],
        cwd=BASE_DIR,
        env=environment(**service),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    taken, free, quoted = seen["heard"]
    assert taken == free
    assert "/account/confirm-email/" in taken[0]
    assert seen["asked"][0] == seen["asked"][1]
    assert seen["asked"][0][:2] == ["/account/3rdparty/signup/", True], (
        "whoever did not say what for is asked"
    )
    assert "/account/3rdparty/signup/" in quoted[0], "an address in quotes is asked for again"
    assert seen["forms"][0] == seen["forms"][1]
    assert seen["users"] == [EMAIL, "free@northlight.example", NEW]
    assert seen["vouched"] == [], "nobody signs in as who has the address"
    told_of = {(tuple(to), subject) for to, subject in seen["mail"]}
    assert ((EMAIL,), "You already have an account on Laurel") in told_of
    assert {to for to, _ in told_of} == {(EMAIL,), (NEW,), ("free@northlight.example",)}
