"""Addresses that server-side request forgery would use: nobody on a private network is ever sent a packet."""

import itertools
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Studio
from core.refusals import Unavailable
from tests.factories import Api
from tests.patience import LONG_S, SHIPPED
from tests.platform import wait_for
from tests.webhooks import world
from tests.webhooks.servers import HOST, Canary, NameServer, receiver, says
from webhooks.models import Attempt, Delivery, Disabled, Endpoint
from webhooks.rules import targets
from webhooks.rules.targets import NotAllowed, Policy
from webhooks.services import endpoints

NOBODY = Policy()
# What a canary on this machine, or a neighbour of it, would hear; `{port}` is the canary's.
HOSTILE = [
    "https://127.0.0.1:{port}/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://0:{port}/",
    "https://0.0.0.0:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.1:{port}/",
    "https://0x7f.0x0.0x0.0x1:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://0177.1:{port}/",
    "https://017700000001:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://127.000.000.001:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://１２７.０.０.１:{port}/",  # noqa: RUF001 - full-width digits, as an attacker writes them
    "https://127。0。0。1:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::ffff:0:127.0.0.1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[64:ff9b::a9fe:a9fe]:{port}/",
    "https://[64:ff9b:1::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{port}/",
    "https://[fe80::1]:{port}/",
    "https://[fe80::1%25eth0]:{port}/",
    "https://[fec0::1]:{port}/",
    "https://[fc00::1]:{port}/",
    "https://[ff02::1]:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://app.localhost:{port}/",
    "https://printer.local:{port}/",
    "https://metadata.google.internal/",
    "https://metadata.google.internal.:{port}/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1:{port}/",
    "https://172.16.0.1:{port}/",
    "https://192.168.0.1:{port}/",
    "https://100.64.0.1:{port}/",
    "https://198.18.0.1:{port}/",
    "https://224.0.0.1:{port}/",
    "https://255.255.255.255:{port}/",
    "https://valkey:{port}/",
    "https://postgres:{port}/",
    "https://user:password@127.0.0.1:{port}/",
    "https://hooks.example.com@127.0.0.1:{port}/",
    "https://hooks.example.com\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@hooks.example.com/",
    "https://127.0.0.1:{port}\\@hooks.example.com/",
    "https://hooks.example.com:{port}@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}%2f@hooks.example.com/",
    "https://hooks.example.com\t@127.0.0.1:{port}/",
    "https://\n127.0.0.1:{port}/",
    " https://127.0.0.1:{port}/",
    "https:127.0.0.1:{port}/",
    "https:///127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "https://localtest.example.com:{port}/",
    "https://mixed.example.com:{port}/",
    "https://mixed6.example.com:{port}/",
    "https://mapped.example.com:{port}/",
    "https://nat64.example.com:{port}/",
]
NAMES: dict[str, Any] = {
    "localtest.example.com": ["127.0.0.1"],
    "mixed.example.com": ["93.184.216.34", "127.0.0.1"],
    "mixed6.example.com": ["93.184.216.34", "::1"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "nat64.example.com": ["64:ff9b::7f00:1"],
}


def saved(studio: Studio, url: str) -> Endpoint:
    """Store an endpoint as it would be if it had been allowed once, with a message that is due."""
    now = timezone.now()
    made = Endpoint.objects.create(
        studio=studio, url=url, events=["x"], secret=b"x" * 32, created_at=now, updated_at=now
    )
    Delivery.objects.create(
        uuid=made.uuid,
        endpoint=made,
        event="x",
        payload="{}",
        created_at=now,
        state="pending",
        next_attempt_at=now,
    )
    return made


def test_there_are_sixty_and_more() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("as_shipped")
def test_no_hostile_address_is_saved(api: Api, canary: Canary, names: NameServer) -> None:
    names.names |= NAMES
    own = settings.PUBLIC_URL.split("//")[1].split(":")[0]
    for url in [
        *HOSTILE,
        f"https://{own}/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:99999/",
    ]:
        answer = api.post("/webhooks", {"url": url.format(port=canary.port)})
        assert answer.status_code == 422, (url, answer.json())
        assert answer.json()["type"].endswith("/problems/webhook-url-not-allowed"), url
        assert answer.json()["errors"][0]["pointer"] == "/url"
    assert not Endpoint.objects.exists()
    assert canary.visitors == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("as_shipped")
def test_no_hostile_address_that_was_saved_is_sent_a_packet(
    studio: Studio, canary: Canary, names: NameServer
) -> None:
    names.names |= NAMES
    for url in HOSTILE:
        saved(studio, url.format(port=canary.port))
    world.send_until(lambda: Attempt.objects.count() == len(HOSTILE))
    errors = {row.url: row.error for row in Attempt.objects.all()}
    assert all(error.startswith("blocked-address: ") for error in errors.values()), errors
    assert canary.visitors == 0
    assert not Delivery.objects.filter(state="succeeded").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("as_shipped")
def test_a_name_that_is_bound_anew_between_saving_and_sending_is_blocked(
    api: Api, canary: Canary, names: NameServer
) -> None:
    public, private = ["93.184.216.34"], ["127.0.0.1"]
    names.names["rebound.example.com"] = itertools.chain([public, public], itertools.repeat(private))
    hook = api.post("/webhooks", {"url": f"https://rebound.example.com:{canary.port}/"})
    assert hook.status_code == 201, hook.json()
    api.post(f"/webhooks/{hook.json()['id']}/test", {})
    world.send_until(Attempt.objects.exists)
    assert Attempt.objects.get().error.startswith("blocked-address: ")
    assert canary.visitors == 0


@pytest.mark.django_db(transaction=True)
def test_a_redirect_to_a_private_address_is_not_followed(
    studio: Studio, canary: Canary, own_network: None
) -> None:
    with receiver(says(302, Location=f"http://127.0.0.1:{canary.port}/")) as server:
        saved(studio, f"http://hooks.example.com:{server.port}/")
        world.send_until(Attempt.objects.exists)
    assert Attempt.objects.get().status == 302
    assert canary.visitors == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("as_shipped")
def test_a_name_that_leads_nowhere_is_taken_and_fails_until_it_does(api: Api, names: NameServer) -> None:
    hook = api.post("/webhooks", {"url": "https://not-yet.example.com/"})
    assert hook.status_code == 201
    api.post(f"/webhooks/{hook.json()['id']}/test", {})
    world.send_until(Attempt.objects.exists)
    assert Attempt.objects.get().error == "no-address: The name does not exist."
    assert Endpoint.objects.get().failing_since is not None
    names.fails = True  # which says nothing of the receiver
    Endpoint.objects.update(failing_since=None)
    api.post(f"/webhooks/{hook.json()['id']}/test", {})
    world.send_until(lambda: Attempt.objects.count() > 1)
    assert Attempt.objects.latest("pk").error.startswith("dns: ")
    assert Endpoint.objects.get().failing_since is None
    names.fails, names.names["not-yet.example.com"] = False, []
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
    api.post(f"/webhooks/{hook.json()['id']}/test", {})
    world.send_until(lambda: Attempt.objects.count() > 2)
    assert Attempt.objects.latest("pk").error == "no-address: The name has no address."
    assert Endpoint.objects.get().disabled == Disabled.FAILING


@pytest.mark.slow
@pytest.mark.usefixtures("as_shipped")
def test_a_name_server_that_hangs_holds_few_threads(names: NameServer) -> None:
    names.hangs = True
    with ThreadPoolExecutor(20) as threads:
        asked = [threads.submit(endpoints.check_url, "https://nowhere.example.com/") for _ in range(20)]
        refused, until = set[Future[str]](), time.monotonic() + LONG_S
        while len(refused) < 16:
            assert time.monotonic() < until, "more than four are held"
            refused, held = wait(asked, timeout=0.05)
        assert all(isinstance(one.exception(), Unavailable) for one in refused)
        names.hangs = False  # it answers that it knows of no such name, when it is asked again
        assert [one.exception() for one in held] == [None] * 4  # a name that leads nowhere is taken


@pytest.mark.slow
@pytest.mark.usefixtures("as_shipped")
def test_a_name_server_that_hangs_is_not_waited_for_long(
    names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.hangs = True
    assert SHIPPED["webhooks.services.endpoints._LOOKED_UP_WITHIN_S"] == 1.0
    monkeypatch.setattr("webhooks.services.endpoints._LOOKED_UP_WITHIN_S", 0.1)
    wait_for(lambda: bool(endpoints.check_url(f"https://{HOST}/") and names.asked), what="it to be asked")


@pytest.mark.django_db(transaction=True)
def test_an_operator_may_allow_networks_of_his_own(api: Api, names: NameServer, own_network: None) -> None:
    names.names["intra.example.com"] = ["127.0.0.1"]
    with receiver() as server:
        for host in ("127.0.0.1", "intra.example.com"):
            hook = api.post("/webhooks", {"url": f"http://{host}:{server.port}/"})
            assert hook.status_code == 201, hook.json()
            api.post(f"/webhooks/{hook.json()['id']}/test", {})
        world.send_until(lambda: len(server.heard) == 2)
    assert api.post("/webhooks", {"url": "http://10.0.0.1/"}).status_code == 422


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True),
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("2a00:1450:4001::1", True),
        ("192.0.2.1", False),
        ("192.88.99.1", False),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::808:808", False),
        ("2002:808:808::", False),
        ("2001:db8::1", False),
        ("2001::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("4000::1", False),
        ("fd00::1", False),
    ],
)
def test_addresses_are_judged_as_what_they_are(address: str, is_public: bool) -> None:
    assert targets.is_allowed(ip_address(address), NOBODY) is is_public


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_allowed(address: Any) -> None:
    if not address.is_global or address.is_multicast:
        assert not targets.is_allowed(address, NOBODY)


@given(
    st.ip_addresses(v=4), st.sampled_from(["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"])
)
def test_a_private_address_stays_so_in_every_disguise(v4: Any, network: str) -> None:
    inner = ip_network(network)
    value = int(inner[0]) | int(v4) & int(inner.hostmask)
    disguises = [
        value,
        value | 0xFFFF << 32,
        value | 0x64FF9B << 96,
        0x2002 << 112 | value << 80,
        0x20010000 << 96 | value ^ 0xFFFFFFFF,
    ]
    for number in disguises:
        assert not targets.is_allowed(ip_address(number) if number >= 2**32 else ip_address(value), NOBODY)


@pytest.mark.slow
@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for url in (text, f"https://{text}", f"https://hooks.example.com/{text}"):
        try:
            target = targets.read(url, NOBODY)
        except NotAllowed:
            continue
        assert targets.read(target.url, NOBODY) == target
        assert target.url.startswith("https://")
