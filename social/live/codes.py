"""Why a connection is closed: WebSocket close codes (RFC 6455 §7.4; 4000 and up are ours)."""

GOING_AWAY = 1012  # the process stops; connect again
NOT_TEXT = 1003
TOO_LARGE = 1009
BROKEN = 1011
TRY_LATER = 1013  # the database does not answer
FELL_BEHIND = 4008
NOT_UNDERSTOOD = 4400
UNAUTHENTICATED = 4401
FORBIDDEN = 4403
NO_ANSWER = 4408  # to the server's pings
TOO_MANY = 4429
