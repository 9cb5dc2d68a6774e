"""A `web` process as it is shipped, for attacks on what stands before Django."""

from collections.abc import Iterator

import pytest

from config.embedded import Servers
from tests.platform import STARTS_WITHIN_S
from tests.security.serving import WebServer


@pytest.fixture(scope="module")
def web(
    servers: Servers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    """A `web` process that a file's tests leave running."""
    started = WebServer(servers, tmp_path_factory.mktemp("web"))
    try:
        started.start(within_s=STARTS_WITHIN_S)
        yield started
    finally:
        started.stop()
