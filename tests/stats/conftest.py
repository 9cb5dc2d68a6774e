from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stats.world import World


@pytest.fixture
def world(transactional_db: None) -> "World":
    """A studio with a game, and a log that begins with it."""
    from tests.stats.world import World  # noqa: PLC0415 - models need settings, which need the servers

    return World.create()
