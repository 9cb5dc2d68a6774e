"""Room on Python's stack for what a thread does over and over.

CPython, from 3.11 on, keeps the frames of a thread in chunks of 16 KiB, and gives the last chunk back to the system as
soon as the frame that needed it returns. A loop whose calls happen to cross a chunk's end maps and unmaps memory with
each of them: a page that takes 46 ms of CPU took 250, two fifths of them in the kernel, with 20,000 page faults.
See docs/adr/0059-room-on-the-stack.md.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
# Slots of eight bytes: a frame of 133 KiB gets a chunk of 256 KiB, and what it leaves has room for a thousand frames.
# They are reserved and not touched, so that a call costs one mapping and no memory.
_SLOTS = 17_000


def roomy(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that does the same, and whose calls find room for their frames in one piece."""

    def call(*args: P.args, **named: P.kwargs) -> T:
        return function(*args, **named)

    call.__code__ = call.__code__.replace(co_stacksize=_SLOTS)
    return call
