"""Pictures are drawn by few at a time, and what is no picture is refused in words."""

from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Final

from core.db import lend_back
from core.pictures import containers
from core.pictures.drawing import Drawn
from core.refusals import Invalid, Refused, Unavailable

# A picture takes some twenty MiB and a tenth of a second while it is drawn.
_DRAWN_AT_ONCE: Final = 2
_WAITS_S: Final = 10.0
_drawing = BoundedSemaphore(_DRAWN_AT_ONCE)


class UnusablePicture(Invalid):
    """The file is no picture that is taken."""


def painted(draw: Callable[[bytes], Drawn], body: bytes) -> Drawn:
    """Return a picture, drawn by few at a time: whatever is sent, they share some memory and a core or two.

    Raises:
        UnusablePicture, Refused `payload-too-large`: the file is not taken; it says why and what to do.
        Unavailable: too many are being drawn.

    """
    lend_back()  # nobody's connection waits for a brush
    if not _drawing.acquire(timeout=_WAITS_S):
        raise Unavailable("Many pictures are being drawn. Send the same file again.")
    try:
        return draw(body)
    except containers.TooLarge as error:
        raise Refused(str(error), slug="payload-too-large") from None
    except containers.Unusable as error:
        raise UnusablePicture(str(error)) from None
    finally:
        _drawing.release()
