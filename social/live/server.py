"""What ASGI has no word for, asked of uvicorn behind its `send`; another server goes without."""

import socket
import struct
from contextlib import suppress
from typing import Any

from social.live.answers import Scope, Send

_DROP_WHAT_WAITS = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time, so that closing resets


def cut(send: Send) -> None:
    """Cut a connection: a client that reads nothing would keep its buffers, the kernel's too, for minutes."""
    transport = getattr(_behind(send), "transport", None)
    if transport is None:
        return
    with suppress(OSError):  # the client may have closed it meanwhile, which leaves nothing to drop
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_WHAT_WAITS)
    transport.abort()


def forget_handshake(scope: Scope, send: Send) -> None:
    """Let go of a handshake's headers, which are kept twice as long as the socket lives: a quarter of its memory."""
    scope["headers"].clear()
    for name in ("request", "response"):
        headers = getattr(getattr(_behind(send), name, None), "headers", None)
        if headers is not None:
            headers.clear()


def _behind(send: Send) -> Any:
    return getattr(send, "__self__", None)
