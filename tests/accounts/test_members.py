"""Members of a studio: roles given and taken, removal, leaving, and what a studio keeps."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import members
from accounts.models import Member, Role, ServerKey, Studio
from accounts.roles import MAY
from accounts.words import ROLE_NAMES, ROLE_TEXTS
from core.models import AuditEntry
from core.refusals import Conflict, Forbidden, NotFound
from tests import factories
from tests.accounts.visitors import Visitor, member, membership, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def owner(studio: Studio) -> Visitor:
    return member(studio, "owner")


def role(studio: Studio, who: Visitor) -> str:
    return members.role_of(studio.pk, who.user.pk)


def give(studio: Studio, by: Visitor, to: Visitor, role: str) -> int:
    answer = by.post("member", studio.uuid, membership(studio, to), role=role)
    return int(answer.status_code)


def test_every_role_has_a_name_a_text_and_acts() -> None:
    assert list(ROLE_NAMES) == list(ROLE_TEXTS) == list(MAY) == Role.values


def test_the_page_shows_everybody_and_no_stranger(studio: Studio, owner: Visitor) -> None:
    analyst = member(studio, "analyst")
    member(factories.studio(), "admin", "stranger@example.com")
    Authenticator.objects.create(user=analyst.user, type=Authenticator.Type.TOTP, data={})
    Authenticator.objects.create(user=owner.user, type=Authenticator.Type.RECOVERY_CODES, data={})
    shown = members.members(studio.pk)
    assert [(one.email, one.role, one.has_second_factor) for one in shown] == [
        (owner.email, "owner", False),
        (analyst.email, "analyst", True),
    ]
    page = owner.get("members", studio.uuid).content.decode()
    assert analyst.email in page
    assert "stranger@example.com" not in page


@pytest.mark.slow
def test_the_page_asks_as_often_for_many_as_for_few(
    studio: Studio, owner: Visitor, django_assert_num_queries: Any
) -> None:
    owner.get("members", studio.uuid)
    with CaptureQueriesContext(connection) as asked:
        owner.get("members", studio.uuid)
    few = len(asked)
    for name in "abcde":
        member(studio, "analyst", f"{name}@example.com")
        owner.post("members", studio.uuid, email=f"invited-{name}@example.com", role="analyst")
    owner.get("members", studio.uuid)  # which shows the messages
    with django_assert_num_queries(few):
        owner.get("members", studio.uuid)


def test_who_may_not_manage_sees_colleagues_and_no_more(studio: Studio, owner: Visitor) -> None:
    owner.post("members", studio.uuid, email="priya@example.com", role="analyst")
    page = member(studio, "support").get("members", studio.uuid).content.decode()
    assert owner.email in page
    for hidden in ("priya@example.com", "Second factor", "Send the invitation", "Change"):
        assert hidden not in page


def test_a_role_is_changed_and_noted(studio: Studio, owner: Visitor) -> None:
    bram = member(studio, "analyst")
    assert give(studio, owner, bram, "developer") == 302
    assert role(studio, bram) == "developer"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_id) == (
        "member.change_role",
        f"user:{owner.email}",
        bram.email,
    )
    assert entry.details == {"before": "analyst", "after": "developer"}
    assert give(studio, owner, bram, "developer") == 302
    assert AuditEntry.objects.count() == 1


def test_only_owners_make_or_unmake_owners(studio: Studio, owner: Visitor) -> None:
    admin, bram = member(studio, "admin"), member(studio, "analyst")
    assert give(studio, admin, bram, "owner") == 422
    assert give(studio, admin, owner, "analyst") == 403
    assert admin.post("remove-member", studio.uuid, membership(studio, owner)).status_code == 403
    assert (role(studio, owner), role(studio, bram)) == ("owner", "analyst")
    at, ids = timezone.now(), membership(studio, bram)
    with pytest.raises(Forbidden):
        members.change_role(studio_id=studio.pk, member_id=ids, role="owner", by=admin.user, at=at)
    assert "Save the role" not in admin.get("member", studio.uuid, membership(studio, owner)).content.decode()
    assert give(studio, owner, bram, "owner") == 302
    assert give(studio, bram, owner, "analyst") == 302
    assert role(studio, owner) == "analyst"
    assert not AuditEntry.objects.filter(actor=admin.user.actor).exists()


def test_the_last_owner_stays_one(studio: Studio, owner: Visitor) -> None:
    member(studio, "admin")
    assert give(studio, owner, owner, "admin") == 422
    assert owner.post("remove-member", studio.uuid, membership(studio, owner)).status_code == 422
    answer = owner.post("leave-studio", studio.uuid)
    assert answer.status_code == 422
    assert "Make another member owner first" in answer.content.decode()
    assert role(studio, owner) == "owner"
    assert not AuditEntry.objects.exists()


def test_an_owner_who_is_locked_out_is_none(studio: Studio, owner: Visitor) -> None:
    other = member(studio, "owner", "other@example.com")
    other.user.is_active = False
    other.user.save()
    assert owner.post("leave-studio", studio.uuid).status_code == 422
    assert owner.post("remove-member", studio.uuid, membership(studio, other)).status_code == 302


def test_a_removed_member_finds_nothing_and_his_keys_stay(studio: Studio, owner: Visitor) -> None:
    bram = member(studio, "developer")
    key = factories.server_key(studio)
    assert bram.get("portal-home", studio.uuid).status_code == 200
    answer = owner.post("remove-member", studio.uuid, membership(studio, bram), reason="left us")
    assert answer.status_code == 302
    for name in ("portal-home", "members", "studio-settings"):
        assert bram.get(name, studio.uuid).status_code == 404
    assert bram.get("portal")["Location"] == reverse("new-studio")
    assert ServerKey.objects.get().revoked_at is None
    assert factories.api(key).get("/players/nobody").status_code == 404
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.reason) == ("member.remove", bram.email, "left us")
    assert entry.details == {"before": "developer"}


def test_a_reason_is_a_line_of_at_most_500(studio: Studio, owner: Visitor) -> None:
    bram = member(studio, "developer")
    for reason in ("x" * 501, "a\x00b", "two\nlines"):
        answer = owner.post("remove-member", studio.uuid, membership(studio, bram), reason=reason)
        assert answer.status_code == 422, reason
    assert role(studio, bram) == "developer"


def test_everybody_may_leave(studio: Studio, owner: Visitor) -> None:
    for name in ("admin", "developer", "support", "analyst"):
        one = member(studio, name)
        assert one.post("leave-studio", studio.uuid)["Location"] == reverse("portal")
        assert role(studio, one) == ""
        assert one.post("leave-studio", studio.uuid).status_code == 404
    assert AuditEntry.objects.filter(action="member.leave").count() == 4
    with pytest.raises(NotFound):
        members.leave(studio_id=studio.pk, by=visitor("x@example.com").user, at=timezone.now())


def test_a_member_of_another_studio_is_unknown(studio: Studio, owner: Visitor) -> None:
    elsewhere = factories.studio()
    other = member(elsewhere, "analyst")
    theirs = membership(elsewhere, other)
    for answer in (
        owner.get("member", studio.uuid, theirs),
        owner.post("member", studio.uuid, theirs, role="admin"),
        owner.post("remove-member", studio.uuid, theirs),
        owner.get("member", studio.uuid, 10**30),
    ):
        assert answer.status_code == 404
    assert role(elsewhere, other) == "analyst"
    at = timezone.now()
    with pytest.raises(NotFound):
        members.remove(studio_id=studio.pk, member_id=theirs, reason="", by=owner.user, at=at)


def test_who_was_demoted_a_moment_ago_manages_nothing(studio: Studio, owner: Visitor) -> None:
    admin, bram = member(studio, "admin"), member(studio, "analyst")
    give(studio, owner, admin, "support")
    at, ids = timezone.now(), membership(studio, bram)
    with pytest.raises(Forbidden):
        members.change_role(studio_id=studio.pk, member_id=ids, role="admin", by=admin.user, at=at)
    with pytest.raises(Forbidden):
        members.remove(studio_id=studio.pk, member_id=ids, reason="", by=admin.user, at=at)


def test_a_form_needs_its_token(studio: Studio, owner: Visitor) -> None:
    owner.client.handler.enforce_csrf_checks = True
    assert owner.post("members", studio.uuid, email="a@example.com", role="analyst").status_code == 403
    assert owner.post("leave-studio", studio.uuid).status_code == 403


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Do all at the same time; return what each ended with."""

    def run(call: Callable[[], object]) -> str:
        try:
            call()
        except (Conflict, Forbidden, NotFound) as refused:
            return type(refused).__name__
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one(studio: Studio, owner: Visitor) -> None:
    other = member(studio, "owner", "other@example.com")
    at = timezone.now()
    ended = at_once(
        *(lambda who=who: members.leave(studio_id=studio.pk, by=who.user, at=at) for who in (owner, other))
    )
    assert ended == ["Conflict", "done"]
    assert Member.objects.filter(studio=studio, role="owner").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_leave_one(studio: Studio, owner: Visitor) -> None:
    other = member(studio, "owner", "other@example.com")
    at = timezone.now()

    def demote(by: Visitor, of: Visitor) -> Callable[[], object]:
        ids = membership(studio, of)
        return lambda: members.change_role(
            studio_id=studio.pk, member_id=ids, role="admin", by=by.user, at=at
        )

    assert at_once(demote(owner, other), demote(other, owner)) == ["Forbidden", "done"]
    assert Member.objects.filter(studio=studio, role="owner").count() == 1
