"""Boards are looked at every few minutes while they change, and players see how far they rose."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from redis import Redis

from accounts.models import Game, Player
from leaderboards import keys
from leaderboards.models import Period, PeriodState, RankSample, Snapshot
from leaderboards.selectors import definitions, history
from leaderboards.selectors import periods as known_periods
from leaderboards.services import snapshots
from tests import factories
from tests.leaderboards.world import World
from tests.plans import plan_of

NOW = timezone.now().replace(minute=2, second=0, microsecond=0)


@pytest.fixture
def game(world: World) -> Game:
    return Game.objects.get(pk=world.game.id)


def submit(world: World, *rows: tuple[str, Any], key: str = "high-score") -> None:
    scores = [{"player": player, "score": score} for player, score in rows]
    answer = world.api().post(f"/leaderboards/{world.game.uuid}/{key}/scores/batch", {"scores": scores})
    assert answer.json()["rejected"] == 0
    world.follow()


def address(game: Game, rest: str = "") -> str:
    return f"/leaderboards/{game.uuid}/high-score{rest}"


def test_a_board_that_changed_is_kept_once_in_a_while(world: World, game: Game) -> None:
    factories.leaderboard(game, decimals=1)
    submit(world, ("a", 5), ("b", 7.5))
    assert snapshots.take_snapshots(now=NOW) == 1
    assert snapshots.take_snapshots(now=NOW + timedelta(minutes=5)) == 0
    submit(world, ("a", 9))
    assert snapshots.take_snapshots(now=NOW + timedelta(minutes=10)) == 1
    listed = world.api().get(address(game, "/snapshots")).json()["results"]
    assert [one["players"] for one in listed] == [2, 2]
    assert listed[0]["taken_at"] > listed[1]["taken_at"]
    first = world.api().get(address(game, f"/snapshots/{listed[1]['id']}")).json()
    assert [(row["rank"], row["player"]["external_id"], row["score"]) for row in first["results"]] == [
        (1, "b", 7.5),
        (2, "a", 5.0),
    ]


def test_two_who_take_it_at_once_keep_one(world: World, game: Game) -> None:
    board = factories.leaderboard(game)
    submit(world, ("a", 5))
    order = definitions.info_of(board).order(Period.objects.get().pk)
    assert [snapshots.take(order, now=NOW), snapshots.take(order, now=NOW)] == [True, False]
    assert Snapshot.objects.count() == 1


def test_points_are_kept_too_but_not_regions_and_other_spans(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily", spans=["all"])
    world.players(1)
    world.move(("p0", "EU"))
    world.unlock(("p0", "a0"))
    submit(world, ("p0", 5))
    assert snapshots.take_snapshots(now=NOW) == 2
    points = world.api().get(f"/leaderboards/{game.uuid}/points/snapshots").json()["results"]
    assert [one["period"] for one in points] == ["all"]
    own = world.api().get(address(game, "/snapshots")).json()["results"]
    assert [one["period"] for one in own] == [f"{timezone.now():%Y-%m-%d}"]


def test_pages_and_ranks_tell_how_far_players_rose(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 5), ("b", 7), ("c", 9))
    snapshots.take_snapshots(now=NOW - timedelta(days=1, minutes=2))
    submit(world, ("a", 8), ("d", 6))
    rows = world.api().get(address(game)).json()["results"]
    assert [(row["player"]["external_id"], row["rank"], row["rank_delta"]) for row in rows] == [
        ("c", 1, 0),
        ("a", 2, 1),
        ("b", 3, -1),
        ("d", 4, None),
    ]
    assert world.api().get(address(game, "/players/a")).json()["rank_delta"] == 1
    assert world.api().get(address(game, "/players/d")).json()["rank_delta"] is None


def test_nothing_is_compared_with_what_was_a_minute_ago(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 5))
    snapshots.take_snapshots(now=timezone.now() - timedelta(minutes=1))
    assert world.api().get(address(game, "/players/a")).json()["rank_delta"] is None


def test_who_is_asked_for_has_a_history(world: World, game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "FIRST_PLACES", 1)
    factories.leaderboard(game)
    submit(world, ("a", 5), ("b", 7))
    api = world.api()
    assert api.get(address(game, "/players/a/history")).json() == {"window": "7d", "points": []}
    day = timedelta(days=1, minutes=2)
    snapshots.take_snapshots(now=timezone.now() - day)
    submit(world, ("a", 9))
    assert api.get(address(game, "/players/a")).json()["rank_delta"] == 1
    snapshots.take_snapshots(now=timezone.now())
    points = api.get(address(game, "/players/a/history?window=30d")).json()["points"]
    assert [(point["rank"], point["score"]) for point in points] == [(2, 5), (1, 9)]
    assert RankSample.objects.count() == 2
    assert api.get(address(game, "/players/a/history?window=2d")).status_code == 400
    assert api.get(address(game, "/players/nobody/history")).status_code == 404


def test_without_valkey_ranks_are_told_all_the_same(world: World, game: Game, valkey: Redis) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 5))
    valkey.flushall()
    assert world.api().get(address(game, "/players/a")).json()["rank"] == 1
    assert snapshots.take_snapshots(now=NOW) == 0


def test_old_snapshots_are_thinned_out(world: World, game: Game) -> None:
    base = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
    ages = {
        "minutes": [timedelta(minutes=5 * n) for n in range(24)],
        "days": [timedelta(days=3, minutes=5 * n) for n in range(24)],
        "weeks": [timedelta(days=20, hours=n) for n in range(48)],
        "years": [timedelta(days=401)],
    }
    for listed in ages.values():
        for age in listed:
            at = base - age
            Snapshot.objects.create(
                board="b", window=int(at.timestamp()) // 300, taken_at=at, players=1, period="all", top="[]"
            )
    snapshots.thin(now=base)
    left = [row.taken_at for row in Snapshot.objects.order_by("taken_at")]
    by_age = {name: sum(base - at in listed for at in left) for name, listed in ages.items()}
    assert by_age == {"minutes": 24, "days": 3, "weeks": 3, "years": 0}


def test_the_newest_of_an_hour_and_of_a_day_stays_whenever_it_was(world: World) -> None:
    base = datetime(2026, 11, 25, tzinfo=UTC)
    hour, day = base - timedelta(days=3, hours=-14), base - timedelta(days=20)
    kept = [day + timedelta(hours=20, minutes=2), hour + timedelta(minutes=32)]
    gone = [day + timedelta(hours=9), hour + timedelta(minutes=7)]
    for at in kept + gone:
        Snapshot.objects.create(
            board="b", window=int(at.timestamp()) // 300, taken_at=at, players=1, period="all", top="[]"
        )
        for player in (1, 2):
            RankSample.objects.create(board="b", player_id=player, taken_at=at, rank=1, sort_value=1)
    assert snapshots.thin(now=base) == 6
    assert snapshots.thin(now=base) == 0
    assert [row.taken_at for row in Snapshot.objects.order_by("taken_at")] == kept
    assert RankSample.objects.filter(player_id=2).count() == 2


@pytest.mark.parametrize(
    ("table", "index"),
    [("leaderboards_snapshot", "snapshots_in_time"), ("leaderboards_ranksample", "rank_samples_in_time")],
)
def test_old_ones_are_found_by_their_time(world: World, table: str, index: str) -> None:
    thin = snapshots._THIN.format(table=table, series=snapshots._KEPT_IN[table])
    assert index in plan_of(thin, [NOW - timedelta(days=1), NOW, NOW, 2_000])
    assert index in plan_of(snapshots._FORGET.format(table=table), [NOW, 2_000])


def test_who_was_asked_for_is_forgotten_in_a_week(world: World, game: Game, valkey: Redis) -> None:
    board = factories.leaderboard(game)
    submit(world, ("a", 5))
    order = definitions.info_of(board).order(Period.objects.get().pk)
    assert world.api().get(address(game, "/players/a")).status_code == 200
    assert valkey.zcard(keys.watched(order)) == 1
    assert history.WATCHED_FOR_S - 60 < valkey.ttl(keys.watched(order)) <= history.WATCHED_FOR_S


def test_nobody_is_noted_where_no_ranks_are_kept(world: World, game: Game, valkey: Redis) -> None:
    factories.leaderboard(game, reset="daily", spans=["all"])
    world.players(1)
    world.move(("p0", "EU"))
    world.unlock(("p0", "a0"))
    submit(world, ("p0", 5))
    api = world.api()
    points = f"/leaderboards/{game.uuid}/points"
    for path in (
        address(game, "/players/p0?span=all"),
        address(game, "/players/p0?region=EU"),
        f"{points}/players/p0?region=EU",
        "/leaderboards/global/points/players/p0",
        "/leaderboards/global/points/players/p0/history",
    ):
        assert api.get(path).status_code == 200, path
    assert valkey.keys("*:watched") == []
    Period.objects.update(state=PeriodState.FINAL)
    known_periods.forget()
    for rest in ("", "/history"):
        assert api.get(address(game, f"/players/p0{rest}")).status_code == 200
    assert valkey.keys("*:watched") == []
    assert api.get(f"{points}/players/p0").status_code == 200
    assert valkey.keys("*:watched") == [keys.watched(world.board).encode()]


def test_a_change_soon_after_a_snapshot_is_in_the_next(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 5))
    assert snapshots.take_snapshots(now=NOW) == 1
    submit(world, ("a", 9))
    assert snapshots.take_snapshots(now=NOW + timedelta(seconds=60)) == 0
    assert snapshots.take_snapshots(now=NOW + timedelta(minutes=5)) == 1
    assert snapshots.take_snapshots(now=NOW + timedelta(minutes=10)) == 0


def test_a_database_that_does_not_answer_loses_no_change(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 5))
    other = connection.copy()
    other.set_autocommit(False)
    with closing(other), other.cursor() as locking:
        locking.execute("LOCK TABLE leaderboards_snapshot IN ACCESS EXCLUSIVE MODE")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(OperationalError):
                snapshots.take_snapshots(now=NOW)
            transaction.set_rollback(True)
    assert snapshots.take_snapshots(now=NOW) == 1


def test_whom_a_board_does_not_show_is_not_shown_as_he_stood_before(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 9), ("b", 7))
    api, public = world.api(), factories.api()
    rows = api.get(address(game)).json()["results"]
    by_uuid = {row["player"]["external_id"]: f"id:{row['player']['id']}" for row in rows}
    assert api.get(address(game, "/players/a/history")).status_code == 200
    snapshots.take_snapshots(now=NOW)
    (kept,) = api.get(address(game, "/snapshots")).json()["results"]
    addresses = (
        address(game, f"/snapshots/{kept['id']}"),
        address(game, f"/players/{by_uuid['a']}/history?window=90d"),
    )

    def seen(caller: factories.Api) -> tuple[list[int], int]:
        snapshot, points = (caller.get(one).json() for one in addresses)
        return [row["rank"] for row in snapshot["results"]], len(points["points"])

    assert seen(public) == ([1, 2], 1)
    api.post(address(game, "/players/a/hide"), {"reason": "A bot."})
    world.follow()
    assert seen(public) == ([2], 0)
    assert seen(api) == ([2], 0)
    player = Player.objects.get(identities__external_id="a")
    himself = factories.api(factories.player_token(game, player))
    assert seen(himself) == ([1, 2], 1)
    api.post(address(game, "/players/a/restore"), {"reason": "No bot."})
    world.follow()
    assert seen(public) == ([1, 2], 1)


def test_what_cannot_be_asked_is_refused(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 5))
    snapshots.take_snapshots(now=NOW)
    api = world.api()
    (kept,) = api.get(address(game, "/snapshots")).json()["results"]
    assert api.get(address(game, f"/snapshots?from={kept['taken_at']}")).json()["results"] == [kept]
    assert api.get(address(game, f"/snapshots?to={kept['taken_at']}")).json()["results"] == []
    for query in ("from=yesterday", "to=1", "limit=0", "cursor=x.y", "since=1"):
        assert api.get(address(game, f"/snapshots?{query}")).status_code == 400
    assert api.get(address(game, "/snapshots/seven")).status_code == 404
    factories.leaderboard(game, "other")
    assert api.get(f"/leaderboards/{game.uuid}/other/snapshots/{kept['id']}").status_code == 404
    stranger = factories.api(factories.server_key(factories.studio()))
    for rest in ("/snapshots", f"/snapshots/{kept['id']}", "/players/a/history"):
        assert stranger.get(address(game, rest)).status_code == 404
    public = factories.api().get(address(game, f"/snapshots/{kept['id']}")).json()
    assert "external_id" not in public["results"][0]["player"]
    assert history.snapshots([], limit=5) == []
