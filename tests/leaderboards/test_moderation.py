"""What is taken off a board and put back, and that PostgreSQL and Valkey agree on it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from redis import Redis

from accounts import selectors as accounts
from accounts import services as account_services
from accounts.models import Game, PlayerIdentity
from accounts.selectors import PlayerInfo
from core import followers
from core.ids import new_id
from core.models import AuditEntry
from core.refusals import Conflict, NotFound, Refused
from leaderboards import comparing, filling, rebuilding, truth
from leaderboards.filling import State
from leaderboards.keys import Board
from leaderboards.models import Leaderboard, Period, Score
from leaderboards.selectors import definitions, periods
from leaderboards.selectors.moderated import own_entry
from leaderboards.selectors.standings import FromOffset, page, rank
from leaderboards.services import follower, moderation, scores
from leaderboards.services.moderation import Action
from leaderboards.services.scores import ScoreRequest, Submitted
from leaderboards.submitting import LOCK_SPACE
from tests import factories
from tests.leaderboards.test_listener import contents
from tests.leaderboards.world import World, whole
from tests.patience import LONG_S

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def board(world: World, **fields: Any) -> Leaderboard:
    return factories.leaderboard(Game.objects.get(pk=world.game.id), **fields)


def submit(
    world: World, *rows: tuple[str, int], at: datetime | None = None, **about: Any
) -> list[Submitted | Refused]:
    requests = [ScoreRequest(player, score, **about) for player, score in rows]
    return scores.submit_many(
        game=world.game, key="high-score", requests=requests, by=scores.SERVER, at=at or timezone.now()
    )[1]


def person(world: World, name: str) -> PlayerInfo:
    info = accounts.player_of_studio(world.game.studio_id, name)
    assert info is not None
    return info


def moderate(
    world: World,
    name: str,
    action: Action,
    *,
    period: str = "current",
    key: str = "high-score",
    at: datetime | None = None,
) -> int:
    return moderation.moderate(
        game=world.game,
        key=key,
        player=person(world, name),
        action=action,
        period=period,
        reason="Impossible time",
        actor="user:ada@example.com",
        at=at or timezone.now(),
    )


def exclude(world: World, name: str, *, excluded: bool = True) -> None:
    account_services.exclude_player(
        studio_id=world.game.studio_id,
        player=person(world, name),
        excluded=excluded,
        reason="Speed hack",
        actor="user:ada@example.com",
        at=timezone.now(),
    )


def reset(world: World) -> int:
    return moderation.reset(
        game=world.game, key="high-score", reason="Beta", actor="user:ada@example.com", at=timezone.now()
    )


def order(world: World, period: str = "all", region: str | None = None) -> Board:
    info = definitions.fresh_boards(world.game.id)["high-score"]
    found = periods.named(info, period)
    assert found is not None
    assert found.id is not None
    return info.order(found.id, region)


def standing(world: World, period: str = "all", region: str | None = None) -> list[tuple[str, int]]:
    """Return `(player, units)` of a board, which Valkey and PostgreSQL have alike."""
    world.follow()
    assert_alike()
    names = world.names()
    asked = order(world, period, region)
    return [(names[row.player_id], -row.sort_value) for row in page(asked, FromOffset(0), limit=100).rows]


def points(world: World) -> list[tuple[str, int]]:
    world.follow()
    assert_alike()
    names = world.names()
    return [(names[player], score) for _, player, score in whole(world.board)]


def orders(valkey: Redis) -> dict[bytes, object]:
    """Return the boards' orders; who left a board may or may not be remembered beside it."""
    return {key: found for key, found in contents(valkey).items() if key.endswith(b":order")}


def assert_alike() -> None:
    for each in truth.boards():
        assert filling.states([each])[each] is State.READY
        assert comparing.check(each) == 0


def test_a_hidden_player_leaves_the_board_and_comes_back_with_what_he_did_meanwhile(world: World) -> None:
    board(world)
    world.players(2)
    world.move(("p0", "EU"))
    submit(world, ("p0", 50), ("p1", 40))
    assert standing(world, region="EU") == [("p0", 50)]
    assert moderate(world, "p0", Action.HIDE) == 1
    assert standing(world) == [("p1", 40)]
    assert standing(world, region="EU") == []
    submit(world, ("p0", 60))
    assert standing(world) == [("p1", 40)]
    assert moderate(world, "p0", Action.HIDE) == 0
    assert moderate(world, "p0", Action.RESTORE) == 1
    assert standing(world) == [("p0", 60), ("p1", 40)]
    assert standing(world, region="EU") == [("p0", 60)]


def test_a_deleted_entry_does_not_come_back_by_its_events_and_a_new_one_begins_anew(world: World) -> None:
    board(world, operator="sum", attempts_limit=2)
    event = new_id()
    submit(world, ("p0", 50), event_id=event)
    submit(world, ("p0", 50))
    assert moderate(world, "p0", Action.DELETE) == 1
    assert standing(world) == []
    (again,) = submit(world, ("p0", 50), event_id=event)
    assert isinstance(again, Submitted)
    assert again.status == "already_submitted"
    assert standing(world) == []
    submit(world, ("p0", 7))
    assert standing(world) == [("p0", 7)]


@pytest.mark.slow
def test_periods_are_meant_by_id_or_all_that_may_still_change(world: World) -> None:
    board(world, reset="daily", spans=["all", "week"])
    for day in range(3):
        submit(world, ("p0", 10 + day), ("p1", 5), at=NOON + timedelta(days=day))
    Period.objects.filter(name="2026-11-25").update(state="final")
    with pytest.raises(Conflict, match="final"):
        moderate(world, "p0", Action.HIDE, period="2026-11-25")
    with pytest.raises(NotFound):
        moderate(world, "p0", Action.HIDE, period="2026-11-20")
    assert moderate(world, "p0", Action.HIDE, period="2026-11-26") == 1
    assert moderate(world, "p0", Action.HIDE, at=NOON + timedelta(days=2)) == 1
    assert moderate(world, "p0", Action.HIDE, period="2026-W48") == 1
    assert moderate(world, "p0", Action.RESTORE, period="every") == 3
    assert moderate(world, "p0", Action.HIDE, period="every") == 4
    assert Score.objects.filter(hidden_at=None, period__name="2026-11-25").count() == 2
    assert standing(world) == standing(world, "2026-W48") == standing(world, "2026-11-27") == [("p1", 5)]


def test_what_cannot_be_moderated_is_refused_and_changes_nothing(world: World) -> None:
    board(world)
    world.players(1)
    for action in Action:
        with pytest.raises(NotFound):
            moderate(world, "p0", action)
        with pytest.raises(NotFound):
            moderate(world, "p0", action, key="other")
        with pytest.raises(Conflict, match=r"exclude.*revoke"):
            moderate(world, "p0", action, key="points")
    assert not AuditEntry.objects.exists()


def test_moderation_is_audited_with_the_scores_that_are_gone(world: World) -> None:
    board(world, decimals=1)
    submit(world, ("p0", 81))
    moderate(world, "p0", Action.HIDE)
    moderate(world, "p0", Action.HIDE)
    moderate(world, "p0", Action.DELETE)
    reset(world)
    entries = list(AuditEntry.objects.order_by("id"))
    assert [one.action for one in entries] == ["entry.hide", "entry.delete", "leaderboard.reset"]
    assert {(one.actor, one.studio_id) for one in entries} == {("user:ada@example.com", world.game.studio_id)}
    assert entries[1].object_id == str(person(world, "p0").uuid)
    assert entries[1].details == {
        "game": str(world.game.uuid),
        "leaderboard": "high-score",
        "scores": {"all": 81.0},
    }


@pytest.mark.slow
@pytest.mark.parametrize("action", [Action.HIDE, Action.DELETE])
def test_who_is_moderated_while_he_submits_is_alike_everywhere(world: World, action: Action) -> None:
    board(world, operator="sum")
    submit(world, *((f"p{number}", 1) for number in range(3)))

    def add(number: int) -> None:
        try:
            for _ in range(25):
                submit(world, (f"p{number % 3}", 1), (f"p{(number + 1) % 3}", 1))
        finally:
            connection.close()

    def act(number: int) -> None:
        try:
            for _ in range(12):
                for each in (action, Action.RESTORE):
                    with suppress(NotFound):
                        moderate(world, f"p{number}", each)
                followers.drain("leaderboards")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(add, number) for number in range(4)] + [pool.submit(act, n) for n in (0, 1)]
        for one in running:
            one.result()
    shown = {name for name, _ in standing(world)}
    assert "p2" in shown
    if action is Action.HIDE:
        assert sum(-one.sort_value for one in Score.objects.all()) == 3 + 4 * 25 * 2


@pytest.mark.slow
def test_an_excluded_player_leaves_all_boards_of_the_studio_and_comes_back(world: World) -> None:
    board(world, reset="daily", spans=["all"])
    submit(world, ("p0", 50), ("p1", 40), at=NOON)
    submit(world, ("p0", 50), ("p1", 40), at=NOON + timedelta(days=1))
    Period.objects.filter(name="2026-11-25").update(state="final")
    world.unlock(("p0", "a0"), ("p1", "a0"), ("p1", "a1"))
    assert points(world) == [("p1", 20), ("p0", 10)]
    exclude(world, "p1")
    assert points(world) == [("p0", 10)]
    assert standing(world) == standing(world, "2026-11-26") == [("p0", 50)]
    assert len(truth.listing(order(world, "2026-11-25"), FromOffset(0), limit=9).rows) == 2
    assert len(whole(Board(None, None))) == 2
    world.unlock(("p1", "a2"))
    submit(world, ("p1", 70), at=NOON + timedelta(days=1))
    submit(world, ("p1", 70), at=NOON + timedelta(days=2))
    world.move(("p1", "EU"))
    assert points(world) == [("p0", 10)]
    assert standing(world) == [("p0", 50)]
    assert standing(world, "2026-11-27") == []
    exclude(world, "p1", excluded=False)
    assert points(world) == [("p1", 30), ("p0", 10)]
    assert standing(world) == [("p1", 70), ("p0", 50)]
    assert standing(world, region="EU") == [("p1", 70)]
    assert standing(world, "2026-11-27") == [("p1", 70)]


def test_who_is_hidden_and_excluded_comes_back_when_both_are_over(world: World) -> None:
    board(world)
    submit(world, ("p0", 50))
    moderate(world, "p0", Action.HIDE)
    exclude(world, "p0")
    assert standing(world) == []
    moderate(world, "p0", Action.RESTORE)
    assert standing(world) == []
    exclude(world, "p0", excluded=False)
    assert standing(world) == [("p0", 50)]


def test_another_studio_s_boards_don_t_take_part_in_an_exclusion(world: World) -> None:
    board(world)
    submit(world, ("p0", 50))
    other = World(_game_of_another_studio(), "")
    board(other)
    PlayerIdentity.objects.create(
        studio_id=other.game.studio_id, external_id="p0", player_id=person(world, "p0").id
    )
    submit(other, ("p0", 60))
    exclude(world, "p0")
    assert standing(world) == []
    assert standing(other) == [("p0", 60)]


def _game_of_another_studio() -> Any:
    return accounts.game(factories.game().uuid)


@pytest.mark.parametrize("excluded", [True, False])
def test_a_first_score_on_its_way_while_its_player_is_excluded_is_found(world: World, excluded: bool) -> None:
    board(world)
    world.players(1)
    submit(world, ("p1", 1))
    if not excluded:
        exclude(world, "p0")
    submitted, decided = Event(), Event()

    def first() -> None:
        try:
            with transaction.atomic():
                submit(world, ("p0", 50))
                submitted.set()
                assert decided.wait(LONG_S)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first)
        assert submitted.wait(LONG_S)
        exclude(world, "p0", excluded=excluded)
        decided.set()
        running.result()
    assert standing(world) == ([("p1", 1)] if excluded else [("p0", 50), ("p1", 1)])


@pytest.mark.slow
def test_a_replayed_log_changes_nothing(world: World, valkey: Redis) -> None:
    board(world)
    submit(world, ("p0", 50), ("p1", 40), ("p2", 30), ("p3", 20))
    world.unlock(("p0", "a0"), ("p1", "a0"), ("p1", "a1"))
    world.follow()
    moderate(world, "p0", Action.HIDE)
    moderate(world, "p2", Action.DELETE)
    exclude(world, "p1")
    exclude(world, "p3")
    submit(world, ("p1", 70), ("p0", 80))
    world.unlock(("p1", "a3"))
    exclude(world, "p3", excluded=False)
    world.move(("p1", "EU"), ("p3", "NA"))
    assert standing(world) == [("p3", 20)]
    before, rows = orders(valkey), list(Score.objects.order_by("player_id").values())
    for name in ("achievements", "leaderboards"):
        followers.rewind(name, fact_id=0)
    world.follow()
    assert orders(valkey) == before
    assert list(Score.objects.order_by("player_id").values()) == rows
    assert points(world) == [("p0", 10)]


def test_old_unlocks_put_no_excluded_player_on_a_rebuilt_board(world: World, valkey: Redis) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"))
    world.follow()
    exclude(world, "p0")
    world.follow()
    valkey.flushall()
    follower.check_boards()
    followers.rewind("leaderboards", fact_id=0)
    assert points(world) == [("p1", 10)]


def test_a_reset_board_is_empty_and_takes_new_scores_while_final_standings_stay(
    world: World, valkey: Redis
) -> None:
    board(world, reset="daily", spans=["all"])
    submit(world, ("p0", 50), at=NOON - timedelta(days=1))
    Period.objects.filter(name="2026-11-24").update(state="final")
    submit(world, ("p0", 60), at=NOON)
    old = order(world)
    assert standing(world) == [("p0", 60)]
    assert reset(world) == 2
    info = definitions.fresh_boards(world.game.id)["high-score"]
    assert (info.epoch, info.version) == (2, 2)
    assert periods.named(info, "all") is None
    assert [one.name for one in periods.kept(info, limit=9)] == ["2026-11-24"]
    submit(world, ("p0", 5), ("p1", 7), at=NOON)
    assert standing(world) == standing(world, "2026-11-25") == [("p1", 7), ("p0", 5)]
    assert Score.objects.filter(period__state="discarded").count() == 2
    assert filling.states([old])[old] is State.READY
    assert follower.tidy_boards() == 2
    assert filling.states([old])[old] is State.MISSING
    assert not list(valkey.scan_iter(match=f"*scores:{world.game.id}:{old.period_id}:*"))
    assert standing(world) == [("p1", 7), ("p0", 5)]


def test_a_board_that_is_taken_away_while_boards_are_compared_is_not_missed(
    world: World, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    board(world)
    submit(world, ("p0", 60))
    world.follow()
    reset(world)
    not_ready = comparing.not_ready

    def tidied(boards: Sequence[Board]) -> list[Board]:
        assert follower.tidy_boards()
        return not_ready(boards)

    monkeypatch.setattr(comparing, "not_ready", tidied)
    monkeypatch.setattr(comparing, "LOOK_AGAIN_S", 0.0)
    out = StringIO()
    call_command("rebuild_boards", "--check", stdout=out)
    assert "0 differences" in out.getvalue()


def test_late_facts_of_a_discarded_period_leave_nothing_in_valkey(world: World, valkey: Redis) -> None:
    board(world)
    submit(world, ("p0", 60))
    old = order(world)
    reset(world)
    world.follow()
    assert not list(valkey.scan_iter(match=f"*scores:{world.game.id}:{old.period_id}:*"))


def test_no_score_is_lost_between_two_resets(world: World) -> None:
    board(world, operator="sum")

    def add(number: int) -> int:
        try:
            return sum(isinstance(submit(world, (f"p{number}", 1))[0], Submitted) for _ in range(40))
        finally:
            connection.close()

    def begin_anew() -> None:
        try:
            for _ in range(6):
                reset(world)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        adding = [pool.submit(add, number) for number in range(4)]
        pool.submit(begin_anew).result()
        taken = sum(one.result() for one in adding)
    assert sum(-one.sort_value for one in Score.objects.all()) == taken
    assert taken > 100
    submit(world, ("p9", 1))
    assert ("p9", 1) in standing(world)
    assert Period.objects.exclude(state="discarded").exclude(epoch=7).count() == 0


def test_a_points_board_that_everybody_left_is_checked_all_the_same(world: World, valkey: Redis) -> None:
    world.unlock(("p0", "a0"))
    world.follow()
    exclude(world, "p0")
    followers.drain("achievements")
    valkey.set(f"leaderboards:v1:{{{world.board.name}}}:ready", "another run")  # the last second was lost
    assert len(filling.held(world.board, [person(world, "p0").id])) == 1
    follower.tidy_boards()
    assert filling.held(world.board, [person(world, "p0").id]) == {}
    assert filling.states([world.board])[world.board] is State.READY


@pytest.mark.slow
@pytest.mark.parametrize("tie_break", ["shared", "dense", "earliest"])
def test_a_hidden_player_sees_the_rank_that_he_would_have(world: World, tie_break: str) -> None:
    board(world, tie_break=tie_break)
    world.players(5)
    world.move(("p2", "EU"), ("p3", "EU"))
    submit(world, *((f"p{number}", score) for number, score in enumerate([9, 7, 7, 7, 1])))
    world.follow()
    for number in range(5):
        player = person(world, f"p{number}").id
        for region in (None, "EU"):
            asked = order(world, region=region)
            before = rank(asked, player)
            moderate(world, f"p{number}", Action.HIDE)
            world.follow()
            assert rank(asked, player) is None
            assert own_entry(asked, player) == before
            moderate(world, f"p{number}", Action.RESTORE)
            world.follow()
            assert own_entry(asked, player) is None
            assert rank(asked, player) == before


def test_an_excluded_player_sees_his_points_rank_and_nobody_else_does(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"), ("p2", "a0"), ("p2", "a1"))
    world.follow()
    player = person(world, "p1").id
    before = rank(world.board, player)
    assert own_entry(world.board, player) is None
    exclude(world, "p1")
    world.follow()
    assert rank(world.board, player) is None
    assert own_entry(world.board, player) == before
    assert own_entry(Board(world.game.id, "EU"), player) is None
    assert own_entry(Board(None, None), player) is None
    assert rank(Board(None, None), player) is not None
    assert own_entry(world.board, person(world, "p0").id) is None


def test_a_first_score_on_its_way_while_its_player_moves_comes_to_his_new_region(world: World) -> None:
    row = board(world)
    world.players(1)
    submit(world, ("p1", 1))
    world.follow()
    period = Period.objects.get(leaderboard=row)

    def first() -> None:
        try:
            submit(world, ("p0", 50))
        finally:
            connection.close()

    other = connection.copy()
    other.set_autocommit(False)
    with ThreadPoolExecutor(1) as pool, closing(other), other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, period.pk])
        running = pool.submit(first)
        wait_for_lock(cursor)
        world.move(("p0", "EU"))
        world.follow()
        other.rollback()
        running.result(LONG_S)
    assert standing(world) == [("p0", 50), ("p1", 1)]
    assert standing(world, region="EU") == [("p0", 50)]


def wait_for_lock(cursor: Any) -> None:
    """Wait until somebody waits for an advisory lock."""
    for _ in range(2400):
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        if cursor.fetchone()[0]:
            return
        sleep(0.05)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("tie_break", ["shared", "dense"])
def test_a_board_that_knows_newer_of_a_player_than_postgresql_is_mended(world: World, tie_break: str) -> None:
    row = board(world, tie_break=tie_break)
    submit(world, ("p0", 50), ("p1", 40))
    world.follow()
    kept = Score.objects.get(player_id=person(world, "p0").id)
    moderate(world, "p0", Action.DELETE)
    world.follow()
    # As after a clock that went back, or a server that lost the last second to a failover.
    Score.objects.bulk_create([kept])
    assert Period.objects.get(leaderboard=row).pk == kept.period_id
    rebuilding.verify(order(world))
    assert standing(world) == [("p0", 50), ("p1", 40)]
