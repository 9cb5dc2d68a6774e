"""Every key of Valkey that core owns."""

import hashlib


def public_page(address: str) -> str:
    """Return the key, in the cache, of a finished page for who is not signed in: a string, `(gzip, etag)`, for seconds.

    It is made anew by whoever asks next. The address is hashed: its parameters are the reader's.
    """
    return f"core:v1:page:{hashlib.blake2b(address.encode(), digest_size=16).hexdigest()}"


def bucket(rate: str, caller: str) -> str:
    """Return the key, in `limits`, of a caller's token bucket: a string, `left at`, gone once the bucket is full.

    It is made anew by whoever takes next.
    """
    return f"core:v1:bucket:{rate}:{caller}"


def processes() -> str:
    """Return the key, in `live`, of which processes there are: a sorted set, `process host pid` by when it said so.

    Each says so anew every few seconds; who has not for a minute is taken out.
    """
    return "core:v1:processes"


def process(name: str) -> str:
    """Return the key, in `live`, of what one of them said: a string, JSON (core/metrics/alive.py), for 20 s."""
    return f"core:v1:process:{name}"
