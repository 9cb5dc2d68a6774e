"""Every key of Valkey that core owns."""

import hashlib


def public_page(address: str) -> str:
    """Return the key of a string, in the cache: a finished page for who is not signed in, as `(gzip, etag)`; lives for seconds.

    Made anew by whoever asks next. The address is hashed: its parameters are the reader's.
    """
    return f"core:v1:page:{hashlib.blake2b(address.encode(), digest_size=16).hexdigest()}"
