"""Another studio's key that sends far more than it may: `python -m bench.neighbour` prints how it went as JSON."""

import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import orjson

from bench.load import Address, flood
from bench.platform import Platform
from config.children import BASE_DIR

_NAME = "Noisy"
_MAKE = """
import json
from accounts.services import create_studio, issue_key
from accounts.models import ServerKey
studio = create_studio(name="{name}")
key, secret = issue_key(studio_id=studio.pk, name="noisy")
ServerKey.objects.filter(pk=key.pk).update(writes_per_s={per_s})
print(json.dumps(secret))
"""
_CONNECTIONS = 32


class Neighbour:
    """Sends, from a process of its own, for as long as it is entered; then `sent` and `refused` are known."""

    def __init__(self, platform: Platform, *, per_s: int, sends_per_s: int) -> None:
        """Make the studio and its key, which is limited to `per_s` writes a second."""
        self._env = platform.env
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", _MAKE.format(name=_NAME, per_s=per_s)]
        made = subprocess.run(command, env=self._env, cwd=BASE_DIR, stdout=subprocess.PIPE, check=True)
        self._arguments = [orjson.loads(made.stdout.splitlines()[-1]), str(platform.web[1]), str(sends_per_s)]
        self.sent = self.refused = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.neighbour", *self._arguments],
            env=self._env,
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        time.sleep(1.0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        output, _ = self._process.communicate(b"end\n")
        told = orjson.loads(output.splitlines()[-1])
        self.sent, self.refused = told["sent"], told["refused"]


def main(key: str, port: int, per_second: float) -> None:
    """Send until there is something on the input."""
    body = b'{"game_id":"00000000-0000-7000-8000-000000000000","player":"noisy","achievement":"a"}'
    head = (
        f"POST /api/v1/achievements/unlock HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    address: Address = ("127.0.0.1", port)
    sent = refused = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        flooded = flood(
            address,
            lambda: request,
            per_second=per_second,
            seconds=1.0,
            connections=_CONNECTIONS,
            expected={404},
            refusals={429},
        )
        sent += len(flooded.taken_ms) + len(flooded.refused_ms)
        refused += len(flooded.refused_ms)
    print(orjson.dumps({"sent": sent, "refused": refused}).decode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
