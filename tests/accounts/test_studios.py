"""Studios in the portal: making one, switching between them, renaming, and what their settings show."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import Member, Studio
from core.models import AuditEntry
from core.refusals import Forbidden
from tests import factories
from tests.accounts.visitors import Visitor, member, visitor

pytestmark = pytest.mark.django_db


def switcher(page: str) -> list[tuple[str, str]]:
    """Return the studios that the rail offers: address and name."""
    rail = page.split('<details class="switch">')[1].split("</details>", maxsplit=1)[0]
    return re.findall(r'href="(/portal/[\w-]{36}/)"[^>]*><bdi>([^<]*)</bdi>', rail)


@pytest.fixture
def somebody() -> Visitor:
    return visitor("new@example.com")


def test_who_is_in_no_studio_is_led_to_making_one(somebody: Visitor) -> None:
    assert somebody.get("portal")["Location"] == reverse("new-studio")
    page = somebody.get("new-studio")
    assert page.status_code == 200
    assert "ask its owner for an invitation" in page.content.decode()


def test_who_makes_a_studio_owns_it(somebody: Visitor) -> None:
    answer = somebody.post("new-studio", name="  Northlight ")
    studio = Studio.objects.get()
    assert answer["Location"] == reverse("portal-home", args=[studio.uuid])
    assert studio.name == "Northlight"
    assert Member.objects.values_list("user__email", "role").get() == (somebody.email, "owner")
    assert somebody.get("portal")["Location"] == reverse("portal-home", args=[studio.uuid])
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_id) == (
        "studio.create",
        f"user:{somebody.email}",
        str(studio.uuid),
    )


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b", "a\nb", "a\u202eb"])
def test_a_name_that_can_not_be_is_refused(somebody: Visitor, name: str) -> None:
    assert somebody.post("new-studio", name=name).status_code == 422
    assert not Studio.objects.exists()
    studio = factories.studio()
    owner = member(studio, "owner")
    assert owner.post("studio-settings", studio.uuid, name=name).status_code == 422
    assert Studio.objects.get().name == studio.name


def test_a_name_is_shown_as_it_is(somebody: Visitor) -> None:
    somebody.post("new-studio", name="<script>{{ 7 }}</script>")
    studio = Studio.objects.get()
    for name in ("portal-home", "members", "studio-settings"):
        text = somebody.get(name, studio.uuid).content.decode()
        assert "<script>{{" not in text
        assert "&lt;script&gt;{{ 7 }}" in text


def test_somebody_makes_ten_studios_a_day(somebody: Visitor) -> None:
    for number in range(10):
        assert somebody.post("new-studio", name="").status_code == 422  # which counts for nothing
        assert somebody.post("new-studio", name=f"Studio {number}").status_code == 302
    refused = somebody.post("new-studio", name="Studio 11")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert Studio.objects.count() == 10
    assert visitor("other@example.com").post("new-studio", name="Theirs").status_code == 302


def test_somebody_is_in_a_hundred_studios_at_most(somebody: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.members.MOST_STUDIOS", 1)
    somebody.post("new-studio", name="First")
    answer = somebody.post("new-studio", name="Second")
    assert answer.status_code == 422
    assert "Leave one first" in answer.content.decode()
    assert Studio.objects.count() == 1


def test_the_rail_leads_to_ones_other_studios_and_to_no_stranger_s(somebody: Visitor) -> None:
    mine = [Studio.objects.create(name=name) for name in ("beta", "Alpha", "gamma")]
    for studio in mine:
        Member.objects.create(studio=studio, user=somebody.user, role="analyst")
    factories.studio("Stranger")
    page = somebody.get("portal-home", mine[0].uuid).content.decode()
    assert [name for _, name in switcher(page)] == ["Alpha", "beta", "gamma"]
    for path, _ in switcher(page):
        assert somebody.client.get(path).status_code == 200
    assert re.findall(r'aria-current="true"[^>]*><bdi>(\w+)', page) == ["beta"]
    assert reverse("new-studio") in page


def test_the_door_leads_to_the_studio_of_the_last_visit(somebody: Visitor) -> None:
    first, second = Studio.objects.create(name="A"), Studio.objects.create(name="B")
    for studio in (first, second):
        Member.objects.create(studio=studio, user=somebody.user, role="analyst")
    assert somebody.get("portal")["Location"] == reverse("portal-home", args=[first.uuid])
    somebody.get("members", second.uuid)
    assert somebody.get("portal")["Location"] == reverse("portal-home", args=[second.uuid])
    somebody.post("leave-studio", second.uuid)
    assert somebody.get("portal")["Location"] == reverse("portal-home", args=[first.uuid])


def test_a_studio_is_renamed_and_that_is_noted() -> None:
    studio = factories.studio()
    admin, analyst = member(studio, "admin"), member(studio, "analyst")
    assert admin.post("studio-settings", studio.uuid, name="Second wind").status_code == 302
    assert Studio.objects.get().name == "Second wind"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("studio.rename", f"user:{admin.email}")
    assert entry.details == {"before": studio.name, "after": "Second wind"}
    assert admin.post("studio-settings", studio.uuid, name="Second wind").status_code == 302
    assert AuditEntry.objects.count() == 1
    assert analyst.post("studio-settings", studio.uuid, name="Mine").status_code == 403
    with pytest.raises(Forbidden):
        services.rename_studio(studio_id=studio.pk, name="Mine", by=analyst.user, at=timezone.now())
    assert Studio.objects.get().name == "Second wind"


def test_settings_offer_what_ones_role_may() -> None:
    studio = factories.studio()
    for role, may_rename in (("owner", True), ("admin", True), ("developer", False), ("analyst", False)):
        page = member(studio, role).get("studio-settings", studio.uuid).content.decode()
        assert ("Save the name" in page) is may_rename, role
        assert "Leave the studio" in page
        assert str(studio.uuid) in page
