import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.webhooks.servers import HOST, Canary, NameServer

if TYPE_CHECKING:
    from accounts.models import Studio
    from tests.factories import Api


@pytest.fixture
def studio(db: None) -> "Studio":
    from tests import factories  # noqa: PLC0415 - models need settings, which need the servers

    return factories.studio()


@pytest.fixture
def api(studio: "Studio") -> "Api":
    from tests import factories  # noqa: PLC0415 - as above

    return factories.api(factories.server_key(studio))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    """Return how a receiver shows that it is HOST."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    return context


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer({HOST: ["127.0.0.1"]})
    yield server
    server.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.close()


@pytest.fixture
def own_network(names: NameServer, authority: trustme.CA, tmp_path: Path) -> Iterator[None]:
    """Let the operator allow this machine's own network, with name servers and an authority of its own."""
    from tests.webhooks import world  # noqa: PLC0415 - as above

    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with world.operator_allows(
        allowed_networks=["127.0.0.0/8"],
        ports=range(1024, 65536),
        plain_http=True,
        name_servers=[names.address],
        ca_file=str(file),
    ):
        yield


@pytest.fixture
def as_shipped(names: NameServer) -> Iterator[None]:
    """Allow what is allowed by default, but for the ports: those of a canary are taken."""
    from tests.webhooks import world  # noqa: PLC0415 - as above

    with world.operator_allows(ports=range(1024, 65536), name_servers=[names.address]):
        yield
