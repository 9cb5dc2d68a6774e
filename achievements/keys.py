"""Every key that achievements own in Django's cache."""


def upload(user_id: int, game_id: int) -> str:
    """Return the key of the file that somebody is to import into a game, after its changes were shown.

    Type: `(token, format, name, bytes)`, pickled by Django's cache. TTL: 15 minutes. Rebuilt: by choosing the file
    again.
    """
    return f"achievements:v2:upload:{user_id}:{game_id}"


def open_reports(studio_id: int) -> str:
    """Return the key of how many of a studio's reports wait for an answer.

    Type: a number, pickled by Django's cache. TTL: `selectors.reports.COUNT_KEPT_S`. Rebuilt: by asking.
    """
    return f"achievements:v1:reports:open:{studio_id}"
