"""Progress that came too fast: answered like any other, and what it leads to is kept apart (ADR 0068)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts import selectors as accounts
from achievements import evidence
from achievements.models import Achievement, FlaggedUnlock, Pace, Progress, Unlock
from achievements.services import erasing
from core.clock import rfc3339
from core.ids import new_id
from core.models import AuditEntry
from core.persons import Person
from tests import factories
from tests.accounts import joins
from tests.accounts.visitors import member
from tests.achievements.test_flagged_unlocks import rules
from tests.factories import Api
from tests.stats.world import World

pytestmark = pytest.mark.django_db
MINUTE, HOUR = 60, 3600
THREADS = 16


@pytest.fixture
def world(db: None) -> World:
    return _world()


@pytest.fixture
def open_world(transactional_db: None) -> Iterator[World]:
    yield _world()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def _world() -> World:
    made = World.create()
    factories.achievement(made.game, "doors", type="incremental", target=40, points=7)
    factories.achievement(made.game, "plain", type="incremental", target=40, points=7)
    factories.stat(made.game, "kills", authority="client")
    factories.achievement(made.game, "hundred", type="incremental", target=100, stat="kills", points=9)
    return made


def paced(world: World, a_minute: int = 10, key: str = "doors") -> None:
    rules(world, achievements=[{"achievement": key, "progress_a_minute": a_minute}])


def report(
    world: World, steps: int, key: str = "doors", player: str = "p-1", api: Api | None = None, **more: Any
) -> Any:
    body = {"game_id": str(world.game.uuid), "player": player, "achievement": key, "steps": steps, **more}
    answer = (api or world.api()).post("/achievements/progress", body)
    assert answer.status_code == 202, answer.json()
    return answer.json()


def add(world: World, steps: int, **more: Any) -> Any:
    return report(world, steps, op="add", event_id=str(new_id()), **more)


def unlock(world: World, key: str = "doors", player: str = "p-1", api: Api | None = None, **more: Any) -> Any:
    body = {"game_id": str(world.game.uuid), "player": player, "achievement": key, **more}
    return (api or world.api()).post("/achievements/unlock", body)


def pass_time(seconds: int) -> None:
    """Let everything that was heard of have been so much earlier."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE achievements_pace SET until_us = until_us - %s * 1000000::bigint, marks = ARRAY("
            " SELECT CASE WHEN place %% 2 = 1 THEN number - %s ELSE number END"
            "   FROM unnest(marks) WITH ORDINALITY AS m (number, place) ORDER BY place)",
            [seconds, seconds],
        )
        cursor.execute(
            "UPDATE achievements_progress SET updated_at = updated_at - %s * interval '1 s'", [seconds]
        )
        cursor.execute("UPDATE stats_statvalue SET version = version - %s * 1000000::bigint", [seconds])


def broken() -> dict[str, Any]:
    """Return what the only flag says of the pace."""
    row = FlaggedUnlock.objects.get()
    assert row.rules == ["pace"]
    (found,) = row.evidence["broken"]
    assert isinstance(found, dict)
    return found


def test_a_single_report_of_more_than_a_minute_may_bring_is_answered_as_ever_and_kept_apart(
    world: World,
) -> None:
    paced(world)
    assert report(world, 11) == {"current": 11, "target": 40, "unlocked": False}
    assert not FlaggedUnlock.objects.exists()
    for _ in range(2):
        assert report(world, 40) == {"current": 40, "target": 40, "unlocked": True}
    found = broken()
    assert {name: found[name] for name in ("rule", "steps", "most", "a_minute")} == {
        "rule": "pace",
        "steps": 40,
        "most": 10,
        "a_minute": 10,
    }
    assert found["seconds"] <= MINUTE
    assert not Unlock.objects.exists()
    listed = world.api().get(f"/players/p-1/achievements?game_id={world.game.uuid}").json()["results"]
    assert [(one["unlocked"], one["flagged"]) for one in listed if one["key"] == "doors"] == [(True, True)]


def test_many_small_reports_add_up(world: World) -> None:
    paced(world)
    for _ in range(40):
        add(world, 1)
    assert broken()["steps"] >= 11
    assert not Unlock.objects.exists()


def test_a_slow_climb_over_hours_counts_whenever_it_is_reported(world: World) -> None:
    paced(world)
    for steps, passed in ((10, MINUTE), (10, MINUTE + 1), (1, 2 * HOUR), (19, 0)):
        add(world, steps)
        pass_time(passed)
    assert Unlock.objects.get().achievement.key == "doors"
    assert not FlaggedUnlock.objects.exists()
    assert Pace.objects.get().steps is None


def test_a_jump_after_a_pause_is_judged_by_the_time_that_passed(world: World) -> None:
    paced(world)
    for player, passed in (("fast", MINUTE), ("slow", 4 * MINUTE)):
        add(world, 1, player=player)
        pass_time(passed)
        add(world, 39, player=player)
    assert FlaggedUnlock.objects.get().player_id == factories.player(world.studio, "fast").pk
    assert Unlock.objects.get().player_id == factories.player(world.studio, "slow").pk
    found = broken()
    assert (found["steps"], found["most"]) in ((39, 20), (40, 20))
    assert MINUTE <= found["seconds"] <= MINUTE + 10


def test_who_was_too_fast_anywhere_on_the_way_is_looked_at_in_the_end(world: World) -> None:
    paced(world)
    add(world, 1)
    add(world, 30)
    pass_time(HOUR)
    for _ in range(9):
        add(world, 1)
        pass_time(MINUTE)
    found = broken()
    assert found["steps"] == 31
    assert found["until_us"] < (timezone.now() - timedelta(hours=1)).timestamp() * 1_000_000


def test_who_unlocks_by_hand_takes_the_rest_of_the_steps_at_once(world: World) -> None:
    paced(world)
    assert unlock(world, player="jumps").json()["status"] == "unlocked"
    assert unlock(world, player="jumps").json()["status"] == "already_unlocked"
    assert broken()["steps"] == 40
    add(world, 10, player="walks")
    pass_time(3 * MINUTE)
    told = unlock(world, player="walks", unlocked_at=rfc3339(timezone.now() - timedelta(minutes=2)))
    assert told.json()["status"] == "unlocked"
    assert FlaggedUnlock.objects.count() == 2
    add(world, 10, player="waits")
    pass_time(3 * MINUTE)
    assert unlock(world, player="waits").status_code == 202
    assert Unlock.objects.get().player_id == factories.player(world.studio, "waits").pk


def test_what_a_member_grants_is_judged_by_nobody(world: World) -> None:
    paced(world)
    add(world, 30)
    owner = member(world.studio, "owner")
    info = accounts.player_of_studio(world.studio.pk, "p-1")
    assert info is not None
    about = (world.studio.uuid, info.uuid, world.game.uuid)
    answer = owner.post("grant-achievement", *about, achievement="doors", reason="Ticket 4711")
    assert answer.status_code == 302
    assert Unlock.objects.filter(achievement__key="doors").exists()


def test_a_device_s_clock_is_not_believed(world: World) -> None:
    Achievement.objects.filter(key="doors").update(authority="client")
    paced(world)
    device = factories.api(factories.player_token(world.game, factories.player(world.studio, "p-1")))
    report(world, 10, player="me", api=device)
    pass_time(MINUTE)
    told = rfc3339(timezone.now() + timedelta(minutes=4))
    assert unlock(world, player="me", api=device, unlocked_at=told).status_code == 202
    assert FlaggedUnlock.objects.get().evidence["device"] is True


class TestStats:
    """A stat on its way up to a threshold."""

    def send(self, world: World, *reports: tuple[int, float], api: Api | None = None) -> None:
        """Report so many more kills, so many seconds ago each, in one batch."""
        now = timezone.now()
        sent = [
            {
                "player": "me" if api else "p-1",
                "stats": {"kills": {"add": kills}},
                "event_id": str(new_id()),
                "reported_at": rfc3339(now - timedelta(seconds=ago)),
            }
            for kills, ago in reports
        ]
        answer = (api or world.api()).post(
            "/stats/report/batch", {"game_id": str(world.game.uuid), "reports": sent}
        )
        assert answer.status_code == 202, answer.json()
        assert answer.json()["rejected"] == 0, answer.json()

    def test_too_many_at_once_are_kept_apart(self, world: World) -> None:
        paced(world, 30, "hundred")
        assert world.report(kills={"add": 60}).status_code == 202
        assert not FlaggedUnlock.objects.exists()
        pass_time(HOUR)
        assert world.report(kills={"add": 40}).status_code == 202
        assert broken()["steps"] == 60
        assert not Unlock.objects.exists()
        assert world.report(kills={"add": 900}).status_code == 202
        assert Pace.objects.get().current == 100

    def test_what_a_server_kept_while_it_was_offline_is_judged_by_its_times(self, world: World) -> None:
        paced(world, 30, "hundred")
        self.send(world, *((20, 60 * number) for number in range(10, 5, -1)))
        assert Unlock.objects.get().achievement.key == "hundred"

    def test_a_batch_is_judged_in_the_order_in_which_it_happened(self, world: World) -> None:
        paced(world, 30, "hundred")
        self.send(world, *((20, 60 * number) for number in (6, 10, 8, 7, 9)))
        assert Unlock.objects.get().achievement.key == "hundred"
        assert not FlaggedUnlock.objects.exists()

    def test_a_device_s_times_stretch_nothing(self, world: World) -> None:
        paced(world, 30, "hundred")
        player = factories.player(world.studio, "p-1")
        device = factories.api(factories.player_token(world.game, player))
        self.send(world, *((20, 3600 * number) for number in range(10, 5, -1)), api=device)
        assert broken()["steps"] > 30
        assert FlaggedUnlock.objects.get().evidence["device"] is True

    def test_a_rule_that_comes_on_the_way_judges_what_comes_after_it(self, world: World) -> None:
        world.report(kills={"add": 70})
        paced(world, 10, "hundred")
        pass_time(2 * MINUTE)
        world.report(kills={"add": 30})
        assert Unlock.objects.get().achievement.key == "hundred"

    def test_a_stat_that_was_taken_away_begins_anew(self, world: World) -> None:
        paced(world, 30, "hundred")
        world.report(kills={"add": 30})
        body = {"game_id": str(world.game.uuid), "player": "p-1", "reason": "Ticket 4711"}
        assert world.api().post("/stats/reset", body).status_code in (200, 202)
        world.report(kills={"add": 31})
        assert Pace.objects.get().steps == 31
        assert world.api().post("/stats/reset", body).status_code in (200, 202)
        self.send(world, *((25, 60 * number) for number in range(10, 6, -1)))
        assert Unlock.objects.get().achievement.key == "hundred"

    def test_no_clock_of_a_device_makes_a_pause_longer(self, world: World) -> None:
        device = factories.api(factories.player_token(world.game, factories.player(world.studio, "p-1")))
        self.send(world, (1, 365 * 24 * HOUR), api=device)
        paced(world, 30, "hundred")
        self.send(world, (99, 0), api=device)
        assert broken()["steps"] == 99


def test_a_rule_that_comes_on_the_way_judges_what_comes_after_it(world: World) -> None:
    for player in ("p-1", "p-2"):
        report(world, 30, player=player)
    paced(world)
    add(world, 10)
    pass_time(MINUTE + 1)
    add(world, 10, player="p-2")
    assert set(Unlock.objects.values_list("player_id", flat=True)) == {
        factories.player(world.studio, name).pk for name in ("p-1", "p-2")
    }


def test_another_rule_judges_from_then_on_and_forgives_what_it_allows(world: World) -> None:
    paced(world)
    report(world, 20)
    report(world, 10, player="p-2")
    paced(world, 20)
    pass_time(MINUTE)
    report(world, 40)
    assert Unlock.objects.count() == 1
    paced(world, 5)
    pass_time(MINUTE)
    report(world, 30, player="p-2")
    pass_time(HOUR)
    report(world, 40, player="p-2")
    assert (broken()["steps"], broken()["a_minute"]) == (20, 5)


def test_without_its_rule_nothing_is_judged_and_what_came_meanwhile_is_not_either(world: World) -> None:
    paced(world)
    report(world, 5)
    report(world, 16, player="p-2")
    rules(world)
    report(world, 30)
    report(world, 40, player="p-2")
    assert Unlock.objects.get().player_id == factories.player(world.studio, "p-2").pk
    paced(world)
    report(world, 40)
    assert Unlock.objects.count() == 2
    assert not FlaggedUnlock.objects.exists()


@pytest.mark.parametrize("path", ["/achievements/revoke", "/achievements/reset"])
def test_support_may_let_a_player_begin_anew(world: World, path: str) -> None:
    paced(world)
    report(world, 40)
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "doors", "reason": "Ticket 4711"}
    assert world.api().post(path, body).status_code in (200, 202)
    assert not Pace.objects.exists()
    for _ in range(4):
        add(world, 10)
        pass_time(MINUTE)
    assert Unlock.objects.get().achievement.key == "doors"
    assert not FlaggedUnlock.objects.exists()


def test_who_begins_anew_has_a_minute_for_the_first_report(world: World) -> None:
    paced(world)
    report(world, 10)
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "doors", "reason": "Ticket 4711"}
    assert world.api().post("/achievements/reset", body).status_code in (200, 202)
    pass_time(HOUR)
    report(world, 11)
    assert Pace.objects.get().steps == 11


def test_nothing_is_left_of_who_is_erased(world: World) -> None:
    paced(world)
    for player in ("p-1", "p-2"):
        report(world, 11, player=player)
    gone = factories.player(world.studio, "p-1").pk
    erasing.erase(Person(world.studio.pk, True, (gone,), (), (), ("p-1",), ()))
    assert list(Pace.objects.values_list("player_id", flat=True)) == [
        factories.player(world.studio, "p-2").pk
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("too_fast", ["stays", "leaves"])
def test_who_was_too_fast_as_either_is_so_as_the_one_he_is(open_world: World, too_fast: str) -> None:
    paced(open_world)
    for player in ("stays", "leaves"):
        report(open_world, 30 if player == too_fast else 5, player=player)
    joins.join(open_world.studio, "stays", open_world.studio, "leaves")
    row = Pace.objects.get()
    one = accounts.player_of_studio(open_world.studio.pk, "stays")
    assert one is not None
    assert (row.player_id, row.steps) == (one.id, 30)
    pass_time(HOUR)
    add(open_world, 10, player="leaves")
    assert broken()["steps"] == 30


@pytest.mark.django_db(transaction=True)
def test_no_join_makes_anybody_too_fast(open_world: World) -> None:
    paced(open_world)
    report(open_world, 30, player="leaves")
    Pace.objects.all().delete()
    report(open_world, 5, player="stays")
    joins.join(open_world.studio, "stays", open_world.studio, "leaves")
    add(open_world, 10, player="stays")
    assert Unlock.objects.get().achievement.key == "doors"


def test_an_approved_one_counts_and_a_rejected_one_never(world: World) -> None:
    paced(world)
    support = member(world.studio, "support")
    for player, act in (("p-1", "approve"), ("p-2", "reject")):
        report(world, 40, player=player)
        row = FlaggedUnlock.objects.get(state="open")
        chosen = [f"unlock:{row.uuid}"]
        answer = support.post("decide-reviewed", world.studio.uuid, act=act, chosen=chosen, reason="Looked")
        assert answer.status_code == 302
        assert report(world, 40, player=player)["unlocked"] is True
    assert Unlock.objects.get().player_id == factories.player(world.studio, "p-1").pk
    assert FlaggedUnlock.objects.count() == 2


def test_the_queue_and_the_player_s_page_say_why_in_words(world: World) -> None:
    paced(world)
    report(world, 40)
    support = member(world.studio, "support")
    queue = support.get("review-queue", world.studio.uuid).content.decode()
    assert "40 steps in one report, at " in queue
    assert "the rule says 10 a minute at most." in queue
    assert "Progress too fast" in queue
    address = reverse("review-queue", args=[world.studio.uuid])
    assert "40 steps in one report" in support.client.get(address, {"rule": "pace"}).content.decode()
    assert "40 steps in one report" not in support.client.get(address, {"rule": "rate"}).content.decode()
    info = accounts.player_of_studio(world.studio.pk, "p-1")
    assert info is not None
    about = (world.studio.uuid, info.uuid)
    assert "40 steps in one report, at " in support.get("portal-player", *about).content.decode()
    why = support.client.get(
        reverse("portal-player", args=about), {"game": str(world.game.uuid), "why": "doors"}
    )
    assert "It was reported, and counts once the studio has checked it." in why.content.decode()


@pytest.mark.parametrize(
    ("found", "english", "german"),
    [
        (
            {"steps": 1500, "seconds": 0, "most": 100},
            "1,500 steps in one report, at 15 Jan 2027, 08:00:00 UTC; the rule says 100 a minute at most.",
            "1.500 Schritte in einer Meldung, 15. Jan. 2027, 08:00:00 UTC; die Regel erlaubt 100 pro Minute.",
        ),
        (
            {"steps": 120, "seconds": 12, "most": 100},
            "120 steps within 12 s, until 15 Jan 2027, 08:00:00 UTC; the rule says 100 a minute at most.",
            "120 Schritte in 12 s, bis 15. Jan. 2027, 08:00:00 UTC; die Regel erlaubt 100 pro Minute.",
        ),
        (
            {"steps": 320, "seconds": 170, "most": 300},
            "320 steps within 170 s, until 15 Jan 2027, 08:00:00 UTC; the rule says 100 a minute at most, so 300.",
            "320 Schritte in 170 s, bis 15. Jan. 2027, 08:00:00 UTC; die Regel erlaubt 100 pro Minute, also 300.",
        ),
    ],
)
def test_each_way_of_being_too_fast_has_its_words(found: dict[str, int], english: str, german: str) -> None:
    one = {"rule": "pace", "a_minute": 100, "until_us": 1_800_000_000_000_000, **found}
    for language, said in (("en", english), ("de", german)):
        with translation.override(language):
            assert evidence.sentences({"broken": [one]}, names={}) == (said,)


def _statements(act: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()
    return [one["sql"] for one in captured.captured_queries if "SAVEPOINT" not in one["sql"]]


def test_a_game_without_the_rule_sends_the_statements_that_it_always_sent(world: World) -> None:

    def sent(number: int) -> list[list[str]]:
        player = f"p-{number}"
        factories.player(world.studio, player)
        return [
            _statements(lambda: report(world, 5, player=player)),
            _statements(lambda: report(world, 40, player=player)),
            _statements(lambda: world.report(player, kills={"add": 150})),
        ]

    sent(0)
    plain = sent(1)
    assert not any("pace" in sql for sqls in plain for sql in sqls)
    paced(_world())
    sent(2)
    assert sent(3) == plain


def test_rules_of_other_kinds_ask_nothing_about_the_pace(world: World) -> None:
    rules(
        world,
        unlocks_a_minute=5,
        achievements=[{"achievement": "plain", "progress_a_minute": 5}],
    )
    for one in (lambda: report(world, 40), lambda: unlock(world, player="p-2")):
        assert not any("pace" in sql for sql in _statements(one))


def test_what_is_paced_takes_as_many_statements_for_a_thousand_players_as_for_two(world: World) -> None:
    paced(world)

    def sent(count: int, name: str) -> int:
        items = [{"player": f"{name}-{number}", "achievement": "doors"} for number in range(count)]
        body = {"game_id": str(world.game.uuid), "unlocks": items}
        found = _statements(lambda: world.api().post("/achievements/unlock/batch", body))
        return len(found)

    sent(2, "warm")
    assert sent(2, "few") == sent(1000, "many")
    assert FlaggedUnlock.objects.count() == 1004


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("adds", [True, False])
def test_progress_of_many_threads_is_judged_as_one_way_and_flagged_once(
    open_world: World, adds: bool
) -> None:
    paced(open_world, 39)

    def send(number: int) -> bool:
        try:
            told = add(open_world, 1) if adds else report(open_world, number + 1)
            return bool(told["unlocked"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(send, range(40)))
    assert any(answers)
    assert Progress.objects.get().current == 40
    assert FlaggedUnlock.objects.count() == 1
    assert not Unlock.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_as_many_as_a_minute_may_bring_count_from_many_threads(open_world: World) -> None:
    paced(open_world, 40)

    def send(_: int) -> None:
        try:
            add(open_world, 1)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(send, range(40)))
    assert Unlock.objects.get().achievement.key == "doors"
    assert not FlaggedUnlock.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_reports_and_resets_that_meet_leave_nothing_of_an_old_way(open_world: World) -> None:
    paced(open_world)
    body = {"game_id": str(open_world.game.uuid), "player": "p-1", "achievement": "doors", "reason": "race"}

    def send(number: int) -> int:
        try:
            if number % 4:
                return 202 if report(open_world, 1 + number % 40) else 0
            return int(open_world.api().post("/achievements/reset", body).status_code)
        finally:
            connections.close_all()

    factories.player(open_world.studio, "p-1")
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send, range(80))) <= {200, 202}
    assert open_world.api().post("/achievements/reset", body).status_code in (200, 202)
    assert not Pace.objects.exists()
    assert not FlaggedUnlock.objects.exists()
    assert set(Progress.objects.values_list("current", flat=True)) == {0}


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ({"achievement": "doors"}, 422),
        ({"achievement": "doors", "progress_a_minute": 0}, 422),
        ({"achievement": "doors", "progress_a_minute": -1}, 422),
        ({"achievement": "doors", "progress_a_minute": None}, 422),
        ({"achievement": "doors", "progress_a_minute": "10"}, 422),
        ({"achievement": "doors", "progress_a_minute": 1.5}, 422),
        ({"achievement": "doors", "progress_a_minute": True}, 422),
        ({"achievement": "doors", "progress_a_minute": 10**9 + 1}, 422),
        ({"achievement": "doors", "progress_a_minute": 2**63}, 422),
        ({"achievement": "doors", "progress_a_minute": [10]}, 422),
        ({"achievement": "doors", "progress_a_minute": 10, "target": 5}, 422),
        ({"achievement": "once", "progress_a_minute": 10}, 422),
        ({"achievement": "all", "progress_a_minute": 10}, 422),
        ({"achievement": "lap", "progress_a_minute": 10}, 422),
        ({"achievement": "several", "progress_a_minute": 10}, 422),
        ({"achievement": "summed", "progress_a_minute": 10}, 422),
        ({"achievement": "nope", "progress_a_minute": 10}, 422),
        ({"achievement": "hundred", "progress_a_minute": 10}, 200),
        ({"achievement": "goal", "progress_a_minute": 10**9}, 200),
    ],
)
def test_a_pace_is_for_what_counts_steps(world: World, line: dict[str, Any], status: int) -> None:
    factories.achievement(world.game, "once")
    factories.achievement(world.game, "all", type="meta", requires=["once"])
    factories.stat(world.game, "best", aggregation="min")
    factories.stat(world.game, "wins")
    factories.achievement(world.game, "lap", type="incremental", target=80, stat="best")
    both = [{"stat": "kills", "at_least": 5}, {"stat": "wins", "at_least": 5}]
    factories.achievement(world.game, "several", type="incremental", goal={"all": both})
    summed = {"sum": {"kills": 1, "wins": 2}, "at_least": 50}
    factories.achievement(world.game, "summed", type="incremental", goal=summed)
    factories.achievement(world.game, "goal", type="incremental", goal={"stat": "wins", "at_least": 50})
    answer = world.api().put(f"/games/{world.game.uuid}/plausibility", {"achievements": [line]})
    assert answer.status_code == status, answer.json()
    if status == 422:
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/achievements"]
        assert not AuditEntry.objects.exists()


def test_rules_are_shown_as_they_were_set(world: World) -> None:
    lines = [
        {"achievement": "doors", "progress_a_minute": 10},
        {"achievement": "hundred", "earliest_seconds": 60, "progress_a_minute": 30},
        {"achievement": "plain", "earliest_seconds": 60},
    ]
    assert rules(world, achievements=lines)["achievements"] == lines
    assert set(rules(world, achievements=lines)) == {
        "earliest_seconds",
        "unlocks_a_minute",
        "session_required",
        "achievements",
        "order",
    }
    changed = AuditEntry.objects.get().details["changed"]
    assert changed["paces"] == [{}, {"doors": 10, "hundred": 30}]
