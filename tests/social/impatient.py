"""The `live` process with short waits, for tests of what happens when they are over."""

from config import asgi
from social.live.limits import Limits
from social.live.process import LiveProcess

LIMITS = Limits(
    authenticate_s=0.5,
    ping_s=0.4,
    heartbeat_s=0.4,
    patience_s=0.5,
    farewell_s=2.5,
)

application = LiveProcess(LIMITS).application()
__all__ = ["application", "asgi"]
