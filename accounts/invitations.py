"""Invitations to studios: a link that is mailed, works once, for a week, and for the address it was sent to."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import members, selectors
from accounts.models import Invitation, Member, User
from accounts.roles import manageable_by
from core import audit, clock, mail
from core.ids import parse_id
from core.refusals import Conflict, Gone, NotFound

LIFETIME = timedelta(days=7)
MOST_OPEN = 100  # of a studio
KEPT = timedelta(days=30)  # after its end: it names somebody who may never have joined
_IN_SESSION = "invitation"
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class InvitationInfo:
    """An open invitation.

    Attributes:
        email: whom it was sent to, in lower case.
        invited_by: an e-mail address; empty if that account is gone.

    """

    uuid: UUID
    studio_id: int
    studio_uuid: UUID
    studio: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime

    def is_for(self, user: User) -> bool:
        """Say whether it was sent to a user's address."""
        return user.email.lower() == self.email


def open_invitations(studio_id: int, *, at: datetime) -> list[InvitationInfo]:
    """Return a studio's open invitations, newest first."""
    rows = _open(at).filter(studio_id=studio_id).select_related("studio", "invited_by")
    return [_info(row) for row in rows.order_by("-created_at", "-pk")[:MOST_OPEN]]


def find(token: str, *, at: datetime) -> InvitationInfo:
    """Return the open invitation of a link.

    Raises:
        NotFound: there was never one.
        Gone: it was accepted or withdrawn, or its time is over.

    """
    row = Invitation.objects.select_related("studio", "invited_by").filter(hash=_hash(token)).first()
    if row is None:
        raise NotFound(_("There is no such invitation."))
    _need_open(row, at=at)
    return _info(row)


def invite(*, studio_id: int, email: str, role: str, by: User, at: datetime) -> InvitationInfo:
    """Invite somebody by mail, in this transaction; an open invitation to the same address gives way.

    Raises:
        Forbidden: by somebody who may not give such a role.
        Conflict: he is a member already, or too many invitations are open.

    """
    email = email.lower()
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        members.lock(studio_id)
        earlier = _still_open().filter(studio_id=studio_id, email=email)
        members.need_to_give(studio_id, role, *earlier.values_list("role", flat=True), by=by)
        if Member.objects.filter(studio_id=studio_id, user__email__iexact=email).exists():
            raise Conflict(_("%(email)s is a member of this studio already.") % {"email": email})
        earlier.update(withdrawn_at=at)
        _need_place(studio_id, at=at)
        row = Invitation.objects.create(
            studio_id=studio_id,
            email=email,
            role=role,
            hash=_hash(token),
            invited_by=by,
            created_at=at,
            expires_at=at + LIFETIME,
        )
        _note("invitation.create", row, by=by, at=at)
        _send(_info(row), token)
    return _info(row)


def withdraw(*, studio_id: int, uuid: UUID, by: User, at: datetime) -> str:
    """Withdraw an open invitation; return the address it was sent to.

    Raises:
        NotFound: the studio has no such open invitation.
        Forbidden: by somebody who may not take such a role.

    """
    with transaction.atomic():
        members.lock(studio_id)
        row = _open(at).filter(studio_id=studio_id, uuid=uuid).first()
        if row is None:
            raise NotFound(_("This invitation is not open any more."))
        members.need_to_give(studio_id, row.role, by=by)
        row.withdrawn_at = at
        row.save(update_fields=["withdrawn_at"])
        _note("invitation.withdraw", row, by=by, at=at)
    return row.email


def accept(*, token: str, user: User, at: datetime) -> InvitationInfo:
    """Make a user a member of the studio whose invitation he has the link of; who is one already keeps his role.

    Raises:
        NotFound: there was never such an invitation, or it was sent to another address than the user's.
        Gone: it was accepted or withdrawn, or its time is over.
        Conflict: the user is in too many studios, or the studio is full.

    """
    with transaction.atomic():
        members.lock(find(token, at=at).studio_id)
        row = Invitation.objects.select_related("studio", "invited_by").get(hash=_hash(token))
        _need_open(row, at=at)
        if not _info(row).is_for(user):
            raise NotFound(_("This invitation was sent to another address."))
        if not members.role_of(row.studio_id, user.pk):
            members.need_room(user)
            Member.objects.create(studio_id=row.studio_id, user=user, role=row.role)
        row.accepted_at = at
        row.save(update_fields=["accepted_at"])
        _note("invitation.accept", row, by=user, at=at)
    return _info(row)


def remember(request: HttpRequest, invitation: InvitationInfo) -> None:
    """Keep in the session that a browser came by an invitation: whoever has its link got its mail."""
    request.session[_IN_SESSION] = str(invitation.uuid)


def forget(request: HttpRequest) -> None:
    """Keep nothing of an invitation in the session."""
    request.session.pop(_IN_SESSION, None)


def invited_address(request: HttpRequest) -> str | None:
    """Return the address of the open invitation by which a browser came, in lower case."""
    uuid = parse_id(request.session.get(_IN_SESSION, ""))
    if uuid is None:
        return None
    return _open(clock.now()).filter(uuid=uuid).values_list("email", flat=True).first()


def is_invited(request: HttpRequest, email: str | None = None) -> bool:
    """Say whether somebody came by an invitation that is open; with `email` only if it was sent there."""
    invited = invited_address(request)
    return invited is not None and (email is None or email.lower() == invited)


def keep(*, now: datetime) -> None:
    """Delete some invitations that ended long ago."""
    old = Invitation.objects.filter(expires_at__lt=now - KEPT)
    Invitation.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_AT_ONCE])).delete()


def _hash(token: str) -> bytes:
    """Return what is stored of a link's secret. It holds 256 random bits, so a fast hash can't be searched."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _still_open() -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None)


def _open(at: datetime) -> QuerySet[Invitation]:
    return _still_open().filter(expires_at__gt=at)


def _need_open(row: Invitation, *, at: datetime) -> None:
    if row.accepted_at is not None:
        raise Gone(_("This invitation was accepted already. It works once."))
    # Who invited may have lost his role or his account since.
    is_offered = row.role in manageable_by(members.role_of(row.studio_id, row.invited_by_id))
    if row.withdrawn_at is not None or not is_offered:
        raise Gone(_("This invitation was withdrawn, or a newer one took its place: look for a later mail."))
    if row.expires_at <= at:
        raise Gone(_("This invitation was good for seven days, and they are over."))


def _need_place(studio_id: int, *, at: datetime) -> None:
    invited = _open(at).filter(studio_id=studio_id).count()
    if invited >= MOST_OPEN:
        raise Conflict(
            _("%(most)d invitations are open, as many as can be. Withdraw one first.") % {"most": MOST_OPEN}
        )
    if invited + members.count(studio_id) >= members.MOST:
        raise Conflict(
            _("A studio has %(most)d members at most, those invited included.") % {"most": members.MOST}
        )


def _info(row: Invitation) -> InvitationInfo:
    return InvitationInfo(
        uuid=row.uuid,
        studio_id=row.studio_id,
        studio_uuid=row.studio.uuid,
        studio=row.studio.name,
        email=row.email,
        role=row.role,
        invited_by=row.invited_by.email if row.invited_by else "",
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _send(invitation: InvitationInfo, token: str) -> None:
    """Queue the mail: it is stored with the invitation or not at all, and sent by a worker."""
    url = settings.PUBLIC_URL + reverse("invitation", args=[token])
    # Of a stranger nothing is known but who invites him.
    language = selectors.language_of(invitation.email) or get_language() or ""
    told = {"invitation": invitation, "url": url}
    mail.send("portal/mail/invitation", to=invitation.email, language=language, told=told)


def _note(action: str, row: Invitation, *, by: User, at: datetime) -> None:
    audit.record(
        studio_id=row.studio_id,
        actor=by.actor,
        action=action,
        kind="invitation",
        object_id=row.uuid,
        reason="",
        at=at,
        details={"email": row.email, "role": row.role},
    )
