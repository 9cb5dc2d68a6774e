import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import platform as whole
from tests.platform import Platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The whole platform; each test leaves it running and whole, with players of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="laurel-faults-") as folder,
        whole.running(Path(folder), backups=Path(folder) / "backups") as platform,
    ):
        yield platform


@pytest.fixture(autouse=True)
def _clients_are_closed(platform: Platform) -> Iterator[None]:
    yield
    platform.close_clients()
