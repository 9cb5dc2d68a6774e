"""Open pages: the least of a WebSocket client (RFC 6455) that receives a player's events."""

import base64
import os
import socket
import struct
from collections.abc import Callable

import orjson

from bench.load import Address, BadAnswer

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_RECEIVE_BYTES = 65_536
_PATIENCE_S = 10.0


class Page:
    """A player's open page; `on_event` gets each event's bytes and when they came."""

    def __init__(
        self, address: Address, *, token: str, on_event: Callable[[bytes, float], None], source: str = ""
    ) -> None:
        """Connect, from an address of this machine if one is named, authenticate, and wait until events are told."""
        came_from = (source, 0) if source else None
        self._socket = socket.create_connection(address, timeout=_PATIENCE_S, source_address=came_from)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_event = on_event
        self._buffer = b""
        self._ready = False
        self._shake_hands(address)
        self._send(_TEXT, orjson.dumps({"type": "authenticate", "token": token}))
        while not self._ready:
            self.on_readable(0.0)

    def fileno(self) -> int:
        """Return the socket's number."""
        return self._socket.fileno()

    def on_readable(self, now: float) -> None:
        """Read what is there. Raises BadAnswer when the server ends the connection."""
        data = self._socket.recv(_RECEIVE_BYTES)
        if not data:
            raise BadAnswer("The live process closed an open page's socket.")
        self._buffer += data
        while (frame := split_frame(self._buffer)) is not None:
            kind, payload, self._buffer = frame
            self._take(kind, payload, now)

    def close(self) -> None:
        """Go away."""
        self._socket.close()

    def _take(self, kind: int, payload: bytes, now: float) -> None:
        if kind == _CLOSE:
            raise BadAnswer(f"The live process closed an open page: {payload[:2].hex()} {payload[2:]!r}")
        if kind == _PING:
            self._send(_PONG, payload)
        elif payload.startswith(b'{"type":"ping"'):
            self._send(_TEXT, b'{"type":"pong"}')
        elif payload.startswith(b'{"type":"ready"'):
            self._ready = True
        else:
            self._on_event(payload, now)

    def _shake_hands(self, address: Address) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            "GET /ws/v1/live HTTP/1.1",
            f"Host: {address[0]}:{address[1]}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: laurel.v1",
        )
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = self._socket.recv(_RECEIVE_BYTES)
            answer += data
            if not data or not answer.startswith(b"HTTP/1.1 101"[: len(answer)]):
                raise BadAnswer(f"The live process took no WebSocket: {answer[:400]!r}")
        self._buffer = answer.partition(b"\r\n\r\n")[2]

    def _send(self, kind: int, payload: bytes) -> None:
        """Send a short frame, masked as a client must."""
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        size = len(payload)
        head = (
            bytes([0x80 | kind, 0x80 | size]) if size < 126 else struct.pack("!BBH", 0x80 | kind, 0xFE, size)
        )
        self._socket.sendall(head + mask + masked)


def split_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Return the first frame's kind and payload and what follows, or None while a part of it is missing."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size == 126:
        size, start = int.from_bytes(data[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(data[2:10], "big"), 10
    if len(data) < start + size:
        return None
    return data[0] & 0x0F, data[start : start + size], data[start + size :]
