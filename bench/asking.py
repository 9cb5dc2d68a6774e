"""One request after the other, as a studio's server sends it."""

import http.client
from typing import Any

import orjson

from bench.load import BadAnswer
from bench.platform import Platform


def ask(platform: Platform, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Return the answer, nothing if it is empty. Raises BadAnswer where it is a refusal."""
    line = http.client.HTTPConnection(*platform.web, timeout=30)
    headers = {"Authorization": f"Bearer {platform.world.key}", "Content-Type": "application/json"}
    line.request(method, path, None if body is None else orjson.dumps(body), headers)
    answer = line.getresponse()
    said = answer.read()
    line.close()
    if answer.status not in range(200, 300):
        raise BadAnswer(f"{method} {path} was answered {answer.status}: {said[:400]!r}")
    read: dict[str, Any] = orjson.loads(said) if said else {}
    return read
