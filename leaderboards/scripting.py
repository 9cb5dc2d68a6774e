"""The Lua scripts in `scripts/`: each a step that nobody sees half of, sent by its hash, and whole where it is new."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError, ReadOnlyError

_FOLDER = Path(__file__).parent / "scripts"


class Call(NamedTuple):
    """A script's keys, all of one board, and its arguments."""

    keys: Sequence[str]
    arguments: Sequence[bytes | str | int]


class Script:
    """One script; `reads` if it writes nothing, so that a replica may run it."""

    def __init__(self, name: str, *, reads: bool = False) -> None:
        """Read the script's file."""
        self._text = (_FOLDER / f"{name}.lua").read_text()
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()
        self._by_hash, self._whole = ("EVALSHA_RO", "EVAL_RO") if reads else ("EVALSHA", "EVAL")

    def run(self, client: Any, call: Call) -> Any:
        """Run the script once. Raises redis.RedisError."""
        try:
            return client.execute_command(self._by_hash, self._sha, *_flat(call))
        except NoScriptError:  # a server that has just started; EVAL makes it known there
            return client.execute_command(self._whole, self._text, *_flat(call))

    def run_many(self, client: Any, calls: Sequence[Call]) -> list[Any]:
        """Run the script for each call in one round trip; it must be safe to repeat. Raises redis.RedisError."""
        answers = self._pipelined(client, calls)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            client.script_load(self._text)
            answers = self._pipelined(client, calls)
        failed = next((answer for answer in answers if isinstance(answer, Exception)), None)
        if isinstance(failed, ReadOnlyError):
            client.connection_pool.disconnect()  # the next one may lead to the server that writes now
        if failed is not None:
            raise failed
        return answers

    def _pipelined(self, client: Any, calls: Sequence[Call]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command(self._by_hash, self._sha, *_flat(call))
        answers: list[Any] = pipeline.execute(raise_on_error=False)
        return answers


def _flat(call: Call) -> tuple[bytes | str | int, ...]:
    return (len(call.keys), *call.keys, *call.arguments)
