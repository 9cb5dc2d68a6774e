"""Two players who both hold something are found to be one person: what he has is whole afterwards, in every room."""

import io
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import IntegrityError, OperationalError
from django.utils import timezone

from accounts import selectors
from accounts.models import Game, JoinedPlayer, Player, Studio
from accounts.selectors import GameInfo
from achievements.models import PlayerGame, PlayerTotal, Progress, Unlock
from achievements.services import recounting, revokes
from core import followers
from core.facts import subscriptions
from core.refusals import Conflict, Refused
from history.services import dashboards, rolling
from leaderboards.models import Period, Score
from leaderboards.services import moderation, turning
from social import befriending
from social.models import Block, FriendRequest, Friendship, InboxCounter, Notification
from stats.models import Playtime, StatValue
from stats.services import resets
from tests import factories
from tests.accounts import joins
from tests.accounts.joins import (
    advance,
    drain,
    join,
    play,
    replay,
    report,
    require_whole,
    rows_of,
    submit,
    unlock,
)
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _anew() -> None:
    joins.begin()


@pytest.fixture
def one() -> Studio:
    return factories.studio()


@pytest.fixture
def other() -> Studio:
    return factories.studio()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


def held(player_id: int) -> set[str]:
    return set(Unlock.objects.filter(player_id=player_id).values_list("achievement__key", flat=True))


def value(player_id: int, key: str) -> int:
    return int(StatValue.objects.get(player_id=player_id, stat__key=key).value)


def hear(when: str) -> None:
    """Let listeners hear of a join: while everything is made anew (`among`), or `first` of all.

    The log's order is that of transactions' first writes: what a game wrote last of who is gone may stand behind it.
    """
    if when == "first":
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_fact SET tx = '3' WHERE tx = (SELECT tx FROM core_fact WHERE kind = 'players_joined')"
            )
    if when == "among":
        for name in list(subscriptions())[::2]:
            followers.drain(name)
        recounting.recount()
        rolling.rebuild()
        call_command("rebuild_boards", stdout=io.StringIO())
    drain()


@pytest.mark.slow
@pytest.mark.parametrize("heard", ["before", "among", "first"])
def test_what_two_played_apart_is_one_person_s(one: Studio, other: Studio, heard: str) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    stays = factories.player(one, "p", region="EU", time_zone="Pacific/Kiritimati")
    leaves = factories.player(other, "x", region="NA", time_zone="Pacific/Pago_Pago")
    for game, player in ((mine, "p"), (theirs, "x")):
        unlock(game, player, "a1")
        advance(game, player, 4)
        report(game, player, total=60, max=7)
        submit(game, player, best=5, last=6, sum=7)
        play(game, player)
    if heard == "before":
        drain()
    person = join(one, "p", other, "x")
    assert (person.id, person.region) == (stays.pk, "EU")
    hear(heard)
    assert rows_of(leaves.pk) == {}
    require_whole()
    assert PlayerTotal.objects.get().points == 20
    assert {row.game_id: row.region for row in PlayerGame.objects.all()} == {mine.id: "EU", theirs.id: "EU"}
    assert Score.objects.filter(player_id=stays.pk, region="EU").count() == 14
    before = joins.census()
    replay()
    assert rows_of(leaves.pk) == {}
    assert joins.census() == before
    require_whole()


@pytest.mark.parametrize("heard", ["before", "among", "first"])
def test_what_both_have_of_one_game_counts_once(one: Studio, other: Studio, heard: str) -> None:
    game = joins.declare(one)
    stays = factories.player(one, "p")
    leaves = factories.player(one, "x", time_zone="Pacific/Kiritimati")
    unlock(game, "x", "a2")
    for player in ("p", "x"):
        unlock(game, player, "a1" if player == "p" else "a3")
        unlock(game, player, "a4")
    unlock(game, "p", "a2")
    advance(game, "p", 3)
    advance(game, "x", 8)
    report(game, "p", total=40, max=50, min=3, last=1)
    report(game, "x", total=45, max=20, min=2, last=9)
    submit(game, "p", best=5, last=6, sum=7)
    submit(game, "x", best=9, last=2, sum=8)
    play(game, "p")
    play(game, "x")
    first = Unlock.objects.get(player_id=leaves.pk, achievement__key="a2").unlocked_at
    if heard == "before":
        drain()
    join(one, "p", one, "x")
    hear(heard)
    assert rows_of(leaves.pk) == {}
    require_whole()
    # Neither had the two that it takes; both together do.
    assert held(stays.pk) == {"a1", "a2", "a3", "a4", "goal"}
    assert PlayerTotal.objects.get().points == 103
    assert Unlock.objects.get(player_id=stays.pk, achievement__key="a2").unlocked_at == first
    assert Progress.objects.get(achievement__key="steps").current == 8
    assert {key: value(stays.pk, key) for key in ("total", "max", "min", "last")} == {
        "total": 85,
        "max": 50,
        "min": 2,
        "last": 9,
    }
    main = Score.objects.filter(player_id=stays.pk, period__span="all")
    scores = {row.period.leaderboard.key: (-row.sort_value, row.attempts) for row in main}
    assert {key: scores[key] for key in ("best", "last", "sum")} == {
        "best": (9, 2),
        "last": (2, 2),
        "sum": (15, 2),
    }
    assert scores["fed"][0] == 85
    assert Playtime.objects.get().sessions == 2
    before = joins.census()
    replay()
    assert rows_of(leaves.pk) == {}
    assert joins.census() == before
    require_whole()


def test_what_both_together_complete_is_unlocked(one: Studio) -> None:
    game = joins.declare(one)
    stays = factories.player(one, "p")
    factories.player(one, "x")
    unlock(game, "p", "a0")
    unlock(game, "x", "a1")
    report(game, "p", total=60)
    report(game, "x", total=60)
    join(one, "p", one, "x")
    assert held(stays.pk) == {"a0", "a1", "both", "hundred"}
    drain()
    require_whole()
    told = [
        (fact["unlocks"][0][0], len(fact["unlocks"])) for fact in joins.facts("achievements_unlocked")[2:]
    ]
    assert {player for player, _ in told} == {stays.pk}


@pytest.mark.parametrize("heard", ["before", "among", "first"])
@pytest.mark.parametrize("aggregation", ["sum", "max", "min", "last"])
def test_boards_that_a_stat_feeds_show_what_it_is(one: Studio, aggregation: str, heard: str) -> None:
    made = factories.game(one)
    factories.stat(made, "fed", aggregation=aggregation, max=80)
    for operator in ("best", "last", "sum"):
        factories.leaderboard(made, operator, operator=operator, stat="fed")
    game = selectors.game(made.uuid)
    assert game is not None
    for player, reported in (("p", 50), ("x", 45)):
        factories.player(one, player)
        report(game, player, op="add" if aggregation == "sum" else "set", fed=reported)
    if heard == "before":
        drain()
    join(one, "p", one, "x")
    hear(heard)
    held = int(StatValue.objects.get().value)
    scores = {row.period.leaderboard.key: -row.sort_value for row in Score.objects.all()}
    assert held == {"sum": 80, "max": 50, "min": 45, "last": 45}[aggregation]
    assert (scores["last"], scores["sum"], scores["best"]) == (held, held, max(50, held))
    before = joins.census()
    replay()
    assert joins.census() == before
    require_whole()
    report(game, "x", op="add" if aggregation == "sum" else "set", fed=-5 if aggregation == "sum" else 44)
    drain()
    assert Score.objects.get(period__leaderboard__key="sum").sort_value == -StatValue.objects.get().value


@pytest.mark.slow
def test_events_that_were_heard_count_no_second_time(one: Studio, other: Studio) -> None:
    game = joins.declare(other)
    factories.player(one, "p")
    factories.player(other, "x")
    unlock(joins.declare(one), "p", "a1")
    server = factories.api(factories.server_key(other))
    bodies: list[tuple[str, Any]] = [
        ("/stats/report", {"game_id": str(game.uuid), "player": "x", "stats": {"total": {"add": 5}}}),
        (f"/leaderboards/{game.uuid}/sum/scores", {"player": "x", "score": 5}),
        (
            "/achievements/progress",
            {"game_id": str(game.uuid), "player": "x", "achievement": "steps", "steps": 3, "op": "add"},
        ),
    ]
    for number, (path, body) in enumerate(bodies):
        body["event_id"] = f"00000000-0000-4000-8000-00000000000{number}"
        assert server.post(path, body).status_code == 202, server.post(path, body).json()
    join(one, "p", other, "x")
    for path, body in bodies:
        answer = server.post(path, body)
        assert answer.status_code in (200, 202), answer.json()
    assert int(StatValue.objects.get(stat__key="total").value) == 5
    assert Progress.objects.get().current == 3
    assert Score.objects.get(period__leaderboard__key="sum", period__span="all").attempts == 1
    drain()
    require_whole()


@pytest.mark.slow
def test_games_that_write_all_the_while_lose_nothing(
    one: Studio, other: Studio, pool: ThreadPoolExecutor
) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    by_id = [(mine, "p"), (mine, "twin"), (theirs, "x")]
    for name in ("p", "twin"):
        factories.player(one, name)
    factories.player(other, "x")
    start = Barrier(8)

    def work(number: int) -> list[Any]:
        chance = random.Random(number)
        came = []
        start.wait()
        try:
            for turn in range(30):
                game, player = chance.choice(by_id)
                came.append(answer(partial(one_of, chance, game, player, turn)))
                if number == 0 and turn % 10 == 3:
                    drain_some()
        finally:
            connection.close()
        return came

    def link(_: int) -> list[Any]:
        start.wait()
        try:
            return [answer(lambda: join(one, "p", other, "x")), answer(lambda: join(one, "p", one, "twin"))]
        finally:
            connection.close()

    came = [pool.submit(link if number == 7 else work, number) for number in range(8)]
    for future in came:
        assert [one for one in future.result() if isinstance(one, Exception)] == []
    drain()
    for gone in JoinedPlayer.objects.all():
        assert rows_of(gone.player_id) == {}
    assert PlayerTotal.objects.get().player_id == Player.objects.get().pk
    require_whole()
    expected = {game.id: total(game) for game in (mine, theirs)}
    sums = {
        row.stat.game_id: int(row.value)
        for row in StatValue.objects.filter(stat__key="total").select_related("stat")
    }
    assert sums == expected
    before = joins.census()
    replay()
    assert joins.census() == before
    require_whole()


def total(game: GameInfo) -> int:
    """Return what was added to a stat, as its reports were told: none is lost, none counted twice."""
    changes = [
        (row[2] - (row[3] or 0))
        for fact in joins.facts("stats_changed")
        if fact["game"] == game.id
        for row in fact["values"]
        if [row[1], "total", "sum"] in fact["stats"]
    ]
    return sum(changes)


def one_of(chance: random.Random, game: GameInfo, player: str, turn: int) -> Any:
    number = chance.randrange(1, 9)
    match chance.randrange(5):
        case 0:
            return unlock(game, player, f"a{number % 6}")
        case 1:
            return advance(game, player, number)
        case 2:
            return report(game, player, total=1, max=number, min=number, last=turn)
        case 3:
            return submit(game, player, best=number, last=number, sum=1)
        case _:
            return play(game, player)


def drain_some() -> None:
    for name in subscriptions():
        followers.step(subscriptions()[name])


def answer(work: Any) -> Any:
    """Return what came of it."""
    try:
        return work()
    except Refused as refused:
        return refused


def test_what_is_final_stays_and_is_shown_as_the_person_s(one: Studio, other: Studio) -> None:
    game = joins.declare(other)
    stays = factories.player(one, "p", display_name="marenok")
    leaves = factories.player(other, "x")
    unlock(joins.declare(one), "p", "a1")
    submit(game, "x", best=5)
    day = Period.objects.get(leaderboard__key="best", span="daily")
    Period.objects.filter(pk=day.pk).update(state="finalising")
    assert turning.finalise(day.pk, now=timezone.now())
    server = factories.api(factories.server_key(other))
    path = f"/leaderboards/{game.uuid}/best"
    file = b"".join(server.get(f"{path}/periods/{day.name}/standings").streaming_content)
    drain()
    assert server.get(f"{path}?period={day.name}").json()["results"][0]["player"]["id"] == str(leaves.uuid)
    join(one, "p", other, "x")
    drain()
    assert rows_of(leaves.pk) == {"leaderboards_score": 1}
    listed = server.get(f"{path}?period={day.name}").json()["results"]
    assert [(row["player"]["id"], row["player"]["external_id"]) for row in listed] == [(str(stays.uuid), "x")]
    assert b"".join(server.get(f"{path}/periods/{day.name}/standings").streaming_content) == file
    assert server.get(path).json()["results"][0]["player"]["display_name"] == "marenok"
    replay()
    assert server.get(f"{path}?period={day.name}").json()["results"] == listed
    require_whole()


def test_a_join_that_dies_at_its_end_changed_nothing(one: Studio, other: Studio) -> None:
    game = joins.declare(other)
    factories.player(one, "p")
    factories.player(other, "x")
    unlock(joins.declare(one), "p", "a1")
    unlock(game, "x", "a1")
    report(game, "x", total=5)
    submit(game, "x", sum=5)
    drain()
    before = joins.census()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditentry ADD CONSTRAINT dies CHECK (action <> 'player.linked')")
    try:
        with pytest.raises(IntegrityError):
            join(one, "p", other, "x")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE core_auditentry DROP CONSTRAINT dies")
    after = joins.census()
    assert {**after, "accounts_linkcode": []} == {**before, "accounts_linkcode": []}
    drain()
    require_whole()
    join(one, "p", other, "x")
    drain()
    require_whole()


def test_friends_are_those_of_both_and_a_block_of_either_holds(one: Studio) -> None:
    at = timezone.now()
    names = ("p", "x", "both", "mine", "theirs", "blocked", "blocker", "asked", "asks", "crossing")
    who = {name: factories.player(one, name).pk for name in names}

    def befriend(name: str, *others: str, since: Any = at) -> None:
        for other in others:
            Friendship.objects.create(player_id=who[name], friend_id=who[other], since=since)
            Friendship.objects.create(player_id=who[other], friend_id=who[name], since=since)

    befriend("p", "both", "mine", "blocked", "blocker", "x")
    befriend("x", "both", "theirs", since=at - timedelta(days=1))
    befriending.block(player_id=who["x"], blocked_id=who["blocked"], at=at)
    befriending.block(player_id=who["blocker"], blocked_id=who["x"], at=at)
    for sender, receiver in (
        ("x", "asked"),
        ("p", "asked"),
        ("asks", "x"),
        ("x", "crossing"),
        ("crossing", "p"),
    ):
        FriendRequest.objects.create(sender_id=who[sender], receiver_id=who[receiver], created_at=at)
    FriendRequest.objects.create(sender_id=who["x"], receiver_id=who["mine"], created_at=at)
    join(one, "p", one, "x")
    assert rows_of(who["x"]) == {}
    friends = dict(Friendship.objects.filter(player_id=who["p"]).values_list("friend_id", "since"))
    assert friends == {
        who["both"]: at - timedelta(days=1),
        who["mine"]: at,
        who["theirs"]: at - timedelta(days=1),
    }
    back = Friendship.objects.filter(friend_id=who["p"]).values_list("player_id", flat=True)
    assert set(back) == set(friends)
    blocks = {(who["p"], who["blocked"]), (who["blocker"], who["p"])}
    assert set(Block.objects.values_list("player_id", "blocked_id")) == blocks
    requests = {(who["p"], who["asked"]), (who["asks"], who["p"]), (who["crossing"], who["p"])}
    assert set(FriendRequest.objects.values_list("sender_id", "receiver_id")) == requests


def test_the_inbox_goes_on_behind_and_is_told_to_the_person(one: Studio, other: Studio) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    stays, leaves = factories.player(one, "p"), factories.player(other, "x")
    unlock(mine, "p", "a1")
    unlock(theirs, "x", "a1")
    advance(theirs, "x", 3)
    drain()
    last = InboxCounter.objects.get(player_id=stays.pk).last_seq
    before = Notification.objects.filter(player_id=stays.pk).count()
    brought = Notification.objects.filter(player_id=leaves.pk).count()
    unlock(theirs, "x", "a2")  # nobody has heard of it when he is gone
    join(one, "p", other, "x")
    moved = Notification.objects.filter(player_id=stays.pk, seq__gt=last)
    assert moved.count() == brought == moved.filter(is_quiet=True).count()
    for _ in range(2):
        drain()
        told = Notification.objects.filter(player_id=stays.pk, kind="achievement.unlocked")
        assert told.count() == 3
        assert InboxCounter.objects.get().player_id == stays.pk
        assert InboxCounter.objects.get().last_seq >= Notification.objects.order_by("-seq")[0].seq
        replay()
    assert Notification.objects.count() >= before + brought
    assert rows_of(leaves.pk) == {}


def test_nobody_is_told_that_he_befriended_himself(one: Studio) -> None:
    at = timezone.now()
    stays, leaves = factories.player(one, "p"), factories.player(one, "x")
    friend = factories.player(one, "friend")
    for sender, receiver in ((leaves, stays), (leaves, friend)):
        befriending.ask(sender_id=sender.pk, receiver_id=receiver.pk, at=at)
        request = FriendRequest.objects.get(receiver_id=receiver.pk).uuid
        befriending.accept(player_id=receiver.pk, request=request, at=at)
    join(one, "p", one, "x")
    drain()
    told = Notification.objects.filter(player_id=stays.pk, kind="friend.accepted")
    assert [json.loads(one.payload)["player"]["id"] for one in told] == [str(friend.uuid)]


def test_sums_that_can_t_be_kept_keep_them_apart(one: Studio) -> None:
    game = joins.declare(one)
    factories.player(one, "p")
    factories.player(one, "x")
    unlock(game, "x", "a1")
    for player in ("p", "x"):
        report(game, player, total=2**53 - 5)
    before = joins.census()
    with pytest.raises(Conflict, match="stat `total`"):
        join(one, "p", one, "x")
    after = joins.census()
    assert {**after, "accounts_linkcode": []} == {**before, "accounts_linkcode": []}


def test_an_exclusion_keeps_what_comes_off_the_boards(one: Studio, other: Studio) -> None:
    game = joins.declare(other)
    stays, leaves = factories.player(one, "p"), factories.player(other, "x")
    unlock(joins.declare(one), "p", "a1")
    unlock(game, "x", "a1")
    submit(game, "x", best=5)
    server = factories.api(factories.server_key(other))
    assert server.put("/players/x/exclusion", {"reason": "Speed hack"}).status_code == 202
    join(one, "p", other, "x")
    drain()
    assert not PlayerGame.objects.get(game_id=game.id).ranked
    assert Score.objects.filter(player_id=stays.pk, excluded_at=None).count() == 0
    assert server.get(f"/leaderboards/{game.uuid}/best").json()["results"] == []
    assert rows_of(leaves.pk) == {}
    assert recounting.recount() == 0
    assert server.delete("/players/x/exclusion", {"reason": "A mistake"}).status_code == 202
    drain()
    assert server.get(f"/leaderboards/{game.uuid}/best").json()["total_count"] == 1
    require_whole()


def test_who_is_joined_twice_is_the_last_one(one: Studio, other: Studio) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    for name in ("p", "q"):
        factories.player(one, name)
        unlock(mine, name, "a1" if name == "p" else "a2")
        report(mine, name, total=5, max=4)
        play(mine, name)
    factories.player(other, "x")
    unlock(theirs, "x", "a3")
    join(one, "q", other, "x")
    join(one, "p", one, "q")
    drain()
    assert Player.objects.count() == 1
    for gone in JoinedPlayer.objects.all():
        assert rows_of(gone.player_id) == {}
    require_whole()
    before = joins.census()
    replay()
    assert joins.census() == before
    require_whole()


def test_messages_that_are_still_to_be_written_name_the_person(one: Studio, other: Studio) -> None:
    game = joins.declare(other)
    stays, leaves = factories.player(one, "p", display_name="marenok"), factories.player(other, "x")
    server = factories.api(factories.server_key(other))
    assert server.post("/webhooks", {"url": "https://hooks.example/laurel"}).status_code == 201
    unlock(joins.declare(one), "p", "a1")
    unlock(game, "x", "a1")
    join(one, "p", other, "x")
    drain()
    told = [json.loads(text) for text in Delivery.objects.order_by("id").values_list("payload", flat=True)]
    # None of what was moved: nobody did it.
    assert [one["type"] for one in told] == ["player.created", "achievement.unlocked"]
    about = told[1]["data"]["player"]
    assert (about["id"], about["external_id"], about["display_name"]) == (str(stays.uuid), "x", "marenok")
    assert str(leaves.uuid) not in str(told)


def test_who_takes_from_one_who_is_just_gone_is_told_so(one: Studio, other: Studio) -> None:
    game = joins.declare(other)
    factories.player(one, "p")
    factories.player(other, "x")
    before = selectors.player_of_studio(other.pk, "x")
    assert before is not None
    unlock(joins.declare(one), "p", "a1")
    unlock(game, "x", "a1")
    report(game, "x", total=5)
    join(one, "p", other, "x")
    at = timezone.now()
    about: dict[str, Any] = {"game": game, "reason": "A mistake", "at": at}
    with pytest.raises(Conflict, match="linked to another"):
        revokes.revoke(player_id=before.id, key="a1", actor="key:test", **about)
    with pytest.raises(Conflict, match="linked to another"):
        resets.reset(player=before, keys=None, by="key:test", **about)
    assert value(PlayerTotal.objects.get().player_id, "total") == 5


@pytest.mark.parametrize("period", ["every", "all"])
def test_who_is_gone_is_not_moderated_for_nothing(one: Studio, period: str) -> None:
    game = joins.declare(one)
    for player, points in (("p", 5), ("x", 9)):
        factories.player(one, player)
        submit(game, player, best=points)
    before = selectors.player_of_studio(one.pk, "x")
    assert before is not None
    hide = partial(
        moderation.moderate,
        game=game,
        key="best",
        player=before,
        action=moderation.Action.HIDE,
        period=period,
        reason="Speed hack",
        actor="key:test",
        at=timezone.now(),
    )
    join(one, "p", one, "x")
    with pytest.raises(Conflict, match="linked to another"):
        hide()


@pytest.mark.slow
def test_a_hide_that_waits_for_a_join_is_to_be_sent_again(one: Studio, pool: ThreadPoolExecutor) -> None:
    game = joins.declare(one)
    for player, points in (("p", 5), ("x", 9)):
        factories.player(one, player)
        submit(game, player, best=points)
    gone = selectors.player_of_studio(one.pk, "x")
    assert gone is not None
    about: dict[str, Any] = {"period": "every", "reason": "Speed hack", "actor": "key:test"}

    def hide() -> Any:
        try:
            hidden = moderation.Action.HIDE
            return answer(
                lambda: moderation.moderate(
                    game=game, key="best", player=gone, action=hidden, at=timezone.now(), **about
                )
            )
        finally:
            connection.close()

    with transaction.atomic():
        join(one, "p", one, "x")
        waiting = pool.submit(hide)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
    assert isinstance(waiting.result(), Conflict)


def test_inboxes_of_who_is_gone_are_not_begun_anew(one: Studio, other: Studio) -> None:
    leaves = factories.player(other, "x")
    factories.player(one, "p")
    unlock(joins.declare(one), "p", "a1")
    unlock(joins.declare(other), "x", "a1")
    join(one, "p", other, "x")
    with pytest.raises(OperationalError, match="joined to another"):
        InboxCounter.objects.create(player_id=leaves.pk, last_seq=1)


def test_what_was_hidden_of_either_stays_hidden(one: Studio) -> None:
    game = joins.declare(one)
    stays = factories.player(one, "p")
    factories.player(one, "x")
    for player, points in (("p", 5), ("x", 4)):
        submit(game, player, best=points)
    server = factories.api(factories.server_key(one))
    path = f"/leaderboards/{game.uuid}/best"
    hide = {"reason": "Speed hack", "period": "every"}
    answer = server.post(f"{path}/players/x/hide", hide)
    assert answer.status_code == 202, answer.json()
    join(one, "p", one, "x")
    drain()
    assert server.get(path).json()["results"] == []
    assert (
        Score.objects.filter(player_id=stays.pk, hidden_at=None, period__leaderboard__key="best").count() == 0
    )
    submit(game, "x", best=6)
    drain()
    assert server.get(path).json()["results"] == []


@pytest.mark.slow
def test_his_dashboard_is_built_anew(one: Studio, other: Studio) -> None:
    stays = factories.player(one, "p")
    factories.player(other, "x")
    mine, theirs = joins.declare(one), joins.declare(other)
    unlock(mine, "p", "a1")
    unlock(theirs, "x", "a2")
    drain()
    device = factories.api(factories.player_token(Game.objects.get(pk=mine.id), stays))
    assert device.get("/players/me/dashboard").json()["totals"]["points"] == 10
    join(one, "p", other, "x")
    drain()
    device.get("/players/me/dashboard")
    dashboards.build_some()
    assert device.get("/players/me/dashboard").json()["totals"]["points"] == 30
