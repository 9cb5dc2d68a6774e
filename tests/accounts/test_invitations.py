"""Invitations: what is mailed, who may use it, and what it can't be used for."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connections, transaction
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from post_office.models import Email

from accounts import invitations, members
from accounts.models import Invitation, Member, Studio, User
from core.models import AuditEntry
from core.refusals import Forbidden, Gone, NotFound
from tests import factories
from tests.accounts.visitors import Visitor, member, membership, visitor

pytestmark = pytest.mark.django_db

INVITED = "priya@example.com"


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def owner(studio: Studio) -> Visitor:
    return member(studio, "owner")


def invite(studio: Studio, by: Visitor, email: str = INVITED, role: str = "developer") -> str:
    """Invite somebody by the page; return the token that was mailed."""
    answer = by.post("members", studio.uuid, email=email, role=role)
    assert answer.status_code == 302, answer.content.decode()
    return mailed_token()


def mailed_token() -> str:
    found = re.search(r"/invitations/([\w-]+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def roles(studio: Studio) -> dict[str, str]:
    return dict(Member.objects.filter(studio=studio).values_list("user__email", "role"))


def test_an_invitation_is_mailed_and_accepted_by_a_form(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    (sent,) = mail.outbox
    assert sent.to == [INVITED]
    assert sent.subject == f"Invitation to {studio.name} on Laurel"
    assert owner.email in str(sent.body)
    priya = visitor(INVITED)
    page = priya.get("invitation", token)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    for said in (studio.name, owner.email, "Developer"):
        assert said in page.content.decode()
    assert INVITED not in roles(studio)
    joined = priya.post("invitation", token)
    assert joined["Location"] == reverse("portal-home", args=[studio.uuid])
    assert roles(studio)[INVITED] == "developer"
    noted = AuditEntry.objects.order_by("pk").values_list("action", "actor", "details__email")
    assert list(noted) == [
        ("invitation.create", f"user:{owner.email}", INVITED),
        ("invitation.accept", f"user:{INVITED}", INVITED),
    ]


def test_only_a_hash_of_the_link_is_kept(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    assert len(token) == 43
    row = Invitation.objects.values().get()
    assert token not in str(row)
    assert row["expires_at"] - row["created_at"] == timedelta(days=7)


def test_the_mail_waits_in_the_transaction_of_the_invitation(studio: Studio, owner: Visitor) -> None:
    def ask(*, undone: bool) -> None:
        with transaction.atomic():
            invitations.invite(
                studio_id=studio.pk, email=INVITED, role="analyst", by=owner.user, at=timezone.now()
            )
            transaction.set_rollback(undone)

    with override_settings(EMAIL_BACKEND="core.mail.Queue"):
        ask(undone=True)
        assert not Email.objects.exists()
        ask(undone=False)
    assert Email.objects.get().to == [INVITED]


def test_inviting_again_replaces_the_invitation(studio: Studio, owner: Visitor) -> None:
    first = invite(studio, owner, role="analyst")
    second = invite(studio, owner, INVITED.upper(), role="support")
    priya = visitor(INVITED)
    gone = priya.get("invitation", first)
    assert gone.status_code == 410
    assert studio.name not in gone.content.decode()
    priya.post("invitation", second)
    assert roles(studio)[INVITED] == "support"


def test_a_member_is_not_invited(studio: Studio, owner: Visitor) -> None:
    member(studio, "analyst", "Anna@example.com")
    answer = owner.post("members", studio.uuid, email="anna@example.com", role="admin")
    assert answer.status_code == 422
    assert "is a member of this studio already" in answer.content.decode()
    assert not Invitation.objects.exists()
    assert mail.outbox == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b.example\r\nBcc: all@evil.example",
        "a@b.example\nBcc: all@evil.example",
        "a@b.example, c@d.example",
        "a@b.example\x00",
        "\u212aate@example.com",  # the Kelvin sign, which is a k in lower case
        "priya@\u017fite.example",
        f"{'a' * 250}@example.com",
        "<script>@example.com",
        '"a,all@example.com,b"@evil.example',
        '"<all@example.com>"@evil.example',
    ],
)
def test_an_address_that_can_not_be_is_refused(studio: Studio, owner: Visitor, email: str) -> None:
    answer = owner.post("members", studio.uuid, email=email, role="analyst")
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not Invitation.objects.exists()
    assert mail.outbox == []


@pytest.mark.parametrize("role", ["", "king", "owner ", "Owner"])
def test_a_role_that_is_none_is_refused(studio: Studio, owner: Visitor, role: str) -> None:
    assert owner.post("members", studio.uuid, email=INVITED, role=role).status_code == 422
    assert not Invitation.objects.exists()


def test_a_name_of_a_studio_brings_nothing_into_a_mail(owner: Visitor, studio: Studio) -> None:
    Studio.objects.filter(pk=studio.pk).update(name="Evil\r\nBcc: all@evil.example <b>bold</b>")
    invite(studio, owner)
    (sent,) = mail.outbox
    assert "\n" not in sent.subject
    assert sent.message()["Bcc"] is None
    assert "<b>bold</b>" not in str(sent.alternatives[0][0])  # type: ignore[attr-defined]


def test_only_owners_invite_owners(studio: Studio, owner: Visitor) -> None:
    admin = member(studio, "admin")
    assert admin.post("members", studio.uuid, email=INVITED, role="owner").status_code == 422
    with pytest.raises(Forbidden):
        invitations.invite(studio_id=studio.pk, email=INVITED, role="owner", by=admin.user, at=timezone.now())
    token = invite(studio, owner, role="owner")
    # Nor does an admin take back what an owner offered.
    offered = Invitation.objects.get()
    assert admin.post("withdraw-invitation", studio.uuid, offered.uuid).status_code == 403
    assert admin.post("members", studio.uuid, email=INVITED, role="analyst").status_code == 403
    visitor(INVITED).post("invitation", token)
    assert roles(studio)[INVITED] == "owner"


def test_a_withdrawn_invitation_is_over(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    offered = Invitation.objects.get()
    stranger = member(factories.studio(), "owner")
    mine = Member.objects.get(user=stranger.user).studio
    assert stranger.post("withdraw-invitation", studio.uuid, offered.uuid).status_code == 404
    assert stranger.post("withdraw-invitation", mine.uuid, offered.uuid).status_code == 404
    assert owner.post("withdraw-invitation", studio.uuid, offered.uuid).status_code == 302
    assert owner.post("withdraw-invitation", studio.uuid, offered.uuid).status_code == 404
    priya = visitor(INVITED)
    assert priya.get("invitation", token).status_code == 410
    assert priya.post("invitation", token).status_code == 410
    assert INVITED not in roles(studio)
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["invitation.create", "invitation.withdraw"]


def test_an_invitation_works_for_a_week(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    priya = visitor(INVITED)
    made = Invitation.objects.get().created_at
    assert invitations.find(token, at=made + timedelta(days=7) - timedelta(seconds=1)).email == INVITED
    with pytest.raises(Gone):
        invitations.accept(token=token, user=priya.user, at=made + timedelta(days=7))
    Invitation.objects.update(expires_at=timezone.now())
    assert priya.post("invitation", token).status_code == 410
    assert INVITED not in roles(studio)
    assert invitations.open_invitations(studio.pk, at=timezone.now()) == []
    invite(studio, owner)  # the old one stands in nobody's way


def test_a_guessed_link_is_unknown(studio: Studio, owner: Visitor) -> None:
    invite(studio, owner)
    for token in ("x", "A" * 43, "é", "A" * 5_000, "%00"):
        for somebody in (visitor(None), owner):
            assert somebody.client.get(f"/invitations/{token}").status_code == 404, token
            assert somebody.client.post(f"/invitations/{token}").status_code == 404, token


def test_another_address_can_not_use_it(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    other = visitor("other@example.com")
    for answer in (other.get("invitation", token), other.post("invitation", token)):
        text = answer.content.decode()
        assert answer.status_code == 404
        assert "was sent to another address" in text
        assert studio.name not in text
        assert INVITED not in text
    with pytest.raises(NotFound):
        invitations.accept(token=token, user=other.user, at=timezone.now())
    assert "other@example.com" not in roles(studio)
    visitor(INVITED).post("invitation", token)
    assert INVITED in roles(studio)


def test_it_works_once(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    priya = visitor(INVITED)
    priya.post("invitation", token)
    assert priya.post("invitation", token).status_code == 410
    owner.post("remove-member", studio.uuid, membership(studio, priya))
    assert priya.post("invitation", token).status_code == 410
    assert INVITED not in roles(studio)


def test_who_is_a_member_by_now_keeps_the_role(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner, role="analyst")
    priya = member(studio, "admin", INVITED)
    assert priya.post("invitation", token).status_code == 302
    assert roles(studio)[INVITED] == "admin"


@pytest.mark.parametrize("by", ["removal", "demotion", "locking out", "deletion"])
def test_nobody_comes_in_by_who_may_invite_no_more(studio: Studio, owner: Visitor, by: str) -> None:
    admin = member(studio, "admin")
    token = invite(studio, admin, "admins-second-address@example.com", role="admin")
    if by == "removal":
        owner.post("remove-member", studio.uuid, membership(studio, admin))
    elif by == "demotion":
        owner.post("member", studio.uuid, membership(studio, admin), role="developer")
    elif by == "locking out":
        User.objects.filter(pk=admin.user.pk).update(is_active=False)
    else:
        admin.user.delete()
    second = visitor("admins-second-address@example.com")
    assert second.post("invitation", token).status_code == 410
    assert set(roles(studio)) <= {owner.email, admin.email}


def test_signed_out_it_leads_to_an_account_with_the_address(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner, "priya+1@example.com")
    nobody = visitor(None)
    page = nobody.get("invitation", token)
    links = {
        urlsplit(link).path: parse_qs(urlsplit(link).query)
        for link in re.findall(r'href="([^"]+)"', page.content.decode().replace("&amp;", "&"))
    }
    path = reverse("invitation", args=[token])
    assert links[reverse("account_login")] == {"next": [path]}
    assert links[reverse("account_signup")] == {"next": [path], "email": ["priya+1@example.com"]}
    sent = nobody.post("invitation", token)
    assert sent["Location"] == f"{reverse('account_login')}?next={path}"
    assert len(roles(studio)) == 1


def sign_up(somebody: Visitor, email: str, token: str) -> Any:
    fields = {"email": email, "password1": "a-long-enough-password"}
    return somebody.client.post(f"{reverse('account_signup')}?next=/invitations/{token}", fields)


def test_signing_up_with_the_invited_address_needs_no_other_mail(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    mail.outbox.clear()
    nobody = visitor(None)
    nobody.get("invitation", token)
    answer = sign_up(nobody, "Priya@Example.com", token)
    assert answer["Location"] == reverse("invitation", args=[token])
    assert mail.outbox == []
    assert EmailAddress.objects.get().verified
    assert nobody.post("invitation", token).status_code == 302
    assert roles(studio)[INVITED] == "developer"


def test_signing_up_with_another_address_proves_nothing(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    nobody = visitor(None)
    nobody.get("invitation", token)
    sign_up(nobody, "other@example.com", token)
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("other@example.com", False)]
    assert mail.outbox[-1].to == ["other@example.com"]
    assert nobody.get("portal").status_code == 302
    assert len(roles(studio)) == 1


def test_an_invitation_that_was_withdrawn_meanwhile_proves_nothing(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    nobody = visitor(None)
    nobody.get("invitation", token)
    owner.post("withdraw-invitation", studio.uuid, Invitation.objects.get().uuid)
    sign_up(nobody, INVITED, token)
    assert not EmailAddress.objects.get().verified


def test_where_only_the_invited_sign_up_nobody_else_does(studio: Studio, owner: Visitor) -> None:
    with override_settings(SIGN_UP="invited"):
        token = invite(studio, owner)
        sign_up(visitor(None), INVITED, token)
        nobody = visitor(None)
        assert '<form class="form"' not in nobody.client.get(reverse("account_signup")).content.decode()
        nobody.get("invitation", token)
        sign_up(nobody, "other@example.com", token)
        assert not User.objects.exclude(pk=owner.user.pk).exists()
        sign_up(nobody, INVITED, token)
        assert User.objects.filter(email=INVITED).exists()


def test_a_studio_has_a_hundred_open_invitations(
    studio: Studio, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invitations.MOST_OPEN == 100
    monkeypatch.setattr(invitations, "MOST_OPEN", 2)
    for name in "ab":
        invite(studio, owner, f"{name}@example.com")
    answer = owner.post("members", studio.uuid, email="c@example.com", role="analyst")
    assert answer.status_code == 422
    assert "Withdraw one first" in answer.content.decode()
    invite(studio, owner, "a@example.com")  # which replaces one
    Invitation.objects.filter(email="b@example.com").update(expires_at=timezone.now())
    invite(studio, owner, "c@example.com")


def test_a_studio_takes_no_more_members_than_it_can_show(
    studio: Studio, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MOST", 2)
    invite(studio, owner, "a@example.com")
    assert owner.post("members", studio.uuid, email="c@example.com", role="analyst").status_code == 422


def test_an_address_gets_five_mails_a_day_of_a_studio(studio: Studio, owner: Visitor) -> None:
    for _ in range(5):
        invite(studio, owner)
    refused = owner.post("members", studio.uuid, email=INVITED, role="analyst")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert Invitation.objects.count() == 5
    assert Invitation.objects.get(withdrawn_at=None).role == "developer"
    for _ in range(6):
        assert owner.post("members", studio.uuid, email=owner.email, role="analyst").status_code == 422
    elsewhere = factories.studio()
    invite(elsewhere, member(elsewhere, "owner"))


def test_a_user_sends_a_hundred_invitations_a_day(
    studio: Studio, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.portal.members.INVITATIONS_A_DAY", "2/d")
    for name in "ab":
        invite(studio, owner, f"{name}@example.com")
    other = factories.studio()
    Member.objects.create(studio=other, user=owner.user, role="owner")
    assert owner.post("members", other.uuid, email="c@example.com", role="analyst").status_code == 429


def test_who_is_in_a_hundred_studios_joins_no_further(
    studio: Studio, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MOST_STUDIOS", 1)
    token = invite(studio, owner)
    priya = member(factories.studio(), "owner", INVITED)
    answer = priya.client.post(reverse("invitation", args=[token]), follow=True)
    assert "Leave one first" in answer.content.decode()
    assert INVITED not in roles(studio)
    assert Invitation.objects.get().accepted_at is None


def test_an_invitation_is_forgotten_a_month_after_its_end(studio: Studio, owner: Visitor) -> None:
    invite(studio, owner)
    ends = Invitation.objects.get().expires_at
    invitations.keep(now=ends + timedelta(days=30))
    assert Invitation.objects.exists()
    invitations.keep(now=ends + timedelta(days=31))
    assert not Invitation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_accepted_twice_at_once_makes_one_member(studio: Studio, owner: Visitor) -> None:
    token = invite(studio, owner)
    priya = visitor(INVITED).user

    def accept(_: int) -> bool:
        try:
            invitations.accept(token=token, user=priya, at=timezone.now())
        except Gone:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(accept, range(4))) == [False, False, False, True]
    assert Member.objects.filter(user=priya).count() == 1
    assert AuditEntry.objects.filter(action="invitation.accept").count() == 1


@pytest.mark.django_db(transaction=True)
def test_invited_twice_at_once_leaves_one_open(studio: Studio, owner: Visitor) -> None:
    def ask(_: int) -> None:
        try:
            invitations.invite(
                studio_id=studio.pk, email=INVITED, role="analyst", by=owner.user, at=timezone.now()
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert Invitation.objects.filter(withdrawn_at=None).count() == 1
