"""Studios, and who works there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings

from accounts.calls.models import CallCount
from accounts.models import Member, Role, Studio, User

MOST_STUDIOS = 100  # of a user
MOST_TOLD = 20  # owners who get a mail
# What `manage.py demo` makes, and the demo's page shows.
DEMO_STUDIO: UUID = settings.DEMO_STUDIO


@dataclass(frozen=True, slots=True)
class Membership:
    """A studio, and what somebody is there; what happened until `seen_at` is read in his inbox."""

    studio_id: int
    studio_uuid: UUID
    name: str
    role: str
    seen_at: datetime


def memberships(user_id: int) -> list[Membership]:
    """Return a user's studios by name; somebody who is locked out has none."""
    rows = Member.objects.filter(user_id=user_id, user__is_active=True).select_related("studio")
    found = [
        Membership(
            row.studio_id,
            row.studio.uuid,
            row.studio.name,
            row.role,
            row.inbox_seen_at or row.created_at,
        )
        for row in rows[:MOST_STUDIOS]
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.studio_id))


def demo_studio_id() -> int | None:
    """Return the demo's studio; None where there is no demo."""
    return Studio.objects.filter(uuid=DEMO_STUDIO).values_list("pk", flat=True).first()


def studio_pks(uuids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the internal ids of studios, in one query; who is unknown is left out."""
    return dict(Studio.objects.filter(uuid__in=set(uuids)).values_list("uuid", "pk"))


def studio_named(pk: int) -> tuple[UUID, str] | None:
    """Return a studio's public id and its name, or None if there is no such studio."""
    return Studio.objects.filter(pk=pk).values_list("uuid", "name").first()


def studio_uuid(pk: int) -> UUID | None:
    """Return a studio's public id, or None if there is no such studio."""
    return Studio.objects.filter(pk=pk).values_list("uuid", flat=True).first()


def studio_name(pk: int) -> str:
    """Return a studio's name, empty if there is no such studio."""
    return Studio.objects.filter(pk=pk).values_list("name", flat=True).first() or ""


def owner_addresses(studio_id: int) -> list[tuple[str, str]]:
    """Return the e-mail addresses of a studio's owners, but for who is locked out, each with the language of mail.

    The language is empty for somebody who never chose one; of very many owners the first are told.
    """
    rows = Member.objects.filter(studio_id=studio_id, role=Role.OWNER, user__is_active=True)
    return list(rows.order_by("pk").values_list("user__email", "user__language")[:MOST_TOLD])


def language_of(email: str) -> str:
    """Return the language in which somebody with an address wants mail; empty for a stranger, and for no choice."""
    return User.objects.filter(email=email).values_list("language", flat=True).first() or ""


def calls_by_day(studio_id: int, *, since: date) -> dict[tuple[date, str], int]:
    """Return how many calls a studio made on each day (UTC) from a date, by how they ended."""
    rows = CallCount.objects.filter(studio_id=studio_id, day__gte=since)
    return {(day, ending): count for day, ending, count in rows.values_list("day", "ending", "count")}
