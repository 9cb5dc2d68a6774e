"""The listener that turns unlocks into inbox rows: each once, in order, whatever is repeated, frozen or gone."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Player
from achievements.models import Achievement, AchievementTranslation, Unlock
from config.embedded import Servers
from core import facts, lags
from core.clock import microseconds, rfc3339
from core.models import Follower
from core.redis import breaker
from social import announcing, events, inbox, selectors, services
from social.models import InboxCounter, Notification
from social.tasks import keep_inbox
from tests.patience import valkey_frozen
from tests.social.world import ACHIEVEMENTS, World


def test_an_unlock_is_told_as_the_api_says(world: World) -> None:
    Achievement.objects.filter(key="a9").update(icon_url="https://example.com/9.png", hidden=True)
    announcing.forget()
    world.unlock("anna", "a5")
    world.unlock("anna", "a9")
    told = world.inbox("anna")[-1]
    unlock = Unlock.objects.get(achievement__key="a9")
    assert (told.kind, told.game_id, told.studio_id) == (
        "achievement.unlocked",
        world.game.id,
        world.game.studio_id,
    )
    assert json.loads(told.payload) == {
        "game_id": str(world.game.uuid),
        "game": {"title": "The Long Way Home"},
        "achievement": {
            "key": "a9",
            "name": "Achievement 9",
            "description": "Do it.",
            "icon_url": "https://example.com/9.png",
            "hidden": True,
            "rarity": {"unlocked_percent": None, "unlocked": 0, "players": 0, "tier": None},
        },
        "points": 9,
        "unlocked_at": rfc3339(unlock.unlocked_at),
        "totals": {"points": 14, "unlocked": 2, "available": ACHIEVEMENTS},
    }


def test_an_inbox_counts_from_one_in_the_order_of_the_log(world: World) -> None:
    world.unlock("anna", "a3", "a1", "a2")
    world.unlock("ben", "a1")
    world.unlock("anna", "a9", "a8")
    rows = world.inbox("anna")
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [json.loads(row.payload)["achievement"]["key"] for row in rows] == ["a3", "a1", "a2", "a9", "a8"]
    assert [row.seq for row in world.inbox("ben")] == [1]


def test_a_replay_of_the_log_adds_nothing_and_gives_no_number_twice(world: World) -> None:
    world.unlock("anna", "a1", "a2")
    before = world.inbox("anna")
    world.replay()
    world.replay()
    assert world.inbox("anna") == before
    world.unlock("anna", "a3")
    assert world.inbox("anna")[-1].seq > before[-1].seq


def test_a_lost_inbox_is_told_again_with_the_same_ids(world: World) -> None:
    world.unlock("anna", "a1", "a2")
    before = world.ids("anna")
    Notification.objects.all().delete()
    world.replay()
    assert world.ids("anna") == before


def test_an_unlock_after_a_revocation_is_told_again(world: World) -> None:
    world.unlock("anna", "a1")
    Unlock.objects.all().delete()
    world.unlock("anna", "a1")
    assert len(set(world.ids("anna"))) == 2


def test_a_listener_that_fails_leaves_neither_rows_nor_numbers(world: World) -> None:
    read = _facts_of(world, "anna", "a1")
    with transaction.atomic():
        services.apply_facts(read)
        transaction.set_rollback(True)
    assert not InboxCounter.objects.exists()
    assert not Notification.objects.exists()


def test_ids_are_uuid7s_of_the_moment_that_is_told_of(world: World) -> None:
    world.unlock("anna", "a1", "a2")
    first, second = world.inbox("anna")
    for row in (first, second):
        assert row.uuid.version == 7
        assert row.uuid.int >> 80 == microseconds(row.created_at) // 1000
    assert first.uuid < second.uuid


def test_an_achievement_that_is_gone_by_now_is_passed_by(world: World) -> None:
    read = _facts_of(world, "anna", "a1", "a2")
    Unlock.objects.filter(achievement__key="a1").delete()
    Achievement.objects.filter(key="a1").delete()
    with transaction.atomic():
        services.apply_facts(read)
    assert [json.loads(row.payload)["achievement"]["key"] for row in world.inbox("anna")] == ["a2"]


def test_what_is_older_than_the_inbox_keeps_is_not_told(world: World) -> None:
    read = _facts_of(world, "anna", "a1")
    old = [facts.Fact(f.tx, f.id, f.at - timedelta(days=31), f.kind, f.studio_id, f.payload) for f in read]
    with transaction.atomic():
        services.apply_facts(old)
    assert world.inbox("anna") == []


def test_a_batch_costs_the_same_queries_whatever_its_size(world: World) -> None:
    def queries_of(*keys: str) -> int:
        announcing.forget()
        with CaptureQueriesContext(connection) as captured:
            world.unlock("anna", *keys)
        return len(captured)

    world.unlock("anna", "a0")
    assert queries_of("a1") == queries_of(*[f"a{n}" for n in range(2, ACHIEVEMENTS)])
    assert queries_of("none") == queries_of(*[f"none{n}" for n in range(200)])


def test_names_of_any_script_and_quotes_survive(world: World) -> None:
    name = 'O\'Brien "{}" \\ \N{TROPHY} \u2028 नमस्ते\n\t$1'
    Achievement.objects.filter(key="a1").update(name=name)
    announcing.forget()
    world.unlock("anna", "a1", "a2")
    assert json.loads(world.inbox("anna")[0].payload)["achievement"]["name"] == name


@pytest.mark.slow
def test_a_frozen_valkey_does_not_hold_the_follower_up(world: World, servers: Servers) -> None:
    with valkey_frozen(servers):
        for n in range(20):
            world.unlock("anna", f"a{n}")
        assert breaker("live").is_open  # one of them waited, and the others did not ask
    assert len(world.inbox("anna")) == 20
    assert lags.of_followers()[0].dead_letters == 0


def test_a_month_is_kept_and_numbers_are_not_given_again(world: World) -> None:
    world.unlock("anna", "a1", "a2", "a3")
    player = world.player("anna").id
    Notification.objects.filter(player_id=player, seq__lte=2).update(
        created_at=timezone.now() - timedelta(days=30, seconds=1)
    )
    keep_inbox()
    assert [row.seq for row in world.inbox("anna")] == [3]
    Notification.objects.update(created_at=timezone.now() - timedelta(days=31))
    keep_inbox()
    world.unlock("anna", "a4")
    assert [row.seq for row in world.inbox("anna")] == [4]


def test_old_rows_are_deleted_in_short_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_DELETED_AT_ONCE", 2)
    world.unlock("anna", *[f"a{n}" for n in range(5)])
    assert services.keep_inbox(now=timezone.now() + timedelta(days=31)) == 5


def test_events_of_one_moment_have_ids_of_their_own() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    prefixes = {events.id_prefix(fact_id=n, seed=str(n), at=at) for n in range(10_000)}
    assert len(prefixes) == 10_000
    assert all(UUID(f"{prefix}fffff").version == 7 for prefix in prefixes)


def test_reading_an_inbox_goes_on_behind_a_number(world: World) -> None:
    world.unlock("anna", *[f"a{n}" for n in range(5)])
    world.unlock("ben", "a1")
    anna, ben, nobody = world.player("anna").id, world.player("ben").id, world.player("carl").id
    first, second, third = selectors.news([(anna, 3), (nobody, 0), (ben, 0)], limit=10)
    assert ([event.seq for event in first.events], first.last_seq) == ([4, 5], 5)
    assert (second.events, second.last_seq) == ([], 0)
    assert [event.seq for event in third.events] == [1]
    assert [event.seq for event in selectors.news([(anna, 0)], limit=2)[0].events] == [1, 2]
    assert selectors.ahead([(anna, 4), (ben, 1), (nobody, 0)]) == {anna: 5}
    known = UUID(world.ids("anna")[1])
    assert selectors.positions([(anna, known), (ben, known), (anna, None), (nobody, None)]) == [
        (2, 5),
        (0, 1),
        (5, 5),
        (0, 0),
    ]


def _facts_of(world: World, player: str, *keys: str) -> list[facts.Fact]:
    """Unlock, and return the facts; nobody was told of them yet."""
    world.unlock_silently(player, *keys)
    cursor = Follower.objects.get(name="social")
    return [
        fact
        for fact in facts.read_after(cursor.tx, cursor.fact_id, kinds=["achievements_unlocked"])
        if fact.kind == "achievements_unlocked"
    ]


def test_a_player_is_told_in_his_language_what_the_studio_translated(world: World) -> None:
    achievement = Achievement.objects.get(key="a5")
    AchievementTranslation.objects.create(achievement=achievement, language="pt", name="Primeiro passo")
    for name, language in (("anna", "pt-BR"), ("ben", "de"), ("cleo", "")):
        Player.objects.filter(pk=world.player(name).id).update(language=language)
        world.unlock(name, "a5")
    told = [json.loads(world.inbox(name)[-1].payload)["achievement"] for name in ("anna", "ben", "cleo")]
    assert [one["name"] for one in told] == ["Primeiro passo", "Achievement 5", "Achievement 5"]
    assert {one["description"] for one in told} == {"Do it."}  # which is not translated


def test_languages_are_asked_for_only_where_something_is_translated(world: World) -> None:
    Player.objects.filter(pk=world.player("anna").id).update(language="pt")
    read = _facts_of(world, "anna", "a1")
    for keys, asked in (((), 0), (("a1",), 1)):
        for key in keys:
            AchievementTranslation.objects.create(
                achievement=Achievement.objects.get(key=key), language="pt", name="Primeiro"
            )
        announcing.forget()
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            services.apply_facts(read)
        assert sum("SELECT id, language" in query["sql"] for query in queries) == asked
