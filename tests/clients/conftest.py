import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.children import BASE_DIR
from tests import platform as whole
from tests.platform import Platform

EXAMPLES = BASE_DIR / "docs" / "guides" / "examples"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """The whole platform, with the game of the guide in the studio."""
    with (
        tempfile.TemporaryDirectory(prefix="laurel-clients-") as folder,
        whole.running(Path(folder)) as platform,
    ):
        client = platform.client()
        platform.game = client.until_answered(client.post, "/games", {"title": "Duels"}).body["id"]
        definitions = json.loads((EXAMPLES / "game.json").read_text())
        path = f"/games/{platform.game}/achievements/import?format=laurel"
        once = {"Idempotency-Key": "definitions"}
        assert client.until_answered(client.post, path, definitions, once).body["created"] == 4
        yield platform
        platform.close_clients()
