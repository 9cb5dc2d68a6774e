"""Signs of life: what counts as playtime, what is one session, and what is told of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from accounts.models import Player, PlayerIdentity
from core import facts, followers
from core.ids import new_id
from stats.facts import PlaytimeAdded
from stats.models import Playtime
from stats.rules.sessions import ALIVE_US, EVENTS, MERGED_US, Playing, step
from tests import factories
from tests.stats.world import World

MINUTE_US = 60 * 1_000_000
ID = UUID(int=1)
OTHER = UUID(int=2)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    return World.create()


def send(world: World, event: str, player: str = "p-1", **more: Any) -> Any:
    body = {"game_id": str(world.game.uuid), "event": event, **more}
    return world.api().post(f"/players/{player}/sessions", body)


def said(world: World, event: str, ago: timedelta, *, now: datetime | None = None) -> Any:
    answer = send(world, event, at=((now or timezone.now()) - ago).isoformat())
    assert answer.status_code == 202, answer.content
    return answer.json()


def played() -> list[list[int]]:
    told = facts.read_after(0, 0, kinds={PlaytimeAdded.kind})
    return [row for fact in told if fact.kind == PlaytimeAdded.kind for row in fact.payload["played"]]


@pytest.mark.parametrize(
    ("gap", "event", "ended", "session", "counted", "is_over"),
    [
        (MINUTE_US, "ping", False, ID, MINUTE_US, False),
        (ALIVE_US, "ping", False, ID, ALIVE_US, False),
        (ALIVE_US + 1, "ping", False, ID, 0, False),
        (MERGED_US, "start", False, ID, 0, False),
        (MERGED_US + 1, "ping", False, OTHER, 0, False),
        (MINUTE_US, "end", False, ID, MINUTE_US, True),
        (ALIVE_US + 1, "end", False, ID, 0, True),
        (MERGED_US + 1, "end", False, ID, 0, True),
        (MINUTE_US, "start", True, ID, 0, False),
        (MINUTE_US, "end", True, ID, 0, True),
        (-1, "end", False, ID, 0, False),
        (0, "ping", False, ID, 0, False),
    ],
)
def test_what_a_sign_of_life_makes(
    gap: int, event: Any, ended: bool, session: UUID, counted: int, is_over: bool
) -> None:
    before = Playing(ID, 0, 10**12, ended, 0, 5_000, 3)
    made = step(before, event, at_us=10**12 + gap, new_id=OTHER)
    assert (made.after.session_id, made.after.has_ended) == (session, is_over)
    assert made.until_us - made.from_us == counted
    assert made.after.total_ms == 5_000 + counted // 1_000


SIGNS = some.lists(some.tuples(some.sampled_from(EVENTS), some.integers(0, 40 * MINUTE_US)), max_size=30)


@given(SIGNS)
def test_intervals_never_overlap_and_add_up(signs: list[tuple[Any, int]]) -> None:
    known: Playing | None = None
    intervals = []
    for event, at_us in signs:
        made = step(known, event, at_us=at_us, new_id=new_id())
        known = made.after
        intervals.append((made.from_us, made.until_us))
    counted = [one for one in intervals if one[1] > one[0]]
    assert all(first[1] <= second[0] for first, second in pairwise(counted))
    total_ms = sum(until - begin for begin, until in counted) // 1_000
    assert known is None or known.total_ms == total_ms


@given(SIGNS, some.integers(0, 40 * MINUTE_US))
def test_an_end_that_is_said_again_changes_nothing(signs: list[tuple[Any, int]], later_us: int) -> None:
    known: Playing | None = None
    for event, at_us in [*signs, ("end", 40 * MINUTE_US)]:
        known = step(known, event, at_us=at_us, new_id=new_id()).after
    assert known is not None
    again = step(known, "end", at_us=40 * MINUTE_US + later_us, new_id=new_id())
    assert (again.after, again.from_us) == (known, again.until_us)


def test_ends_said_again_and_again_do_not_hold_a_session_open() -> None:
    known = Playing(ID, 0, 10**12, True, 0, 0, 1)
    for minutes in range(1, 11):
        known = step(known, "end", at_us=10**12 + minutes * MINUTE_US, new_id=OTHER).after
    later = step(known, "start", at_us=10**12 + 11 * MINUTE_US, new_id=OTHER)
    assert (later.after.session_id, later.after.sessions) == (OTHER, 2)


def test_time_counts_between_signs_of_life_and_is_told_once(world: World) -> None:
    now = timezone.now()
    first = said(world, "start", timedelta(minutes=5), now=now)
    assert (first["playtime_seconds"], first["status"]) == (0, "ended")  # that was five minutes ago
    assert said(world, "ping", timedelta(minutes=4), now=now)["playtime_seconds"] == pytest.approx(60, abs=1)
    assert said(world, "ping", timedelta(minutes=4, seconds=30), now=now)[
        "playtime_seconds"
    ] == pytest.approx(60, abs=1)
    last = said(world, "end", timedelta(minutes=3), now=now)
    assert last["session_id"] == first["session_id"]
    assert last["total_playtime_seconds"] == pytest.approx(120, abs=1)
    again = said(world, "ping", timedelta(0))  # within ten minutes: it goes on, and the pause doesn't count
    assert (again["session_id"], again["status"]) == (first["session_id"], "playing")
    assert again["total_playtime_seconds"] == last["total_playtime_seconds"]
    told = played()
    assert [round((row[2] - row[1]) / 1e6) for row in told] == [0, 60, 60]
    assert told[-1][3] == Playtime.objects.get().total_ms
    (shown,) = world.api().get("/players/p-1/playtime").json()["results"]
    assert (shown["game_id"], shown["sessions"]) == (str(world.game.uuid), 1)
    assert shown["playtime_seconds"] == last["total_playtime_seconds"]


def test_playtime_becomes_a_trend(world: World) -> None:
    now = timezone.now()
    for minutes in (6, 5, 4, 3):
        said(world, "ping", timedelta(minutes=minutes), now=now)
    followers.follow("history")
    answer = world.api().get("/players/p-1/trends?metric=playtime&window=7d").json()
    assert sum(point["value"] for point in answer["points"]) == pytest.approx(180, abs=1)


def test_a_first_sign_of_life_that_many_send_at_once_is_one_session(world: World) -> None:
    def many(number: int) -> set[str]:
        found = {send(world, "ping", f"p-{turn % 5}").json()["session_id"] for turn in range(10)}
        connections.close_all()
        return found

    with ThreadPoolExecutor(6) as pool:
        ids = set[str]().union(*pool.map(many, range(6)))
    assert len(ids) == 5
    assert Playtime.objects.count() == 5
    for row in Playtime.objects.all():
        told = [one for one in played() if one[0] == row.player_id]
        assert sum(until - begin for _, begin, until, _ in told) // 1_000 == row.total_ms
        assert all(first[2] <= second[1] for first, second in pairwise(told))


def test_an_end_is_answered_alike_each_time(world: World) -> None:
    said(world, "start", timedelta(minutes=1))
    answers = [send(world, "end").json() for _ in range(3)]
    assert answers[1:] == answers[:1] * 2
    assert answers[0]["playtime_seconds"] == pytest.approx(60, abs=5)
    assert len(played()) == 2


def test_a_key_of_one_game_sees_it_however_many_were_played_since(world: World) -> None:
    said(world, "start", timedelta(minutes=1))
    player = Player.objects.get()
    Playtime.objects.bulk_create(
        Playtime(
            player_id=player.pk,
            game=factories.game(world.studio, title=f"Game {number}"),
            studio_id=world.studio.pk,
            session_id=new_id(),
            **dict.fromkeys(("first_at", "started_at", "seen_at"), timezone.now()),
            **dict.fromkeys(("session_ms", "total_ms"), 0),
            has_ended=False,
            sessions=1,
        )
        for number in range(200)
    )
    mine = factories.api(factories.server_key(world.studio, game=world.game))
    results = mine.get("/players/p-1/playtime").json()["results"]
    assert [one["game_id"] for one in results] == [str(world.game.uuid)]
    first = world.api().get("/players/p-1/playtime?limit=150").json()
    second = world.api().get(f"/players/p-1/playtime?cursor={first['next_cursor']}").json()
    ids = [one["game_id"] for one in first["results"] + second["results"]]
    assert (len(ids), len(set(ids)), ids[-1]) == (201, 201, str(world.game.uuid))
    assert (first["has_next_page"], second["has_next_page"], second["next_cursor"]) == (True, False, None)
    assert world.api().get("/players/p-1/playtime?cursor=forged").status_code == 400


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"event": "pause"}, 422),
        ({"event": None}, 422),
        ({"event": []}, 422),
        ({"at": "yesterday"}, 422),
        ({"at": "1979-12-31T23:59:59Z"}, 422),
        ({"at": "2999-01-01T00:00:00Z"}, 422),
        ({"game_id": "x"}, 404),
        ({"game_id": str(UUID(int=7))}, 404),
        ({"session_id": str(UUID(int=7))}, 400),
    ],
)
def test_bad_input_changes_nothing(world: World, more: dict[str, Any], status: int) -> None:
    answer = send(world, "ping", **more) if "event" not in more else send(world, **more)
    assert answer.status_code == status, answer.content
    assert not Player.objects.exists()
    assert not Playtime.objects.exists()


def test_a_device_s_clock_begins_nothing_earlier_and_plays_no_longer(world: World) -> None:
    before = timezone.now()
    mine = factories.api(factories.player_token(world.game, factories.player(world.studio)))
    for minute in range(3):
        at = f"1980-01-01T00:0{minute}:00Z"
        answer = mine.post("/players/me/sessions", {"event": "ping", "at": at})
        assert answer.status_code == 202
    [playtime] = Playtime.objects.all()
    assert playtime.first_at >= before - timedelta(seconds=1)
    assert answer.json()["playtime_seconds"] < 180


def test_who_may_say_so(world: World) -> None:
    said(world, "start", timedelta(0))
    player = Player.objects.get()
    mine = factories.api(factories.player_token(world.game, player))
    assert mine.post("/players/me/sessions", {"event": "ping"}).status_code == 202
    assert len(mine.get("/players/me/playtime").json()["results"]) == 1
    reader = factories.api(factories.server_key(world.studio, scopes=["players:read"]))
    assert (
        reader.post("/players/p-1/sessions", {"game_id": str(world.game.uuid), "event": "ping"}).status_code
        == 403
    )
    stranger = factories.api(factories.server_key(factories.studio("Other")))
    asked = {"game_id": str(world.game.uuid), "event": "ping"}
    assert stranger.post("/players/p-1/sessions", asked).status_code == 404
    stranger.put("/players/p-1", {})
    nothing: dict[str, Any] = {"results": [], "next_cursor": None, "has_next_page": False}
    assert stranger.get("/players/p-1/playtime").json() == nothing
    PlayerIdentity.objects.filter(studio=world.studio).update(banned_at=timezone.now())
    assert send(world, "ping").status_code == 403
    player.erased_at = timezone.now()
    player.save()
    assert send(world, "ping").status_code == 410
