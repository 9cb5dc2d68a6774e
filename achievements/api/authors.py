"""Who changes definitions through the API."""

from rest_framework.request import Request

from accounts.authentication import holder_of
from accounts.selectors import KeyHolder
from achievements.services.versions import Author, Source
from core import clock


def author(request: Request) -> Author:
    """Return the key that was sent, as the history of definitions names it."""
    holder = holder_of(request)
    assert isinstance(holder, KeyHolder)  # a player's token is refused before
    return Author(holder.actor, clock.now(), Source.API)
