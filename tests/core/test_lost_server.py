"""A server of PostgreSQL that ends while somebody asks it, behind a PgBouncer."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import Studio
from tests.patience import LONG_S

_OK = b"R" + struct.pack("!ii", 8, 0)
_READY = b"Z" + struct.pack("!ic", 5, b"I")
_SAYS = {"server_version": "18.0", "client_encoding": "UTF8", "TimeZone": "UTC", "DateStyle": "ISO"}


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def fatal(code: bytes, text: bytes) -> bytes:
    return message(b"E", b"SFATAL\0VFATAL\0C" + code + b"\0M" + text + b"\0\0")


def serve(listening: socket.socket) -> None:
    """Let one in, answer every question with nothing, and end when a transaction begins: as both servers say it."""
    client, _ = listening.accept()
    with client:
        while True:
            (size,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
            asked = client.recv(size - 4, socket.MSG_WAITALL)
            if len(asked) > 4:
                break
            client.sendall(b"N")
        said = (message(b"S", f"{name}\0{text}\0".encode()) for name, text in _SAYS.items())
        client.sendall(_OK + b"".join(said) + _READY)
        while head := client.recv(5, socket.MSG_WAITALL):
            asked = client.recv(struct.unpack("!i", head[1:])[0] - 4, socket.MSG_WAITALL)
            if asked.startswith(b"BEGIN"):
                ends = fatal(b"57P01", b"terminating connection due to unexpected postmaster exit")
                client.sendall(ends + fatal(b"08P01", b"server conn crashed?") + _READY)
                return
            client.sendall(message(b"C", b"SET\0") + _READY)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=serve, args=(listening,), daemon=True)
        answering.start()
        yield listening.getsockname()[1]
        answering.join(LONG_S)


@pytest.mark.django_db
def test_a_server_that_ends_with_two_answers_is_away_and_no_fault_of_ours(port: int) -> None:
    ours = connection.copy()
    ours.settings_dict = {**ours.settings_dict, "HOST": "127.0.0.1", "PORT": port}
    ours.settings_dict["OPTIONS"] = {
        name: value for name, value in ours.settings_dict["OPTIONS"].items() if name != "pool"
    }
    ours.ensure_connection()
    ours.set_autocommit(False)
    with pytest.raises(OperationalError, match="2 results"), ours.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert ours.connection.closed


@pytest.mark.django_db(transaction=True)
def test_a_server_that_takes_no_writes_is_away_and_asked_over_another_connection() -> None:
    """As one that became a replica; its address may lead to another by now."""

    def write() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            Studio.objects.create(name="Late")

    with pytest.raises(OperationalError):
        write()
    Studio.objects.create(name="Again")
    assert [studio.name for studio in Studio.objects.all()] == ["Again"]
