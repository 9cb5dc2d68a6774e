from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from config.embedded import Servers

if TYPE_CHECKING:
    from tests.leaderboards.world import World


@pytest.fixture
def world(transactional_db: None) -> "World":
    """A studio with a game, and a log that begins with it."""
    from tests.leaderboards.world import World  # noqa: PLC0415 - models need settings, which need the servers

    return World.create()


@pytest.fixture
def valkey(servers: Servers) -> Iterator[Redis]:
    """A look into Valkey past all of ours."""
    with Redis.from_url(servers.redis_url) as client:
        yield client
