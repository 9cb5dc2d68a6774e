"""Ask one address of this machine, and end with 0 if it answers 200: `python -I -S config/healthy.py 8000 /readyz`.

For health checks of containers, whose image has no curl. It imports next to nothing, since it runs every few seconds.
"""

import socket
import sys

WITHIN_S = 3.0
_OK = (b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")


def answers(port: int, path: str) -> bool:
    """Say whether a server on this machine answers 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S) as connection:
        connection.settimeout(WITHIN_S)
        connection.sendall(request.encode())
        return connection.makefile("rb").readline(64).startswith(_OK)


if __name__ == "__main__":
    try:
        sys.exit(0 if answers(int(sys.argv[1]), sys.argv[2]) else 1)
    except OSError:
        sys.exit(1)
