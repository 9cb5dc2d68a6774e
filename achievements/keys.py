"""Every key that achievements own in Django's cache."""


def upload(token: str) -> str:
    """Return the key of a file that waits to be imported, after its changes were shown.

    Type: `(user id, game id, format, name, bytes)`, pickled by Django's cache. TTL: 15 minutes. Rebuilt: by choosing
    the file again.
    """
    return f"achievements:v1:upload:{token}"
