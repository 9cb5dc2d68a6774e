"""The `live` process with short waits. For a process of its own: importing it is starting it."""

from config import asgi
from social.live.process import LiveProcess
from tests.social.short_waits import LIMITS

application = LiveProcess(LIMITS).application()
__all__ = ["application", "asgi"]
