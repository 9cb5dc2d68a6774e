"""People who visit the portal's pages in a browser."""

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import Member, Studio, User

BROWSER = {"Accept": "text/html"}


class Visitor:
    """Somebody with a browser of his own."""

    def __init__(self, user: User | None) -> None:
        """Open a browser, signed in as `user` if there is one."""
        self.client = Client(headers=BROWSER)
        self.signed_in = user
        if user is not None:
            self.client.force_login(user)

    @property
    def user(self) -> User:
        """Who is signed in."""
        assert self.signed_in is not None
        return self.signed_in

    @property
    def email(self) -> str:
        """The address of who is signed in."""
        return self.user.email

    def get(self, name: str, /, *arguments: object) -> Any:
        """Look at a page by its name."""
        return self.client.get(reverse(name, args=arguments))

    def post(self, name: str, /, *arguments: object, **fields: object) -> Any:
        """Send a form."""
        return self.client.post(reverse(name, args=arguments), fields)


def visitor(email: str | None) -> Visitor:
    """Return somebody who is signed in, or nobody in particular."""
    return Visitor(None if email is None else User.objects.create_user(email))


def member(of: Studio, role: str, email: str | None = None) -> Visitor:
    """Return a member of a studio, called after his role if not by an address."""
    made = visitor(email or f"{role}-{of.pk}@studio.example")
    Member.objects.create(studio=of, user=made.user, role=role)
    return made


def membership(of: Studio, who: Visitor) -> int:
    """Return the id of a member, as the addresses of pages name him."""
    return Member.objects.get(studio=of, user=who.user).pk
