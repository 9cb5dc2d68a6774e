"""Link codes while others redeem them, and while games write for who is about to be gone."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import guesses, linking, selectors
from accounts import services as accounts
from accounts.models import Game, Player, PlayerIdentity, Studio
from accounts.selectors import GameInfo, PlayerInfo
from achievements.services import progress, unlocks
from achievements.services.progress import ProgressRequest
from achievements.services.unlocks import UnlockRequest
from core import followers
from core.facts import subscriptions
from core.models import DeadLetter
from core.refusals import Conflict, Forbidden, Invalid, Refused
from leaderboards.services import scores
from leaderboards.services.scores import ScoreRequest
from social import befriending
from stats.services import reports, sessions
from stats.services.reports import ReportRequest
from tests import factories
from tests.patience import LONG_S

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8
# Every table with rows of players in it, and what it calls them.
HELD = {
    "achievements_unlock": "player_id",
    "achievements_playergame": "player_id",
    "achievements_playertotal": "player_id",
    "achievements_progress": "player_id",
    "stats_statvalue": "player_id",
    "stats_playtime": "player_id",
    "leaderboards_score": "player_id",
    "social_friendship": "player_id",
    "social_friendrequest": "receiver_id",
    "social_block": "blocked_id",
    "accounts_playeridentity": "player_id",
}


@pytest.fixture
def one() -> Studio:
    return factories.studio()


@pytest.fixture
def other() -> Studio:
    return factories.studio()


@pytest.fixture
def game(other: Studio) -> GameInfo:
    made = factories.game(other)
    factories.achievement(made)
    factories.achievement(made, "steps", type="incremental", target=10)
    factories.stat(made, aggregation="max")
    factories.leaderboard(made)
    info = selectors.game(made.uuid)
    assert info is not None
    return info


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


def code_of(studio: Studio, player: str) -> str:
    info = selectors.player_of_studio(studio.pk, player)
    assert info is not None
    return linking.issue_code(player=info, studio_id=studio.pk, by="key:test", at=timezone.now())[0]


def redeem(studio: Studio, player: str, code: str) -> PlayerInfo:
    return linking.redeem(
        studio_id=studio.pk, external_id=player, code=code, by="key:test", at=timezone.now()
    )


def answer(work: Callable[[], Any]) -> Any:
    """Return what came of it, on a connection that is given back."""
    try:
        return work()
    except Refused as refused:
        return refused
    finally:
        connection.close()


def named(studio: Studio, player: str) -> int:
    return PlayerIdentity.objects.get(studio=studio, external_id=player).player_id


def rows_of(player_id: int) -> dict[str, int]:
    """Return how many rows name a player, by table; without those where none does."""
    counted = {}
    with connection.cursor() as cursor:
        for table, column in HELD.items():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [player_id])
            counted[table] = cursor.fetchone()[0]
    return {table: count for table, count in counted.items() if count}


def unlock(game: GameInfo) -> Any:
    return unlocks.unlock(
        game=game, request=UnlockRequest("a", "first-blood"), by=unlocks.SERVER, at=timezone.now()
    )


def advance(game: GameInfo) -> Any:
    return progress.report(
        game=game,
        request=ProgressRequest("a", "steps", 3, adds=False),
        by=unlocks.SERVER,
        at=timezone.now(),
    )


def report(game: GameInfo) -> Any:
    request = ReportRequest(game, "a", {"kills": ("set", Decimal(1))}, None)
    return reports.report(request=request, by=reports.SERVER, at=timezone.now())


def play(game: GameInfo) -> Any:
    return sessions.heard_of(game=game, player="a", event="start", at=timezone.now())


def score(game: GameInfo) -> Any:
    return scores.submit(
        game=game,
        key="high-score",
        request=ScoreRequest("a", Decimal(5)),
        by=scores.SERVER,
        at=timezone.now(),
    )


WRITES = [unlock, advance, report, play, score]


def wait_for_locks(count: int) -> None:
    """Wait until so many others wait for a lock."""
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.005)
    raise AssertionError("nobody waits")


@pytest.mark.slow
def test_of_two_who_redeem_one_code_at_once_one_wins(one: Studio, pool: ThreadPoolExecutor) -> None:
    factories.player(one)
    rivals = [factories.studio() for _ in range(4)]
    for number in range(ROUNDS):
        code, start = code_of(one, "p-1"), Barrier(len(rivals))

        def run(rival: Studio, code: str = code, start: Barrier = start, name: str = f"x{number}") -> Any:
            start.wait()
            return answer(lambda: redeem(rival, name, code))

        came = list(pool.map(run, rivals))
        assert [type(one) for one in came if not isinstance(one, PlayerInfo)] == [linking.WrongCode] * 3
        assert PlayerIdentity.objects.filter(external_id=f"x{number}").count() == 1


@pytest.mark.slow
def test_codes_that_cross_leave_one_person(one: Studio, other: Studio, pool: ThreadPoolExecutor) -> None:
    for number in range(ROUNDS):
        name = f"p{number}"
        factories.player(one, name)
        factories.player(other, name)
        codes, start = {one.pk: code_of(other, name), other.pk: code_of(one, name)}, Barrier(2)

        def run(
            studio: Studio, name: str = name, codes: dict[int, str] = codes, start: Barrier = start
        ) -> Any:
            start.wait()
            return answer(lambda: redeem(studio, name, codes[studio.pk]))

        came = list(pool.map(run, [one, other]))
        assert any(isinstance(one, PlayerInfo) for one in came)
        assert named(one, name) == named(other, name)
    assert Player.objects.count() == ROUNDS


@pytest.mark.parametrize("write", WRITES)
def test_what_is_being_written_goes_over(
    one: Studio, other: Studio, game: GameInfo, pool: ThreadPoolExecutor, write: Callable[[GameInfo], Any]
) -> None:
    person = factories.player(one)
    unlock_somewhere(one, "p-1")
    held = factories.player(other, "a")
    code = code_of(one, "p-1")
    with transaction.atomic():
        write(game)
        came: Future[Any] = pool.submit(answer, lambda: redeem(other, "a", code))
        wait_for_locks(1)
    assert isinstance(came.result(), PlayerInfo), came.result()
    assert named(other, "a") == person.pk
    assert rows_of(held.pk) == {}
    assert set(rows_of(person.pk)) > {"accounts_playeridentity"}


@pytest.mark.parametrize("write", WRITES)
def test_what_is_written_while_he_leaves_is_the_person_s(
    one: Studio, other: Studio, game: GameInfo, pool: ThreadPoolExecutor, write: Callable[[GameInfo], Any]
) -> None:
    person, leaves = factories.player(one), factories.player(other, "a")
    code = code_of(one, "p-1")
    with transaction.atomic(), connection.cursor() as cursor:
        # Who links stops before he notes it: the ids are moved and the player is gone, uncommitted.
        cursor.execute("LOCK TABLE core_auditentry IN EXCLUSIVE MODE")
        linked = pool.submit(answer, lambda: redeem(other, "a", code))
        wait_for_locks(1)
        written = pool.submit(answer, lambda: write(game))
        wait_for_locks(2)
    assert isinstance(linked.result(), PlayerInfo)
    assert not isinstance(written.result(), Refused), written.result()
    assert rows_of(leaves.pk) == {}
    assert len(rows_of(person.pk)) > 1


@pytest.mark.parametrize("between", ["ask", "block"])
def test_nothing_comes_between_others_and_who_is_gone(
    one: Studio, other: Studio, pool: ThreadPoolExecutor, between: str
) -> None:
    factories.player(one)
    leaves, friend = factories.player(other, "a"), factories.player(other, "b")
    code = code_of(one, "p-1")

    def meet(at: datetime) -> Any:
        if between == "ask":
            return befriending.ask(sender_id=friend.pk, receiver_id=leaves.pk, at=at)
        return befriending.block(player_id=friend.pk, blocked_id=leaves.pk, at=at)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE core_auditentry IN EXCLUSIVE MODE")
        linked = pool.submit(answer, lambda: redeem(other, "a", code))
        wait_for_locks(1)
        met = pool.submit(answer, lambda: meet(timezone.now()))
        wait_for_locks(2)
    assert isinstance(linked.result(), PlayerInfo)
    assert "joined to another" in str(met.exception())
    assert rows_of(leaves.pk) == {}


def test_a_name_that_is_given_while_he_leaves_is_the_person_s(
    one: Studio, other: Studio, pool: ThreadPoolExecutor
) -> None:
    person = factories.player(one)
    factories.player(other, "a")
    code = code_of(one, "p-1")
    changes = {"display_name": "marenok"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE core_auditentry IN EXCLUSIVE MODE")
        linked = pool.submit(answer, lambda: redeem(other, "a", code))
        wait_for_locks(1)
        changed = pool.submit(
            answer,
            lambda: accounts.update_player(studio_id=other.pk, external_id="a", changes=changes),
        )
        wait_for_locks(2)
    assert isinstance(linked.result(), PlayerInfo)
    assert changed.result().id == person.pk
    assert Player.objects.get().display_name == "marenok"


def test_a_ban_that_meets_nobody_any_more_is_refused(
    one: Studio, other: Studio, pool: ThreadPoolExecutor
) -> None:
    factories.player(one)
    factories.player(other, "a")
    code = code_of(one, "p-1")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE core_auditentry IN EXCLUSIVE MODE")
        linked = pool.submit(answer, lambda: redeem(other, "a", code))
        wait_for_locks(1)
        banned = pool.submit(answer, lambda: factories.ban(other, "a"))
        wait_for_locks(2)
    assert isinstance(linked.result(), PlayerInfo)
    assert isinstance(banned.result(), Conflict)
    factories.ban(other, "a")
    assert PlayerIdentity.objects.get(external_id="a").banned_at is not None


def test_a_ban_that_is_on_its_way_keeps_the_player(
    one: Studio, other: Studio, pool: ThreadPoolExecutor
) -> None:
    factories.player(one)
    held = factories.player(other, "a")
    code = code_of(one, "p-1")
    with transaction.atomic():
        factories.ban(other, "a")
        linked = pool.submit(answer, lambda: redeem(other, "a", code))
        wait_for_locks(1)
    assert isinstance(linked.result(), Forbidden)
    assert named(other, "a") == held.pk


@pytest.mark.slow
def test_facts_of_who_is_gone_leave_nothing_however_often_they_are_heard(
    one: Studio, other: Studio, game: GameInfo
) -> None:
    factories.player(one)
    leaves = factories.player(other, "a", region="EU")
    factories.player(other, "a", region="NA")
    person = redeem(other, "a", code_of(one, "p-1"))
    for write in WRITES:
        write(game)
    for _ in range(2):
        for name in subscriptions():
            followers.drain(name)
            assert not DeadLetter.objects.exists()
        assert rows_of(leaves.pk) == {}
        listed = standings_of(game)
        assert [row["player"]["id"] for row in listed] == [str(person.uuid)]
        for name in subscriptions():
            followers.rewind(name, fact_id=0)


def standings_of(game: GameInfo) -> list[Any]:
    owner = Studio.objects.get(pk=game.studio_id)
    found: list[Any] = (
        factories.api(factories.server_key(owner)).get(f"/leaderboards/{game.uuid}").json()["results"]
    )
    return found


@pytest.mark.slow
def test_games_that_write_all_the_while_lose_nothing(
    one: Studio, other: Studio, game: GameInfo, pool: ThreadPoolExecutor
) -> None:
    for number in range(ROUNDS):
        PlayerIdentity.objects.filter(external_id="a").update(external_id=f"a{number}")
        factories.player(one, f"p{number}")
        leaves = factories.player(other, "a")
        code, start = code_of(one, f"p{number}"), Barrier(len(WRITES) + 1)
        person = named(one, f"p{number}")

        def run(
            work: Callable[[GameInfo], Any], code: str = code, start: Barrier = start, pause: float = number
        ) -> Any:
            start.wait()
            if work is link:
                time.sleep(pause / 1000)
                return answer(lambda: redeem(other, "a", code))
            return answer(lambda: work(game))

        came = list(pool.map(run, [*WRITES, link]))
        assert not any(isinstance(one, Refused) for one in came), came
        # Who held nothing is gone, whichever of both that was; everything is with the other one.
        stays = named(other, "a")
        gone = leaves.pk if stays == person else person
        assert stays in (leaves.pk, person)
        assert rows_of(gone) == {}
        held = rows_of(stays)
        assert {table for table in held if not table.startswith("accounts")} == {
            "achievements_unlock",
            "achievements_playergame",
            "achievements_playertotal",
            "achievements_progress",
            "stats_statvalue",
            "stats_playtime",
            "leaderboards_score",
        }


def link(game: GameInfo) -> None:
    """Stand for the one who redeems."""


def test_a_studio_s_guesses_at_once_are_counted_one_by_one(
    one: Studio, other: Studio, pool: ThreadPoolExecutor
) -> None:
    factories.player(one)
    code_of(one, "p-1")
    came = list(pool.map(lambda _: answer(lambda: redeem(other, "a", "AAAA-AAAA")), range(24)))
    assert sum(isinstance(one, Invalid) for one in came) == guesses.MOST_FAILURES
    assert [one.slug for one in came if not isinstance(one, Invalid)] == ["rate-limited"] * 14


def unlock_somewhere(studio: Studio, player: str) -> None:
    made: Game = factories.game(studio)
    factories.achievement(made)
    info = selectors.game(made.uuid)
    assert info is not None
    request = UnlockRequest(player, "first-blood")
    unlocks.unlock(game=info, request=request, by=unlocks.SERVER, at=timezone.now())


def test_an_id_that_is_kept_names_the_person_soon(
    one: Studio, other: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, leaves = factories.player(one), factories.player(other, "a")
    code = code_of(one, "p-1")

    def kept() -> int:
        info = selectors.kept_player_of_studio(other.pk, "a")
        assert info is not None
        return info.id

    assert kept() == leaves.pk
    before = dict(selectors.players._players)
    redeem(other, "a", code)
    selectors.players._players.update(before)  # as another process has it
    assert kept() == leaves.pk
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + selectors.players.JOINS_SECONDS + 1)
    assert kept() == person.pk


def test_a_join_that_is_seen_behind_a_later_one_is_noticed_too(
    one: Studio, other: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, later = factories.player(one), factories.player(one, "later")
    for name in ("a", "b"):
        factories.player(other, name)
    started = timezone.now() - timedelta(seconds=2)
    now = time.monotonic()
    turns = itertools.count(1)

    def kept(name: str) -> int:
        at = now + next(turns) * (selectors.players.JOINS_SECONDS + 1)
        monkeypatch.setattr(time, "monotonic", lambda: at)
        info = selectors.kept_player_of_studio(other.pk, name)
        assert info is not None
        return info.id

    redeem(other, "b", code_of(one, "later"))
    assert [kept("b"), kept("b")] == [later.pk, later.pk]  # now that join is known of
    assert kept("a") != person.pk
    before = dict(selectors.players._players)
    code = code_of(one, "p-1")
    linking.redeem(studio_id=other.pk, external_id="a", code=code, by="key:test", at=started)
    selectors.players._players.update(before)  # as another process has it
    assert kept("a") == person.pk
