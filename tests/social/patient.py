"""The `live` process as tests use it: it waits for anybody, and nothing comes by itself that was not pushed."""

from config import asgi
from social.live.limits import Limits
from social.live.process import LiveProcess

LIMITS = Limits(
    authenticate_s=600.0,
    ping_s=600.0,
    patience_s=600.0,
    farewell_s=600.0,
    sweep_s=3600.0,
    sweep_alone_s=0.2,
    dismiss_s=0.1,
    attendance_s=0.05,
)

application = LiveProcess(LIMITS).application()
__all__ = ["application", "asgi"]
