"""The members of studios: who they are, and what changes them. One change of a studio's members at a time.

Only owners make or unmake owners, and a studio keeps at least one (accounts/roles.py says who may what).
"""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Invitation, Member, Role, Studio, User
from accounts.owners import FACTORS
from accounts.roles import Act, manageable_by, may
from accounts.selectors.studios import MOST_STUDIOS
from core import audit
from core.refusals import Conflict, Forbidden, NotFound

MOST = 500  # of a studio


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A member of a studio, as its members page shows him.

    Attributes:
        name: as he wrote it; empty if he did not.
        has_second_factor: besides his password, if he has one.

    """

    id: int
    user_id: int
    email: str
    name: str
    role: str
    since: datetime
    has_second_factor: bool


def members(studio_id: int) -> list[MemberInfo]:
    """Return a studio's members, from most to least of a role, then by address; in two queries."""
    rows = list(Member.objects.filter(studio_id=studio_id).select_related("user")[:MOST])
    found = _infos(rows)
    ranks = list(Role.values)
    return sorted(found, key=lambda one: (ranks.index(one.role), one.email))


def count(studio_id: int) -> int:
    """Return how many members a studio has."""
    return Member.objects.filter(studio_id=studio_id).count()


def member(studio_id: int, member_id: int) -> MemberInfo | None:
    """Return a member of a studio."""
    rows = list(Member.objects.filter(studio_id=studio_id, pk=member_id).select_related("user"))
    return next(iter(_infos(rows)), None)


def _infos(rows: list[Member]) -> list[MemberInfo]:
    ids = [row.user_id for row in rows]
    secured = set(
        Authenticator.objects.filter(user_id__in=ids, type__in=FACTORS).values_list("user_id", flat=True)
    )
    return [
        MemberInfo(
            id=row.pk,
            user_id=row.user_id,
            email=row.user.email,
            name=row.user.get_full_name(),
            role=row.role,
            since=row.created_at,
            has_second_factor=row.user_id in secured,
        )
        for row in rows
    ]


def role_of(studio_id: int, user_id: int | None) -> str:
    """Return what somebody is in a studio; empty for who is no member or locked out."""
    if user_id is None:
        return ""
    mine = Member.objects.filter(studio_id=studio_id, user_id=user_id, user__is_active=True)
    return mine.values_list("role", flat=True).first() or ""


def lock(studio_id: int) -> None:
    """Let nobody else change a studio's members or invitations until the caller's transaction ends."""
    Studio.objects.select_for_update(no_key=True).get(pk=studio_id)


def need(studio_id: int, act: Act, *, by: User) -> None:
    """Raise Forbidden unless somebody may do something there, as of now."""
    if not may(role_of(studio_id, by.pk), act):
        raise Forbidden(_("Your role in this studio may not do this."))


def need_to_give(studio_id: int, *roles: str, by: User) -> None:
    """Raise Forbidden unless somebody may give and take the roles there, as of now."""
    given = manageable_by(role_of(studio_id, by.pk))
    if not set(roles) <= set(given):
        raise Forbidden(_("Your role in this studio may not do this. Only owners make or unmake owners."))


def need_room(user: User) -> None:
    """Lock a user and raise Conflict if he can be a member of no further studio."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if Member.objects.filter(user=user).count() >= MOST_STUDIOS:
        raise Conflict(
            _("You are a member of %(most)d studios, as many as one can be. Leave one first.")
            % {"most": MOST_STUDIOS}
        )


def change_role(*, studio_id: int, member_id: int, role: str, by: User, at: datetime) -> bool:
    """Give a member another role. Open invitations of his that he may no longer make are withdrawn.

    Returns:
        Whether that changed anything; if not, nothing is noted.

    Raises:
        NotFound: no member of the studio.
        Forbidden: by somebody who may not take or give such a role.
        Conflict: the studio would be left without an owner.

    """
    with transaction.atomic():
        lock(studio_id)
        one = _get(studio_id, member_id)
        need_to_give(studio_id, one.role, role, by=by)
        if one.role == role:
            return False
        _keep_an_owner(one)
        before, one.role = one.role, role
        one.save(update_fields=["role"])
        _take_back_invitations(one, at=at)
        _note("member.change_role", one, by=by, at=at, before=before, after=role)
    return True


def remove(*, studio_id: int, member_id: int, reason: str, by: User, at: datetime) -> str:
    """Remove a member; his next request finds nothing of the studio. Keys stay, they are the studio's.

    Returns:
        His e-mail address.

    Raises:
        NotFound: no member of the studio.
        Forbidden: by somebody who may not take such a role.
        Conflict: the studio would be left without an owner.

    """
    with transaction.atomic():
        lock(studio_id)
        one = _get(studio_id, member_id)
        need_to_give(studio_id, one.role, by=by)
        _end(one, "member.remove", reason=reason, by=by, at=at)
    return one.user.email


def leave(*, studio_id: int, by: User, at: datetime) -> None:
    """Take somebody out of a studio at his own wish.

    Raises:
        NotFound: he is no member.
        Conflict: the studio would be left without an owner.

    """
    with transaction.atomic():
        lock(studio_id)
        one = Member.objects.select_related("user").filter(studio_id=studio_id, user=by).first()
        if one is None:
            raise NotFound(_("You are no member of this studio."))
        _end(one, "member.leave", reason="", by=by, at=at)


def read_until(*, studio_id: int, user_id: int, until: datetime) -> None:
    """Note that a member has read what the inbox said until then; who has read more already keeps that."""
    rows = Member.objects.filter(studio_id=studio_id, user_id=user_id)
    rows.filter(Q(inbox_seen_at=None) | Q(inbox_seen_at__lt=until)).update(inbox_seen_at=until)


def _get(studio_id: int, member_id: int) -> Member:
    found = Member.objects.select_related("user").filter(studio_id=studio_id, pk=member_id).first()
    if found is None:
        raise NotFound(_("There is no such member in this studio."))
    return found


def _end(one: Member, action: str, *, reason: str, by: User, at: datetime) -> None:
    _keep_an_owner(one)
    role = one.role
    one.role = ""
    _take_back_invitations(one, at=at)
    _note(action, one, by=by, at=at, reason=reason, before=role)
    Member.objects.filter(pk=one.pk).delete()


def _keep_an_owner(one: Member) -> None:
    """Raise Conflict if a studio, which is locked, has no owner besides this one."""
    owners = Member.objects.filter(studio_id=one.studio_id, role=Role.OWNER, user__is_active=True)
    if one.role == Role.OWNER and not owners.exclude(pk=one.pk).exists():
        raise Conflict(
            _("A studio needs an owner, and this is the only one. Make another member owner first.")
        )


def _take_back_invitations(one: Member, *, at: datetime) -> None:
    """Withdraw what a member offered and may no longer offer: else he could come back by it, or bring others."""
    offered = Invitation.objects.filter(studio_id=one.studio_id, invited_by_id=one.user_id)
    still_open = offered.filter(accepted_at=None, withdrawn_at=None)
    still_open.exclude(role__in=manageable_by(one.role)).update(withdrawn_at=at)


def _note(action: str, one: Member, *, by: User, at: datetime, reason: str = "", **details: str) -> None:
    audit.record(
        studio_id=one.studio_id,
        actor=by.actor,
        action=action,
        kind="member",
        object_id=one.user.email,
        reason=reason,
        at=at,
        details=details,
    )
