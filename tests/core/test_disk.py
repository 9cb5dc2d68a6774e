"""What happens before PostgreSQL's disk is full: nothing new is written, and everything can be read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Game, Studio
from config.embedded import Servers
from core import disk
from core.disk import Storage
from tests import factories
from tests.platform import STARTS_WITHIN_S, wait_for
from tests.security import production
from tests.security.serving import Answer, WebServer, request

# Any disk is as full as that.
FULL = {"STORAGE_FULL_RATIO": "0", "STORAGE_FULL_GIB": "1000000"}


@pytest.fixture
def web(servers: Servers, tmp_path: Path, transactional_db: None) -> Iterator[WebServer]:
    folders = {"VAR_DIR": str(tmp_path), "POSTGRESQL_FOLDER": str(tmp_path)}
    # Each process of web looks by itself, and the kernel gives a connection to any of them.
    started = WebServer(servers, tmp_path, workers=1, **folders, **FULL)
    try:
        production.collect(dict(started.env or {}))
        started.start(within_s=STARTS_WITHIN_S)
        yield started
    finally:
        started.stop()


@pytest.mark.slow
def test_nothing_is_taken_any_more_and_everything_is_read(web: WebServer) -> None:
    studio = Studio.objects.create(name="Full")
    game = factories.game(studio)
    key = factories.server_key(studio)
    unlock = json.dumps({"game_id": str(game.uuid), "player": "p-1", "achievement": "a"}).encode()

    def asked() -> Answer:
        sent = request("POST", "/api/v1/achievements/unlock", unlock, {"Authorization": f"Bearer {key}"})
        [answer] = web.send(sent, tries=1)
        return answer

    wait_for(lambda: asked().slug == "storage-full", what="web to look at the disk")
    answer = asked()
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert (
        web.ask("DELETE", f"/api/v1/games/{game.uuid}", Authorization=f"Bearer {key}").slug == "storage-full"
    )
    assert web.ask("GET", f"/api/v1/games/{game.uuid}", Authorization=f"Bearer {key}").status == 200
    assert web.ask("POST", "/account/login/").status == 403  # without its token: it was let in
    assert b"Nothing can be written just now." in web.ask("GET", "/games").body
    assert b"disk is nearly full." in web.ask("POST", "/language", Accept="text/html").body
    assert web.ask("GET", "/problems/storage-full").status == 200
    assert Game.objects.filter(pk=game.pk).exists()


def test_it_opens_again_once_there_is_clearly_room(settings: Any, tmp_path: Path) -> None:
    settings.POSTGRESQL_FOLDER = tmp_path
    settings.STORAGE_FULL_GIB = 1_000_000.0
    storage, used = Storage(), disk.used_ratio()
    assert used is not None

    def says(bound: float) -> bool:
        settings.STORAGE_FULL_RATIO = bound
        storage.look()
        return storage.is_full

    assert not says(used * 1.05)
    assert says(used * 0.9)
    assert says(used * 1.005)  # but a hundredth less
    assert not says(used * 1.05)
    settings.STORAGE_FULL_GIB = 0.0  # there is always more left than that
    assert not says(used * 0.9)


def test_where_the_volume_is_not_to_be_seen_nothing_is_refused(settings: Any, tmp_path: Path) -> None:
    settings.POSTGRESQL_FOLDER = tmp_path / "elsewhere"
    settings.STORAGE_FULL_RATIO, settings.STORAGE_FULL_GIB = 0.0, 1e6
    storage = Storage()
    storage.is_full = True
    storage.look()
    assert (storage.is_full, disk.used_ratio()) == (False, None)
