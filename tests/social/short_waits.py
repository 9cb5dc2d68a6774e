"""How long `live` waits in tests of what happens when it has waited (tests/social/impatient.py)."""

from social.live.limits import Limits

LIMITS = Limits(
    authenticate_s=0.5,
    ping_s=0.4,
    heartbeat_s=0.4,
    patience_s=0.5,
    farewell_s=2.5,
)
