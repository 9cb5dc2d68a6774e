"""A studio's members, and who is invited to become one."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import invitations, limits, members
from accounts.doorway import Visit, studio_page
from accounts.forms import InviteForm, ReasonForm, RoleForm
from accounts.members import MemberInfo
from accounts.roles import Act, manageable_by
from accounts.words import ROLE_NAMES
from core import clock
from core.forms import sent
from core.refusals import Conflict

INVITATIONS_A_DAY = "100/d"  # of a user, whatever the studio
MAILS_A_DAY = "5/d"  # of a studio to one address


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.SEE_ANALYTICS)
def members_page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show a studio's members, and to who manages them the open invitations; a POST invites one more."""
    if request.method == "POST":
        visit.need(Act.MANAGE_STUDIO)
    roles = manageable_by(visit.studio.role)
    form = InviteForm(sent(request), roles=roles, initial={"role": "developer"})
    if form.is_valid() and _invite(request, visit, form):
        # The form's own #invite would stay in the address, and the message out of sight.
        return redirect(reverse("members", args=[visit.studio.studio_uuid]) + "#main")
    shown = {
        "visit": visit,
        "here": "members",
        "form": form,
        "members": members.members(visit.studio.studio_id),
        "manageable": roles,
    }
    if visit.may(Act.MANAGE_STUDIO):
        shown["invitations"] = invitations.open_invitations(visit.studio.studio_id, at=clock.now())
    return render(request, "portal/members.html", shown, status=_status(form))


def _invite(request: HttpRequest, visit: Visit, form: InviteForm) -> bool:
    """Invite whom a valid form names; say whether that went well, else the form says why not."""
    email, role = form.cleaned_data["email"].lower(), form.cleaned_data["role"]
    try:
        with transaction.atomic():
            invitations.invite(
                studio_id=visit.studio.studio_id, email=email, role=role, by=visit.user, at=clock.now()
            )
            _count_invitation(request, visit, email)  # what was refused counts for nothing
    except Conflict as refused:
        form.refuse(refused)
        return False
    messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": email})
    return True


def _count_invitation(request: HttpRequest, visit: Visit, email: str) -> None:
    refusal = _("You sent a hundred invitations today. Send the next one tomorrow.")
    limits.count(request, group="invite", key=visit.user.pk, rate=INVITATIONS_A_DAY, refusal=refusal)
    refusal = _("Five invitations went to this address today. Send the next one tomorrow.")
    key = f"{visit.studio.studio_id} {email}"
    limits.count(request, group="invite-address", key=key, rate=MAILS_A_DAY, refusal=refusal)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.MANAGE_STUDIO)
def member_page(request: HttpRequest, visit: Visit, member: int) -> HttpResponse:
    """Show a member; a POST gives him another role."""
    one = _member(visit, member)
    roles = manageable_by(visit.studio.role)
    form = RoleForm(sent(request), roles=roles, initial={"role": one.role})
    if form.is_valid() and _change_role(request, visit, one, form):
        return redirect("members", studio=visit.studio.studio_uuid)
    return _shown(request, visit, one, form, ReasonForm())


def _change_role(request: HttpRequest, visit: Visit, one: MemberInfo, form: RoleForm) -> bool:
    role = form.cleaned_data["role"]
    try:
        members.change_role(
            studio_id=visit.studio.studio_id, member_id=one.id, role=role, by=visit.user, at=clock.now()
        )
    except Conflict as refused:
        form.refuse(refused)
        return False
    told = {"email": one.email, "role": ROLE_NAMES[role]}
    messages.success(request, _("%(email)s: the role is %(role)s now.") % told)
    return True


@require_POST
@studio_page(needs=Act.MANAGE_STUDIO)
def remove_member(request: HttpRequest, visit: Visit, member: int) -> HttpResponse:
    """Remove a member."""
    one = _member(visit, member)
    reasons = ReasonForm(request.POST)
    if not reasons.is_valid():
        return _shown(request, visit, one, _role_form(visit, one), reasons)
    try:
        members.remove(
            studio_id=visit.studio.studio_id,
            member_id=one.id,
            reason=reasons.cleaned_data["reason"],
            by=visit.user,
            at=clock.now(),
        )
    except Conflict as refused:
        reasons.refuse(refused)
        return _shown(request, visit, one, _role_form(visit, one), reasons)
    messages.success(request, _("%(email)s is no member any more.") % {"email": one.email})
    return redirect("members", studio=visit.studio.studio_uuid)


@require_POST
@studio_page(needs=Act.MANAGE_STUDIO)
def withdraw_invitation(request: HttpRequest, visit: Visit, invitation: UUID) -> HttpResponse:
    """Withdraw an open invitation."""
    email = invitations.withdraw(
        studio_id=visit.studio.studio_id, uuid=invitation, by=visit.user, at=clock.now()
    )
    messages.success(request, _("The invitation to %(email)s works no more.") % {"email": email})
    return redirect("members", studio=visit.studio.studio_uuid)


def _member(visit: Visit, member_id: int) -> MemberInfo:
    found = members.member(visit.studio.studio_id, member_id)
    if found is None:
        raise Http404
    return found


def _role_form(visit: Visit, one: MemberInfo) -> RoleForm:
    return RoleForm(roles=manageable_by(visit.studio.role), initial={"role": one.role})


def _shown(
    request: HttpRequest, visit: Visit, one: MemberInfo, form: RoleForm, reasons: ReasonForm
) -> HttpResponse:
    shown = {
        "visit": visit,
        "here": "members",
        "member": one,
        "is_manageable": one.role in manageable_by(visit.studio.role),
        "form": form,
        "reasons": reasons,
    }
    return render(request, "portal/member.html", shown, status=_status(form, reasons))


def _status(*forms: RoleForm | ReasonForm) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if any(form.errors for form in forms) else HTTPStatus.OK
