"""What `manage.py reopen` makes of a database that was restored."""

import io
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from accounts import leaving
from accounts.erasure import copies
from accounts.erasure.models import ErasedName, Erasure
from accounts.models import Player, Studio, User
from config.embedded import Servers
from core import reopening
from core.redis import client
from social.models import InboxCounter
from tests import factories
from tests.accounts import joins
from tests.accounts.erasures import erase, settle
from tests.accounts.joins import unlock
from tests.accounts.players import somebody
from webhooks import queue
from webhooks.models import Delivery, Endpoint
from webhooks.queue import Message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sessions_are_quiet_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than need be for what PgBouncer keeps of other tests' processes."""
    monkeypatch.setattr(reopening, "QUIET_S", 0.5)


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def ledger(tmp_path: Path, settings: Any) -> Path:
    """Return a folder of its own for the copies of the ledger."""
    store = {"BACKEND": "core.media.Folder", "OPTIONS": {"location": str(tmp_path / "ledger")}}
    settings.STORAGES = {**settings.STORAGES, copies.STORE: store}
    return tmp_path / "ledger"


def reopen(*words: str) -> str:
    out = io.StringIO()
    call_command("reopen", *words, stdout=out)
    return out.getvalue()


def forget_erasures() -> None:
    """Let the database be one that was restored to before anybody was erased."""
    ErasedName.objects.all().delete()
    Erasure.objects.all().delete()


def test_who_was_erased_since_is_erased_again(studio: Studio, ledger: Path) -> None:
    joins.begin()
    game = joins.declare(studio)
    unlock(game, "p-1", "a1")
    erase(studio, "p-1")
    settle()
    (copy,) = ledger.iterdir()
    assert "p-1" not in copy.read_text()
    forget_erasures()
    unlock(game, "p-1", "a1")
    unlock(game, "stays", "a1")
    assert "1 people who were erased since" in reopen()
    api = factories.api(factories.server_key(studio))
    assert [api.get(f"/players/{name}").status_code for name in ("p-1", "stays")] == [410, 200]


def test_who_erased_himself_goes_again_with_his_account(ledger: Path) -> None:
    joins.begin()
    person = somebody()
    player, user = person.player, person.user
    uuid = player.uuid
    leaving.erase_oneself(user, player_id=player.pk, at=timezone.now())
    settle()
    forget_erasures()
    assert not User.objects.filter(email="anna@players.example").exists()
    again = somebody()
    Player.objects.filter(uuid=uuid).update(uuid="019ab3a0-5d1e-7a40-8000-2b2b2b2b2b2b")
    Player.objects.filter(pk=again.player.pk).update(uuid=uuid)
    assert "1 people" in reopen()
    assert not User.objects.filter(email="anna@players.example").exists()
    assert not Player.objects.filter(uuid=uuid).exists()


@pytest.mark.slow
def test_an_erasure_is_not_done_before_its_names_are_copied(
    studio: Studio, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "file").touch()
    store = {"BACKEND": "core.media.Folder", "OPTIONS": {"location": str(tmp_path / "file" / "ledger")}}
    settings.STORAGES = {**settings.STORAGES, copies.STORE: store}
    joins.begin()
    factories.player(studio, "p-1")
    erase(studio, "p-1")
    with pytest.raises(AssertionError, match=copies.STORE):
        settle()
    (tmp_path / "file").unlink()
    settle(looks=8)
    assert len(list((tmp_path / "file" / "ledger").iterdir())) == 1


def test_erasures_of_a_server_that_is_still_there_are_taken_from_a_file(
    studio: Studio, ledger: Path, tmp_path: Path
) -> None:
    joins.begin()
    factories.player(studio, "p-1")
    erase(studio, "p-1")
    file = tmp_path / "newer.json"
    call_command("erasures", save=file, stdout=io.StringIO())
    forget_erasures()
    factories.player(studio, "p-1")
    assert json.loads(file.read_text())
    assert "1 people" in reopen("--ledger", str(file))


def erase_one(studio: Studio) -> None:
    joins.begin()
    factories.player(studio, "p-1")
    erase(studio, "p-1")
    settle()


def test_a_database_that_knows_erasures_is_not_opened_where_no_copy_of_them_is(
    studio: Studio, ledger: Path
) -> None:
    erase_one(studio)
    (copy,) = ledger.iterdir()
    copy.rename(ledger.parent / copy.name)
    with pytest.raises(CommandError, match=r"ERASURE_LEDGER_URL holds none of them.*--ledger FILE"):
        reopen()
    (ledger / "another-s.json").write_text(json.dumps({str(studio.uuid): ["00" * 32]}))
    with pytest.raises(CommandError, match="holds none of them"):
        reopen()
    assert reopening.logs() == [(0, 0)]
    assert "The database is open" in reopen("--ledger", str(ledger.parent / copy.name))


def test_where_the_copies_are_lost_those_that_the_database_knows_can_be_written_anew(
    studio: Studio, ledger: Path
) -> None:
    erase_one(studio)
    (copy,) = ledger.iterdir()
    copy.unlink()
    call_command("erasures", "--copy", stdout=io.StringIO())
    assert "The database is open" in reopen()


def test_an_erasure_that_was_under_way_then_need_not_have_been_copied(studio: Studio, ledger: Path) -> None:
    joins.begin()
    factories.player(studio, "p-1")
    erase(studio, "p-1")
    assert Erasure.objects.get().done_at is None
    assert "The database is open" in reopen()


def test_valkey_shows_nothing_of_the_lost_time(ledger: Path) -> None:
    boards, cache = client("boards"), client("cache")
    boards.set("leaderboards:v1:{points:1:*}:ready", "this run")
    boards.zadd("leaderboards:v1:{points:1:*}:order", {b"somebody": 1.0})
    boards.set("somebody-else's", 1)
    cache.set("core:v1:page:1", "kept")
    reopen()
    assert boards.keys("*") == [b"somebody-else's"]
    assert cache.dbsize() == 0


def test_without_valkey_nothing_is_opened(settings: Any, ledger: Path) -> None:
    settings.VALKEY_URLS = {**settings.VALKEY_URLS, "boards": "redis://127.0.0.1:1/0"}
    client.cache_clear()
    try:
        with pytest.raises(CommandError, match="Valkey does not answer"):
            reopen()
    finally:
        client.cache_clear()
    assert reopening.logs() == [(0, 0)]


@pytest.mark.slow
def test_a_database_that_somebody_works_on_is_not_opened(servers: Servers, ledger: Path) -> None:
    url = make_conninfo(_database(servers), application_name="laurel-web")
    with psycopg.connect(url) as session:
        session.execute("SELECT 1")
        with pytest.raises(CommandError, match="Stop laurel-web first"):
            reopen()
        assert "The database is open" in reopen("--alone")
    assert len(reopening.logs()) == 2


def test_webhooks_that_waited_go_out_under_their_ids_unless_they_are_parked(
    studio: Studio, ledger: Path
) -> None:
    now = timezone.now()
    endpoint = Endpoint.objects.create(
        studio=studio,
        url="https://hooks.example.com/",
        events=[],
        secret=b"s" * 24,
        created_at=now,
        updated_at=now,
    )
    queue.add([Message(endpoint.pk, studio.uuid, "webhook.test", "{}", now)])
    before = Delivery.objects.values_list("uuid", "state").get()
    reopen()
    assert Delivery.objects.values_list("uuid", "state").get() == before
    assert "1 webhooks that waited are parked" in reopen("--park-webhooks")
    assert Delivery.objects.values_list("uuid", "state").get() == (studio.uuid, "parked")


def test_inboxes_go_on_behind_what_they_may_have_numbered(studio: Studio, ledger: Path) -> None:
    joins.begin()
    game = joins.declare(studio)
    unlock(game, "p-1", "a1")
    joins.drain()
    before = InboxCounter.objects.get().last_seq
    reopen()
    assert InboxCounter.objects.get().last_seq > before + 1000


def test_verify_runs_every_check() -> None:
    out = io.StringIO()
    call_command("verify", stdout=out)
    assert out.getvalue().endswith("All is as it follows from what is stored.\n")
    assert "0 differences" in out.getvalue()


def _database(servers: Servers) -> str:
    return make_conninfo(servers.database_url, dbname=str(connection.settings_dict["NAME"]))
