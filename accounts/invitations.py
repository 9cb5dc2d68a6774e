"""Invitations to studios."""

from django.http import HttpRequest


def is_invited(request: HttpRequest) -> bool:
    """Say whether somebody came by an invitation that is open."""
    return bool(request.session.get("invitation"))
