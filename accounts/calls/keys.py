"""Every key that the request log owns in Django's cache."""


def refused(studio_id: int) -> str:
    """Return the key of how often a studio's calls were refused of late, by problem.

    Type: `[(slug, number), …]`, pickled by Django's cache. TTL: `log.STRIP_KEPT_S`. Rebuilt: by asking.
    """
    return f"accounts:v1:calls:refused:{studio_id}"
