"""The review queue, at the HTTP border."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Game, Studio
from achievements.models import FlaggedUnlock, PlayerGame, PlayerTotal, Unlock
from achievements.services import flagged as services
from core import followers
from core.models import AuditEntry
from tests import factories
from tests.accounts.visitors import Visitor, member
from tests.achievements.test_unlock_api import facts

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 18, tzinfo=UTC)


class World:
    """A studio with a game and somebody of its support."""

    def __init__(self) -> None:
        """Build it."""
        factories.forget()
        self.studio: Studio = factories.studio()
        self.game: Game = factories.game(self.studio)
        self.support: Visitor = member(self.studio, "support")

    def queue(self, **query: str) -> Any:
        """Look at the queue."""
        return self.support.client.get(reverse("review-queue", args=[self.studio.uuid]), query)

    def decide(self, act: str, *rows: FlaggedUnlock, reason: str = "Checked the replay") -> Any:
        """Decide about some."""
        chosen = [f"unlock:{row.uuid}" for row in rows]
        return self.support.post("decide-reviewed", self.studio.uuid, act=act, chosen=chosen, reason=reason)

    def shown(self, row: FlaggedUnlock) -> Any:
        """Look at one."""
        return self.support.get("review-entry", self.studio.uuid, "unlock", row.uuid)


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def open_world(transactional_db: None) -> Iterator[World]:
    yield World()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def state(row: FlaggedUnlock) -> str:
    row.refresh_from_db()
    return row.state


def test_the_queue_says_what_was_claimed_by_whom_and_why_it_is_held_back(world: World) -> None:
    factories.flagged_unlock(world.game, external_id="p-<b>")
    text = world.queue().content.decode()
    assert "42 s after the player was first named; the rule says 1,800 s." in text
    assert "Finale" in text
    assert "75 points" in text
    assert "p-&lt;b&gt;" in text
    factories.achievement(world.game, "1-intro", name="Prologue")
    broken = [{"rule": "order", "first": key, "state": "locked"} for key in ("1-intro", "gone")]
    evidence = {"broken": broken, "device": False, "session": None}
    factories.flagged_unlock(world.game, external_id="p-2", rules=["order"], evidence=evidence)
    text = world.queue().content.decode()
    assert "“Prologue (1-intro)” comes before it, and is locked." in text
    assert "“gone” comes before it, and is locked." in text
    assert "No session of the player was known." in text


def test_an_empty_queue_says_so(world: World) -> None:
    text = world.queue().content.decode()
    assert "Nothing waits for a decision." in text
    assert "badge-warn num" not in text


@pytest.mark.slow
def test_the_rail_counts_what_waits_up_to_99(world: World) -> None:
    def home() -> str:
        return str(world.support.get("portal-home", world.studio.uuid).content.decode())

    rows = [factories.flagged_unlock(world.game, external_id=f"p-{n}") for n in range(3)]
    assert '<span class="badge-plain badge-warn num">3</span>' in home()
    world.decide("reject", rows[0])
    assert '<span class="badge-plain badge-warn num">2</span>' in home()
    for number in range(3, 101):
        factories.flagged_unlock(world.game, external_id=f"p-{number}")
    assert '<span class="badge-plain badge-warn num">99+</span>' in home()
    analyst = member(world.studio, "analyst")
    assert "Review queue" not in analyst.get("portal-home", world.studio.uuid).content.decode()


def test_an_approved_one_counts_as_of_its_time(world: World) -> None:
    row = factories.flagged_unlock(world.game, unlocked_at=AT, heard_at=AT + timedelta(seconds=5))
    answer = world.decide("approve", row)
    assert answer.status_code == 302
    unlock = Unlock.objects.get()
    assert (unlock.unlocked_at, unlock.heard_at) == (AT, AT + timedelta(seconds=5))
    assert (unlock.points, unlock.event_id) == (75, row.event_id)
    total = PlayerGame.objects.get()
    assert (total.points, total.points_reached_at) == (75, AT + timedelta(seconds=5))
    assert facts() == 1
    assert state(row) == "approved"
    assert (row.actor, row.reason) == (f"user:{world.support.email}", "Checked the replay")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == ("unlock.approve", row.actor, "Checked the replay")
    assert entry.details == {"game": str(world.game.uuid), "achievements": ["finale"]}


def test_an_approved_one_completes_what_needs_it(world: World) -> None:
    row = factories.flagged_unlock(world.game)
    factories.achievement(world.game, "all", type="meta", requires=["finale"], points=5)
    world.decide("approve", row)
    assert set(Unlock.objects.values_list("achievement__key", flat=True)) == {"finale", "all"}
    assert PlayerTotal.objects.get().points == 80


def test_a_rejected_one_never_counts_and_is_told_no_more(world: World) -> None:
    row = factories.flagged_unlock(world.game)
    api = factories.api(factories.server_key(world.studio))
    assert api.put(f"/games/{world.game.uuid}/plausibility", {"unlocks_a_minute": 100}).status_code == 200
    world.decide("reject", row)
    assert state(row) == "rejected"
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "finale"}
    again = api.post("/achievements/unlock", body)
    assert (again.status_code, again.json()["status"]) == (200, "already_unlocked")
    assert not Unlock.objects.exists()
    assert facts() == 0
    listed = api.get(f"/players/p-1/achievements?game_id={world.game.uuid}").json()["results"]
    assert (listed[0]["unlocked"], listed[0]["flagged"]) == (False, False)
    assert AuditEntry.objects.filter(action="unlock.reject").count() == 1


def test_what_is_decided_stays_so(world: World) -> None:
    row = factories.flagged_unlock(world.game)
    world.decide("reject", row)
    answer = world.decide("approve", row)
    assert answer.status_code == 302
    assert "had been decided already" in world.queue().content.decode()
    assert state(row) == "rejected"
    assert not Unlock.objects.exists()
    assert AuditEntry.objects.count() == 1


def test_many_are_decided_at_once(world: World) -> None:
    rows = [factories.flagged_unlock(world.game, external_id=f"p-{n}") for n in range(60)]
    world.decide("approve", *rows[:50], reason="")
    assert Unlock.objects.count() == 50
    assert FlaggedUnlock.objects.filter(state="open").count() == 10
    assert AuditEntry.objects.count() == 50


@pytest.mark.slow
def test_a_decision_about_many_costs_few_statements(world: World) -> None:
    def sent(count: int, name: str) -> int:
        rows = [factories.flagged_unlock(world.game, external_id=f"{name}-{n}") for n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            services.settle(
                world.studio.pk,
                [row.uuid for row in rows],
                approves=True,
                reason="",
                actor="user:a@b.example",
                at=timezone.now(),
            )
        return len([one for one in captured if "core_auditentry" not in one["sql"]])

    sent(1, "warm")
    assert sent(2, "few") == sent(100, "many")


def test_the_queue_asks_no_more_for_many_than_for_two(world: World) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert world.queue().status_code == 200
        return len(captured)

    for number in range(2):
        factories.flagged_unlock(world.game, external_id=f"p-{number}")
    asked()
    few = asked()
    for number in range(2, 40):
        factories.flagged_unlock(world.game, external_id=f"p-{number}")
    assert asked() == few


def test_a_banned_player_s_waits_until_he_is_let_back(world: World) -> None:
    row = factories.flagged_unlock(world.game)
    other = factories.flagged_unlock(world.game, external_id="p-2")
    factories.ban(world.studio, "p-1")
    world.decide("approve", row, other)
    assert (state(row), state(other)) == ("open", "approved")
    assert "p-1 is banned: let the player back first." in world.queue().content.decode()
    factories.ban(world.studio, "p-1", banned=False)
    world.decide("approve", row)
    assert state(row) == "approved"
    assert Unlock.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Choose entries in the table"),
        ({"act": "approve"}, "Choose entries in the table"),
        ({"act": "reject", "chosen": "MINE", "reason": ""}, "Say why it does not count."),
        ({"act": "reject", "chosen": "MINE", "reason": "a\x07b"}, "Use characters that can be seen."),
        ({"act": "reject", "chosen": "MINE", "reason": "a" * 501}, "at most 500 characters"),
        ({"act": "drop", "chosen": "MINE", "reason": "x"}, "Choose entries in the table"),
        (
            {"act": "approve", "chosen": ["", "unlock:", "unlock:x", "nope:1", ":"]},
            "Choose entries in the table",
        ),
    ],
)
def test_a_form_that_cannot_be_is_refused_and_decides_nothing(
    world: World, fields: dict[str, Any], said: str
) -> None:
    row = factories.flagged_unlock(world.game)
    mine = f"unlock:{row.uuid}"
    sent = {name: mine if value == "MINE" else value for name, value in fields.items()}
    for name, arguments in (("decide-reviewed", ()), ("review-entry", ("unlock", row.uuid))):
        if name == "review-entry" and said.startswith("Choose entries") and "act" in fields:
            continue  # the page names what is decided
        answer = world.support.post(name, world.studio.uuid, *arguments, **sent)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert state(row) == "open"
    assert not AuditEntry.objects.exists()


def test_what_was_typed_and_chosen_is_kept_when_the_form_is_refused(world: World) -> None:
    row = factories.flagged_unlock(world.game)
    answer = world.decide("drop", row, reason="Looks odd")
    text = answer.content.decode()
    assert 'value="Looks odd"' in text
    assert "checked" in text


def test_another_studio_s_are_not_decided(world: World) -> None:
    theirs = factories.flagged_unlock(factories.game(factories.studio()))
    world.decide("approve", theirs)
    assert state(theirs) == "open"
    assert world.shown(theirs).status_code == 404
    assert world.support.get("review-entry", world.studio.uuid, "unlock", uuid4()).status_code == 404
    assert world.support.get("review-entry", world.studio.uuid, "nope", theirs.uuid).status_code == 404
    assert not AuditEntry.objects.exists()
    assert "Finale" not in world.queue().content.decode()


def test_roles_that_care_for_no_players_see_no_queue(world: World) -> None:
    row = factories.flagged_unlock(world.game)
    analyst, outsider = member(world.studio, "analyst"), member(factories.studio(), "owner")
    for who, status in ((analyst, 403), (outsider, 404)):
        assert who.get("review-queue", world.studio.uuid).status_code == status
        answer = who.post(
            "decide-reviewed", world.studio.uuid, act="approve", chosen=[f"unlock:{row.uuid}"], reason=""
        )
        assert answer.status_code == status
    assert state(row) == "open"


def test_filters_narrow_the_queue_and_nonsense_is_no_filter(world: World) -> None:
    other = factories.game(world.studio, title="Hollow Orchard")
    factories.flagged_unlock(world.game, "finale")
    factories.flagged_unlock(other, "burst", rules=["rate"])
    both = world.queue().content.decode()
    assert "Finale" in both
    assert "Burst" in both
    by_game = world.queue(game=str(other.uuid)).content.decode()
    assert "Finale" not in by_game
    assert "Burst" in by_game
    by_rule = world.queue(rule="earliest").content.decode()
    assert "Finale" in by_rule
    assert "Burst" not in by_rule
    assert "Nothing was decided yet." in world.queue(state="rejected").content.decode()
    odd = world.queue(game="x", rule="\x00", kind="'", state="nope").content.decode()
    assert "Finale" in odd
    assert world.queue(cursor="forged").status_code == 400


def test_the_list_goes_on_where_it_ended_however_many_have_one_time(world: World) -> None:
    for number in range(53):
        factories.flagged_unlock(world.game, external_id=f"p-{number:02}", unlocked_at=AT, heard_at=AT)
    first = world.queue()
    shown = {line.player for line in first.context["lines"]}
    assert len(shown) == 50
    rest = world.support.client.get(
        reverse("review-queue", args=[world.studio.uuid]) + first.context["older"]
    )
    assert {line.player for line in rest.context["lines"]} == {f"p-{n:02}" for n in range(53)} - shown


def test_one_is_shown_with_what_happened_around_it(world: World) -> None:
    api = factories.api(factories.server_key(world.studio))
    factories.achievements(world.game, {f"a{n}": 1 for n in range(30)})
    for number in range(30):
        at = (AT + timedelta(minutes=number)).isoformat()
        body = {
            "game_id": str(world.game.uuid),
            "player": "p-1",
            "achievement": f"a{number}",
            "unlocked_at": at,
        }
        assert api.post("/achievements/unlock", body).status_code == 202
    row = factories.flagged_unlock(world.game, unlocked_at=AT + timedelta(minutes=15, seconds=3))
    answer = world.shown(row)
    assert answer.status_code == 200
    titles = [event.title for event, _url, _is_this in answer.context["events"]]
    assert len(titles) == 20
    assert titles.index("Finale") == titles.index("A15") + 1
    assert "A29" not in titles


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_settle_it(open_world: World) -> None:
    rows = [factories.flagged_unlock(open_world.game, external_id=f"p-{n}") for n in range(20)]

    def act(number: int) -> tuple[int, int]:
        try:
            settled = services.settle(
                open_world.studio.pk,
                [row.uuid for row in (rows if number % 2 else reversed(rows))],
                approves=number % 4 < 2,
                reason="race",
                actor=f"user:{number}@b.example",
                at=timezone.now(),
            )
        finally:
            connections.close_all()
        return settled.done, settled.before

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(act, range(8)))
    assert sum(done for done, _ in results) == 20
    assert all(done + before == 20 for done, before in results)
    approved = FlaggedUnlock.objects.filter(state="approved")
    assert set(approved.values_list("player_id", flat=True)) == set(
        Unlock.objects.values_list("player_id", flat=True)
    )
    assert AuditEntry.objects.count() == 20


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_listeners_hear_of_what_is_approved_as_of_any_unlock(open_world: World) -> None:
    world = open_world
    row = factories.flagged_unlock(world.game, unlocked_at=AT, heard_at=AT)
    world.decide("approve", row)
    for name in ("achievements", "leaderboards"):
        followers.follow(name)
    api = factories.api(factories.server_key(world.studio))
    assert api.get(f"/games/{world.game.uuid}/achievements").status_code == 200
    board = api.get(f"/leaderboards/{world.game.uuid}").json()
    assert [one["score"] for one in board["results"]] == [75]
