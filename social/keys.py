"""Every Valkey key and channel that social owns."""

from urllib.parse import urlsplit

from django.conf import settings

NOBODY = (
    "0"  # no player's number: a live process that knows of no traces finds nobody to pass such a line on to
)


def live_channel() -> str:
    """Return the channel that tells `live` processes what was added to inboxes.

    A message is one batch: lines of `player_id seq uuid kind at data`, in the order of each player's `seq`; only the
    last field, a JSON object, holds spaces. Nothing is lost with a message: who misses one reads the inbox.
    A line `0 traceparent` before one says of which trace that is, if it was sampled (docs/adr/0070-traces.md).
    A server's channels are common to all of its databases, so the database's number is in the name: installations
    that share a server must not hear each other.
    """
    database = urlsplit(settings.VALKEY_URLS["live"]).path.strip("/") or "0"
    return f"social:v1:live:{database}"


def summary(player_id: int) -> str:
    """Return the key of what there is in all of a player's games, which takes long to add up.

    Type: string, JSON: `[version, available, last unlock µs or null]`; the version is that of his totals over all
    games, and of another one it says nothing. TTL: social.selectors.summaries.KEPT_S. Rebuilt: as it is asked for.
    """
    return f"social:v1:summary:{player_id}"


def card(digest: str) -> str:
    """Return the key, in the cache, of a card that was drawn: its bytes, by a hash of what is on it. TTL: a day."""
    return f"social:v1:card:{digest}"


def card_of(drawn_for: str) -> str:
    """Return the key, in the cache, of which card a player had last, by a hash of who he is; TTL: a minute.

    So a card is drawn once a minute at most, however fast the figures on it change.
    """
    return f"social:v1:card-of:{drawn_for}"
