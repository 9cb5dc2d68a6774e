"""What a client meant to send, kept before it was sent, and what it was told."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Thing = tuple[str, str]  # a player and an achievement


@dataclass(frozen=True)
class Attempt:
    """One request, and its answer.

    Attributes:
        client: who sent it.
        unlocks: what it asked for; empty for steps, values and scores.
        status: what was answered; 0 for nothing, None for a client that never came to note it.
        outcomes: of a request that was taken, one word for each of `unlocks`: unlocked, already_unlocked, rejected.
        replayed: whether it was an earlier answer once more (`Idempotent-Replayed`).

    """

    client: int
    unlocks: tuple[Thing, ...]
    status: int | None = None
    outcomes: tuple[str, ...] = ()
    replayed: bool = False


class Journal:
    """One client's file; each line is on the disk before `intend` returns."""

    def __init__(self, path: Path) -> None:
        """Open it anew."""
        self._file = path.open("wb", buffering=0)

    def __enter__(self) -> Self:
        """Write."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()

    def intend(self, unlocks: Sequence[Thing]) -> None:
        """Note what will be sent now."""
        self._write({"send": unlocks})
        os.fsync(self._file.fileno())

    def hear(self, status: int, outcomes: Sequence[str] = (), *, replayed: bool = False) -> None:
        """Note what was answered to what was noted last."""
        self._write({"status": status, "outcomes": outcomes, "replayed": replayed})

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def read(folder: Path) -> Iterator[Attempt]:
    """Yield every attempt of every client of a folder; a last line that was cut short is left out."""
    for path in sorted(folder.glob("*.journal")):
        client, sent = int(path.stem), None
        for line in path.read_text().splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                break
            if "send" in told:
                if sent is not None:
                    yield Attempt(client, sent)
                sent = tuple((player, key) for player, key in told["send"])
            elif sent is not None:
                yield Attempt(client, sent, told["status"], tuple(told["outcomes"]), told["replayed"])
                sent = None
        if sent is not None:
            yield Attempt(client, sent)
