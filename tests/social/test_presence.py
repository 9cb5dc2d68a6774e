"""Friends see who is there and what he plays; nobody else does, and a dead process is believed for five minutes."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar, cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Studio
from social import befriending, presence
from social.live.attendance import ROUND_S, Attendance
from social.live.database import Away
from social.live.limits import Limits
from social.models import Presence
from stats.services import sessions
from tests import factories
from tests.patience import LONG_S
from tests.social.clients import stream
from tests.social.conftest import Live, LiveServer
from tests.social.world import World

P = ParamSpec("P")
T = TypeVar("T")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE, THERE = 11, 2**62 - 1
MINUTE = timedelta(minutes=1)


def befriend(world: World, one: str, other: str) -> None:
    one_id, other_id = world.player(one).id, world.player(other).id
    asked = befriending.ask(sender_id=one_id, receiver_id=other_id, at=timezone.now())
    befriending.accept(player_id=other_id, request=asked.uuid, at=timezone.now())


def seen_by(world: World, name: str) -> list[dict[str, Any]]:
    """Return what a player sees of his friends."""
    rows = factories.api(world.token(name)).get("/players/me/friends").json()["results"]
    return [row["presence"] for row in rows]


def is_online(world: World, name: str, *, at: datetime) -> bool:
    player_id = world.player(name).id
    return presence.presences([player_id], at=at)[player_id].is_online


def noted(world: World, name: str) -> Presence:
    """Return what is noted of a player; a `live` process may still note who left it in another test."""
    return Presence.objects.get(player_id=world.player(name).id)


def attend(world: World, name: str, is_here: bool, *, place: int = HERE, at: datetime = NOW) -> None:
    presence.attend({world.player(name).id: is_here}, place=place, at=at)


def soon(says: Callable[[], bool]) -> bool:
    until = time.monotonic() + LONG_S
    while not says():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def play(world: World, name: str, event: Any, *, told: datetime | None = None) -> None:
    sessions.heard_of(game=world.game, player=name, event=event, at=timezone.now(), told=told)


def _is_noted_anew(world: World, live: LiveServer, visitor: str) -> bool:
    """Say whether something is written of ben while somebody else comes."""
    before = noted(world, "ben").seen_at
    with stream(live.events, world.token(visitor)) as _visitor:
        assert soon(lambda: is_online(world, visitor, at=timezone.now()))
    return noted(world, "ben").seen_at != before


@pytest.mark.slow
def test_a_friend_is_online_as_long_as_one_of_his_connections_is_open(world: World, live: LiveServer) -> None:
    befriend(world, "anna", "ben")
    assert seen_by(world, "anna") == [{"online": False, "last_seen_at": None, "game": None}]
    token = world.token("ben")
    with stream(live.events, token) as _one:
        with stream(live.events, token) as _other:
            assert soon(lambda: seen_by(world, "anna")[0]["online"])
        # Nothing changed, nothing is written; once it may be his turn in the round of all who are here.
        assert not all(_is_noted_anew(world, live, visitor) for visitor in ("carl", "dora"))
        assert seen_by(world, "anna")[0]["online"]
    assert soon(lambda: not seen_by(world, "anna")[0]["online"])
    assert seen_by(world, "anna")[0]["last_seen_at"] is not None
    assert noted(world, "ben").places == []


@pytest.mark.slow
def test_a_killed_process_is_believed_for_five_minutes_and_one_that_stops_says_so(
    world: World, start_live: Live
) -> None:
    dying = start_live()
    with stream(dying.events, world.token("ben")) as _ben:
        assert soon(lambda: is_online(world, "ben", at=timezone.now()))
        dying.kill()
    time.sleep(0.2)
    now = timezone.now()
    assert is_online(world, "ben", at=now)
    assert not is_online(world, "ben", at=now + 5 * MINUTE)
    stopping = start_live()
    with stream(stopping.events, world.token("dora")) as _dora:
        assert soon(lambda: is_online(world, "dora", at=timezone.now()))
        stopping.stop()
        assert soon(lambda: not is_online(world, "dora", at=timezone.now()))


def test_who_leaves_one_of_two_processes_is_still_there(world: World) -> None:
    attend(world, "anna", True, place=HERE)
    attend(world, "anna", True, place=THERE)
    attend(world, "anna", False, place=THERE)
    assert is_online(world, "anna", at=NOW)
    attend(world, "anna", True, place=HERE)  # said twice
    attend(world, "anna", False, place=HERE)
    attend(world, "anna", False, place=HERE)
    assert not is_online(world, "anna", at=NOW)
    assert noted(world, "anna").places == []


def test_what_a_killed_process_left_behind_ends_once_nobody_was_seen_for_five_minutes(world: World) -> None:
    attend(world, "anna", True, place=HERE)
    later = NOW + 6 * MINUTE
    attend(world, "anna", True, place=THERE, at=later)
    attend(world, "anna", False, place=THERE, at=later)
    assert not is_online(world, "anna", at=later)
    presence.note_play({world.player("anna").id: 0}, before=later)
    assert noted(world, "anna").seen_at == later  # an older sign of life takes nothing back


def test_who_came_and_left_within_a_moment_was_seen(world: World) -> None:
    attend(world, "anna", False)
    found = presence.presences([world.player("anna").id], at=NOW)[world.player("anna").id]
    assert (found.is_online, found.last_seen_at) == (False, NOW)


@pytest.mark.slow
def test_friends_see_which_game_is_played_until_its_session_ends(world: World) -> None:
    befriend(world, "anna", "ben")
    play(world, "ben", "start")
    (seen,) = seen_by(world, "anna")
    assert seen["online"]
    assert seen["game"] == {"game_id": str(world.game.uuid), "title": world.game.title}
    play(world, "ben", "end")
    (seen,) = seen_by(world, "anna")
    assert (seen["online"], seen["game"]) == (False, None)
    assert seen["last_seen_at"] is not None


def test_a_game_that_says_nothing_more_is_over(world: World) -> None:
    befriend(world, "anna", "ben")
    play(world, "ben", "start", told=timezone.now() - 3 * MINUTE)
    (seen,) = seen_by(world, "anna")
    assert (seen["online"], seen["game"]) == (False, None)


@pytest.mark.slow
def test_a_studios_server_sees_its_own_games_only(world: World) -> None:
    befriend(world, "anna", "ben")
    other = World.create("Elsewhere")
    play(world, "ben", "start")
    mine = factories.server_key(Studio.objects.get(pk=world.game.studio_id))
    (row,) = factories.api(mine).get("/players/anna/friends").json()["results"]
    assert row["presence"]["game"]["title"] == world.game.title
    accounts.create_players(studio_id=other.game.studio_id, external_ids=["x"])
    with connection.cursor() as cursor:  # another studio's game is what he plays now
        cursor.execute(
            "UPDATE stats_playtime SET game_id = %s, studio_id = %s", [other.game.id, other.game.studio_id]
        )
    (row,) = factories.api(mine).get("/players/anna/friends").json()["results"]
    assert (row["presence"]["online"], row["presence"]["game"]) == (True, None)
    (seen,) = seen_by(world, "anna")
    assert seen["game"]["title"] == "Elsewhere"


@pytest.mark.slow
def test_of_who_is_private_or_erased_nothing_is_seen(world: World) -> None:
    befriend(world, "anna", "ben")
    play(world, "ben", "start")
    attend(world, "ben", True, at=timezone.now())
    accounts.update_player(
        studio_id=world.game.studio_id, external_id="ben", changes={"visibility": "private"}
    )
    assert seen_by(world, "anna") == [{"online": False, "last_seen_at": None, "game": None}]
    accounts.update_player(
        studio_id=world.game.studio_id, external_id="ben", changes={"visibility": "friends"}
    )
    assert seen_by(world, "anna")[0]["online"]


@pytest.mark.slow
def test_many_friends_take_as_many_queries_as_one(world: World) -> None:
    def queries() -> int:
        token = world.token("anna")
        api = factories.api(token)
        with CaptureQueriesContext(connection) as captured:
            api.get("/players/me/friends")
        return len(captured)

    befriend(world, "anna", "ben")
    play(world, "ben", "start")
    one = queries()
    for n in range(5):
        befriend(world, "anna", f"p{n}")
        play(world, f"p{n}", "start")
    assert queries() == one


class Notebook:
    """Takes down what an attendance notes; now and then it is away, or hangs."""

    def __init__(self) -> None:
        self.noted: list[dict[int, bool]] = []
        self.is_away = False
        self.hangs = False

    async def __call__(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.is_away:
            raise Away("away")
        if self.hangs:
            await asyncio.Event().wait()
        self.noted.append(cast("dict[int, bool]", args[0]))
        return cast("T", None)


def test_everybody_has_his_turn_once_a_round_and_nobody_twice() -> None:
    notebook, players = Notebook(), dict.fromkeys(range(1000))
    attendance = Attendance(ask=notebook, players=players.keys(), limits=Limits())
    turns: list[int] = []
    for _ in range(int(ROUND_S) + 2):
        turns += attendance._whose_turn_it_is()
    assert set(turns) == set(players)
    assert len(turns) <= 1010
    for player in range(1, 1000):
        del players[player]
    turns = [player for _ in range(int(ROUND_S) * 2) for player in attendance._whose_turn_it_is()]
    assert 1 <= len(turns) <= 2
    assert set(turns) == {0}


def test_what_could_not_be_noted_waits() -> None:
    notebook, players = Notebook(), {1: None}
    attendance = Attendance(ask=notebook, players=players.keys(), limits=Limits())
    attendance.moved(1)
    attendance.moved(2)
    notebook.is_away = True
    asyncio.run(attendance.note())
    players.clear()
    notebook.is_away = False
    asyncio.run(attendance.note())
    asyncio.run(attendance.note())
    assert notebook.noted == [{1: False, 2: False}]


def test_who_is_told_to_end_while_he_notes_forgets_nobody() -> None:
    notebook = Notebook()
    attendance = Attendance(ask=notebook, players={}.keys(), limits=Limits())
    attendance.moved(1)

    async def end() -> None:
        notebook.hangs = True
        noting = asyncio.create_task(attendance.note())
        await asyncio.sleep(0)
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)
        notebook.hangs = False
        await attendance.note()

    asyncio.run(end())
    assert notebook.noted == [{1: False}]
