"""How rare achievements are: who counts, and that it is counted once."""

import importlib
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import selectors, services
from accounts.facts import PlayersBanned, PlayersExcluded
from accounts.models import Studio
from achievements import rules
from achievements.models import Achievement, AchievementCount, GamePlayers, Played, Unlock
from achievements.selectors import definitions
from achievements.services import backfills, recounting, revokes
from achievements.services.unlocks import Caller, UnlockRequest, unlock_many
from core import followers
from core.facts import publish, subscriptions
from core.ids import new_id
from core.models import Follower
from stats.facts import PlaytimeAdded
from stats.services import sessions
from tests import factories
from tests.accounts.erasures import erase
from tests.held import held, ids_of_who_waits
from tests.leaderboards.world import World
from tests.patience import LONG_S

Turn = Callable[[World, str, bool], None]


@pytest.fixture
def world(transactional_db: None) -> World:
    return World.create()


def hear() -> None:
    followers.drain("achievements")


def told(world: World, key: str = "a0") -> tuple[int, int]:
    """Return numerator and denominator."""
    pk = Achievement.objects.get(game_id=world.game.id, key=key).pk
    rarity = definitions.rarities([pk])[pk]
    return rarity.unlocked, rarity.players


def counters() -> tuple[dict[int, int], dict[int, int]]:
    """Return the counters that are not 0."""
    unlocked = AchievementCount.objects.exclude(unlocked=0).values_list("achievement_id", "unlocked")
    return dict(unlocked), dict(GamePlayers.objects.exclude(players=0).values_list("game_id", "players"))


def player_id(world: World, name: str) -> int:
    info = selectors.player_of_studio(world.game.studio_id, name)
    assert info is not None
    return info.id


def turn(change: Any, world: World, name: str, **out: bool) -> None:
    info = selectors.player_of_studio(world.game.studio_id, name)
    assert info is not None
    change(
        studio_id=world.game.studio_id,
        player=info,
        reason="test",
        actor="user:test",
        at=timezone.now(),
        **out,
    )


def exclude(world: World, name: str, out: bool) -> None:
    turn(services.exclude_player, world, name, excluded=out)


def ban(world: World, name: str, out: bool) -> None:
    turn(services.ban_player, world, name, banned=out)


def revoke(world: World, name: str, key: str) -> None:
    revokes.revoke(
        game=world.game,
        player_id=player_id(world, name),
        key=key,
        reason="test",
        actor="user:test",
        at=timezone.now(),
    )


def play(world: World, name: str) -> None:
    sessions.heard_of(game=world.game, player=name, event="start", at=timezone.now())


def test_rarity_is_null_below_twenty_players_and_told_from_there_on(world: World) -> None:
    world.unlock(*((f"p{number}", "a0") for number in range(19)))
    hear()
    pk = Achievement.objects.get(key="a0").pk
    assert definitions.rarities([pk])[pk] == rules.Rarity(
        unlocked_percent=None, unlocked=19, players=19, tier=None
    )
    world.unlock(("p19", "a1"))
    hear()
    assert definitions.rarities([pk])[pk] == rules.Rarity(
        unlocked_percent=95.0, unlocked=19, players=20, tier="common"
    )


def test_who_only_reported_a_stat_has_played(world: World) -> None:
    game = world.game
    factories.stat(Achievement.objects.all()[0].game, "kills")
    body = {
        "game_id": str(game.uuid),
        "player": "p-1",
        "stats": {"kills": {"add": 1}},
        "event_id": str(new_id()),
    }
    assert world.api().post("/stats/report", body).status_code == 202
    hear()
    assert told(world) == (0, 1)


def test_who_only_reported_progress_has_played(world: World) -> None:
    factories.achievement(Achievement.objects.all()[0].game, "steps", type="incremental", target=10)
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "steps", "steps": 3}
    assert world.api().post("/achievements/progress", body).status_code == 202
    hear()
    assert told(world) == (0, 1)


def test_who_only_had_a_session_has_played(world: World) -> None:
    play(world, "p-1")
    play(world, "p-1")
    assert recounting.recount() == 0  # it is left to the listener
    hear()
    assert told(world) == (0, 1)
    assert recounting.recount() == 0


def test_a_revoke_takes_an_unlock_off_and_leaves_the_player(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"))
    hear()
    revoke(world, "p0", "a0")
    hear()
    assert told(world) == (1, 2)
    assert recounting.recount() == 0


def test_an_unlock_that_was_taken_back_and_given_again_counts_once(world: World) -> None:
    world.unlock(("p0", "a0"))
    revoke(world, "p0", "a0")
    world.unlock(("p0", "a0"))
    hear()
    assert told(world) == (1, 1)
    assert recounting.recount() == 0


def test_what_a_backfill_gives_silently_counts(world: World) -> None:
    factories.achievement(Achievement.objects.all()[0].game, "all", type="meta", requires=["a0", "a1"])
    world.unlock(("p0", "a0"), ("p1", "a1"))
    answer = world.api().patch(f"/games/{world.game.uuid}/achievements/all", {"requires_count": 1})
    assert answer.status_code == 200, answer.content
    assert backfills.run_some(now=timezone.now()) == 2
    hear()
    assert told(world, "all") == (2, 2)
    assert recounting.recount() == 0


@pytest.mark.parametrize("leave", [exclude, ban])
def test_who_is_left_out_counts_on_neither_side_until_he_is_let_back(world: World, leave: Turn) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"), ("p1", "a1"))
    hear()
    leave(world, "p1", True)
    hear()
    assert (told(world), told(world, "a1")) == ((1, 1), (0, 1))
    assert recounting.recount() == 0
    leave(world, "p1", False)
    hear()
    assert (told(world), told(world, "a1")) == ((2, 2), (1, 2))
    assert recounting.recount() == 0


def test_who_is_both_banned_and_excluded_comes_back_with_the_last_of_both(world: World) -> None:
    world.unlock(("p0", "a0"))
    hear()
    exclude(world, "p0", True)
    ban(world, "p0", True)
    hear()
    exclude(world, "p0", False)
    hear()
    assert told(world) == (0, 0)
    ban(world, "p0", False)
    hear()
    assert told(world) == (1, 1)


def test_what_an_excluded_player_unlocks_counts_when_he_is_back(world: World) -> None:
    world.players(1)
    exclude(world, "p0", True)
    world.unlock(("p0", "a0"))
    hear()
    assert told(world) == (0, 0)
    world.unlock(("p0", "a1"))
    exclude(world, "p0", False)
    hear()
    assert (told(world), told(world, "a1")) == ((1, 1), (1, 1))


def test_one_studio_s_ban_changes_nothing_in_another_s_game(world: World) -> None:
    world.unlock(("p0", "a0"))
    other = factories.game()
    pk = player_id(world, "p0")
    publish(PlaytimeAdded(other.pk, [[pk, 0, 1, 1]]), studio_id=other.studio_id)
    hear()
    ban(world, "p0", True)
    hear()
    assert GamePlayers.objects.get(game=other).players == 1
    assert GamePlayers.objects.get(game_id=world.game.id).players == 0


def test_unlocks_that_are_not_heard_of_yet_are_counted_once_when_somebody_comes_back(world: World) -> None:
    """The exclusion is heard while later unlocks are stored but still ahead, as when a read ends between."""
    world.unlock(("p0", "a0"))
    exclude(world, "p0", True)
    hear()
    exclude(world, "p0", False)
    world.unlock(("p0", "a1"))
    revoke(world, "p0", "a0")
    step_by_step()
    assert (told(world), told(world, "a1")) == ((0, 1), (1, 1))
    assert recounting.recount() == 0


def step_by_step() -> None:
    """Hear fact by fact; after each one a recount finds nothing wrong."""
    followers.ensure_rows()
    more = True
    while more:
        Follower.objects.filter(name="achievements").update(isolating=1)
        step = followers.step(subscriptions()["achievements"])
        assert step is not None
        assert recounting.recount() == 0
        more = step.more


@pytest.mark.slow
def test_any_order_of_deeds_heard_one_by_one_agrees_with_a_recount(world: World) -> None:
    chance = random.Random(7)
    names = ["p0", "p1", "p2"]
    world.players(3)
    for _ in range(12):
        for _ in range(10):
            deed, name = chance.choice("uuueerrbp"), chance.choice(names)
            if deed == "u":
                unlock(world, name, f"a{chance.randrange(8)}")
            elif deed == "p":
                play(world, f"new-{chance.randrange(20)}")
            elif deed == "r":
                held = list(Unlock.objects.filter(player_id=player_id(world, name)))
                if held:
                    revoke(world, name, chance.choice(held).achievement.key)
            else:
                (exclude if deed == "e" else ban)(world, name, chance.random() < 0.5)
        if chance.random() < 0.7:
            step_by_step()
    for name in names:
        exclude(world, name, False)
        ban(world, name, False)
    hear()
    assert recounting.recount() == 0
    assert sum(counters()[0].values()) == Unlock.objects.count()


def test_a_replayed_log_adds_nothing(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"))
    exclude(world, "p1", True)
    world.unlock(("p0", "a1"))
    hear()
    before = counters()
    followers.rewind("achievements", fact_id=0)
    hear()
    assert counters() == before
    exclude(world, "p1", False)
    hear()
    followers.rewind("achievements", fact_id=0)
    hear()
    assert told(world) == (2, 2)


def test_a_recount_mends_what_was_spoiled_and_says_how_much(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"), ("p1", "a1"))
    play(world, "p2")
    exclude(world, "p1", True)
    hear()
    right = counters()
    AchievementCount.objects.filter(achievement__key="a0").update(unlocked=77)
    GamePlayers.objects.update(players=5)
    Played.objects.filter(player_id__in=[player_id(world, "p0"), player_id(world, "p2")]).delete()
    Played.objects.filter(player_id=player_id(world, "p1")).update(counts=True)
    assert recounting.recount() == 2
    assert counters() == right
    assert recounting.recount() == 0


def test_a_recount_that_reads_for_long_holds_nobody_up_and_stays_exact(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"))
    hear()
    AchievementCount.objects.filter(achievement__key="a0").update(unlocked=77)
    GamePlayers.objects.update(players=5)
    world.unlock(("p2", "a0"), ("p2", "a1"))
    with ThreadPoolExecutor(1) as pool:
        with held("achievements_unlock"):
            reading = pool.submit(closing, recounting.recount)
            assert ids_of_who_waits("achievements_unlock") == [None]
            hear_until(lambda: GamePlayers.objects.get().players == 6)
            assert recounting.recount() == 0, "one at a time, or both would put right the same"
        assert reading.result(LONG_S) == 2
    keys = AchievementCount.objects.exclude(unlocked=0).values_list("achievement__key", "unlocked")
    assert (dict(keys), GamePlayers.objects.get().players) == ({"a0": 3, "a1": 1}, 3)
    assert recounting.recount() == 0


def test_a_recount_does_not_bring_back_who_is_erased_before_it_writes(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"))
    hear()
    Played.objects.all().delete()
    with ThreadPoolExecutor(1) as pool:
        with held("achievements_counteduntil", mode="ROW EXCLUSIVE"):  # as the listener does
            waiting = pool.submit(closing, recounting.recount)
            assert ids_of_who_waits("achievements_counteduntil") == [None]
            erase(Studio.objects.get(), "p1")
        waiting.result(LONG_S)
    hear()
    assert list(Played.objects.values_list("player_id", flat=True)) == [player_id(world, "p0")]
    recounting.recount()
    assert told(world) == (1, 1)
    assert recounting.recount() == 0


def hear_until(is_done: Callable[[], bool]) -> None:
    """Let the listener read while somebody's transaction is open, so that the log is never read to its end."""
    deadline = time.monotonic() + LONG_S
    while not is_done():
        assert time.monotonic() < deadline
        followers.step(subscriptions()["achievements"])


def closing(work: Callable[[], int]) -> int:
    try:
        return work()
    finally:
        connection.close()


def test_a_recount_leaves_to_the_listener_what_it_has_not_heard(world: World) -> None:
    world.unlock(("p0", "a0"))
    hear()
    world.unlock(("p1", "a0"), ("p1", "a1"))
    exclude(world, "p0", True)
    assert recounting.recount() == 0
    assert told(world) == (1, 1)
    hear()
    assert told(world) == (1, 1)
    assert recounting.recount() == 0


def test_facts_of_who_is_in_or_out_are_absolute(world: World) -> None:
    world.unlock(("p0", "a0"))
    hear()
    pk, studio = player_id(world, "p0"), world.game.studio_id
    for fact in (PlayersExcluded([[pk, True]]), PlayersBanned([[pk, True]]), PlayersBanned([[pk, False]])):
        publish(fact, studio_id=studio)
    hear()
    assert told(world) == (1, 1)


def unlock(world: World, name: str, key: str) -> None:
    unlock_many(game=world.game, requests=[UnlockRequest(name, key)], by=Caller(), at=timezone.now())


def together(*works: Callable[[int], object]) -> None:
    """Let each work in a thread of its own, eight turns long."""

    def work(act: Callable[[int], object]) -> None:
        try:
            for number in range(8):
                act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(work, works))


def test_a_recount_is_exact_while_everything_goes_on(world: World) -> None:
    names = ["p0", "p1", "p2", "p3"]
    world.unlock(*((name, "a0") for name in names))
    wrong: list[int] = []
    together(
        lambda n: unlock(world, names[n % 4], f"a{n}"),
        lambda n: unlock(world, names[n % 4], f"a{(n + 3) % 8}"),
        lambda n: revoke(world, names[n % 4], "a0" if n < 4 else f"a{n}"),
        lambda n: exclude(world, names[n % 2], n % 4 < 2),
        lambda n: ban(world, names[1 + n % 2], n % 4 < 2 or n == 7),
        lambda n: play(world, f"new-{n}"),
        lambda _: hear(),
        lambda _: hear(),
        lambda _: wrong.append(recounting.recount()),
        lambda _: wrong.append(recounting.recount()),
    )
    hear()
    assert not any(wrong)
    listener = counters()
    assert recounting.recount() == 0
    assert counters() == listener
    assert {name for name in names if is_out(world, name)} == {"p2"}
    assert listener[1] == {world.game.id: 11}
    assert sum(listener[0].values()) == Unlock.objects.exclude(player_id=player_id(world, "p2")).count()


def is_out(world: World, name: str) -> bool:
    return not Played.objects.get(player_id=player_id(world, name)).counts


def test_an_upgrade_counts_what_is_stored_already(world: World) -> None:
    """Before it everybody's unlocks were counted, and as players those who hold any."""
    world.unlock(("p0", "a0"), ("p1", "a0"))
    play(world, "p2")
    ban(world, "p1", True)
    hear()
    right = counters()
    Played.objects.all().delete()
    AchievementCount.objects.update(unlocked=2)
    GamePlayers.objects.update(players=2)
    upgrade = importlib.import_module("achievements.migrations.0012_who_has_played_until_now").Migration
    with connection.cursor() as cursor:
        for operation in upgrade.operations:
            cursor.execute(operation.sql)
    assert counters() == right
    assert recounting.recount() == 0
