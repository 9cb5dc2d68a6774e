"""How many files a process may have open: `live` holds a socket for every open page."""

import resource
from contextlib import suppress

WANTED = 65_536


def raise_limit() -> None:
    """Allow this process, and what it starts, as many open files as the system lets us, up to WANTED."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
