"""Progress from many at once: every report counts once, and what meets doesn't deadlock."""

import csv
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Game
from accounts.services import create_players
from achievements import rules
from achievements.advancing import Item, advance_all
from achievements.models import PlayerTotal, Progress, ProgressEvent, Unlock
from core.db import LostRace
from core.ids import new_id
from tests import factories
from tests.achievements import samples
from tests.factories import Api

THREADS = 16


@pytest.mark.parametrize(
    ("current", "steps", "adds", "expected"),
    [
        (0, 5, False, 5),
        (7, 5, False, 7),
        (7, 5, True, 12),
        (7, 2**53, True, 20),
        (0, 20, False, 20),
        (0, 21, False, 20),
        (30, 5, True, 30),
        (30, 2, False, 30),
    ],
)
def test_progress_rises_up_to_the_target(current: int, steps: int, adds: bool, expected: int) -> None:
    assert rules.advance(current, steps, adds=adds, target=20) == expected


def at_once(work: Callable[[int], None]) -> None:
    def run(number: int) -> None:
        try:
            work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))


def count(kind: str, game: Game) -> int:
    with connection.cursor() as cursor:
        # Tests that commit leave their facts behind.
        cursor.execute(
            "SELECT count(*) FROM core_fact WHERE kind = %s AND studio_id = %s", [kind, game.studio_id]
        )
        return int(cursor.fetchone()[0])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_16_threads_that_send_everything_twice_reach_the_target_once() -> None:
    game = factories.game()
    factories.achievement(game, "doors", type="incremental", target=200)
    key = factories.server_key(game.studio)
    statuses: list[int] = []
    events = [[str(new_id()) for _ in range(13)] for _ in range(THREADS)]  # 208 in all

    def add(number: int, *, leave: int = 0) -> None:
        caller = factories.api(key)
        for event_id in [*events[number][leave:], *events[(number + 1) % THREADS][leave:]]:
            sent = {
                "game_id": str(game.uuid),
                "player": "p-1",
                "achievement": "doors",
                "steps": 1,
                "op": "add",
                "event_id": event_id,
            }
            statuses.append(caller.post("/achievements/progress", sent).status_code)

    at_once(lambda number: add(number, leave=1))
    assert set(statuses) == {202}
    assert Progress.objects.get().current == 192  # 16 × 12, each sent by two threads
    assert not Unlock.objects.exists()
    at_once(add)
    assert set(statuses) == {202}
    assert Progress.objects.get().current == 200
    assert ProgressEvent.objects.count() == 208
    assert Unlock.objects.count() == count("achievements_unlocked", game) == 1
    assert PlayerTotal.objects.values_list("points", "unlocked").get() == (10, 1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_groups_that_cross_do_not_deadlock() -> None:
    game = factories.game()
    made = [factories.achievement(game, f"a{n}", type="incremental", target=100) for n in range(4)]
    events = [[new_id() for _ in range(8)] for _ in range(20)]

    def items(turn: int) -> list[Item]:
        return [_item(game, made[n % 4].pk, f"p{n // 4}", events[turn][n]) for n in range(8)]

    def cross(number: int) -> None:
        for turn in range(20):
            sent = items(turn)
            _until_won(sent if number % 2 else sent[::-1])

    at_once(cross)
    assert set(Progress.objects.values_list("current", flat=True)) == {100}
    assert Progress.objects.count() == Unlock.objects.count() == 8
    assert set(PlayerTotal.objects.values_list("points", "unlocked")) == {(40, 4)}


@pytest.mark.django_db(transaction=True)
def test_reports_meet_a_draft_that_is_deleted() -> None:
    game = factories.game()
    game.testers.create(player=factories.player(game.studio))
    key = factories.server_key(game.studio)
    for _ in range(5):
        factories.achievement(game, "draft", type="incremental", target=9_000, state="draft")
        statuses: list[int] = []
        at_once(lambda number: statuses.append(_meet(game, factories.api(key), number)))  # noqa: B023
        assert sorted(set(statuses)) in ([202, 204], [202, 204, 404], [204, 404]), statuses
        assert not Progress.objects.exists()


def _meet(game: Game, caller: Api, number: int) -> int:
    sent = {"game_id": str(game.uuid), "player": "p-1", "achievement": "draft", "steps": number + 1}
    if number == THREADS // 2:
        answer = caller.delete(f"/games/{game.uuid}/achievements/draft")
    else:
        answer = caller.post("/achievements/progress", sent)
    return int(answer.status_code)


def _item(game: Game, achievement: int, player: str, event_id: UUID) -> Item:
    return Item(
        studio_id=game.studio_id,
        external_id=player,
        game_id=game.pk,
        version=1,
        achievement_id=achievement,
        points=10,
        target=100,
        steps=5,
        event_id=event_id,
    )


def _until_won(items: list[Item]) -> None:
    """Run a group as the service does, but for its patience with deadlocks."""
    for _ in range(10):
        try:
            with transaction.atomic():
                advance_all(items, create_players=create_players, at=timezone.now())
        except LostRace:
            continue
        return
    raise AssertionError("lost ten races")


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(not samples.REAL_DATA.is_dir(), reason=samples.NO_REAL_DATA)
def test_real_progress_reads_back_as_it_was_sent() -> None:
    with (samples.REAL_DATA / "progress.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 793
    studio = factories.studio()
    server = factories.api(factories.server_key(studio))
    games: dict[str, Game] = {}
    targets = {(row["game"], row["achievement"]): _whole(row["max_progress"]) for row in rows}
    for (title, key), target in targets.items():
        game = games.get(title) or games.setdefault(title, factories.game(studio, title=title))
        factories.achievement(game, key, type="incremental", target=target)
    expected: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in rows:
        progress = _whole(row["progress"])
        expected[row["player"], row["game"]][row["achievement"]] = progress
        if progress:
            _report(server, games[row["game"]], row, min(progress, targets[row["game"], row["achievement"]]))
        else:
            factories.player(studio, row["player"])  # nothing to report
    for (player, title), wanted in expected.items():
        found = _listed(server, games[title], player)
        for key, progress in wanted.items():
            target = targets[title, key]
            assert found[key] == {"current": min(progress, target), "target": target}, (title, key, player)
    reached = sum(_whole(row["progress"]) >= _whole(row["max_progress"]) for row in rows)
    assert Unlock.objects.count() == reached


def _whole(text: str) -> int:
    number = float(text)
    assert number.is_integer()
    return int(number)


def _report(server: Api, game: Game, row: dict[str, str], progress: int) -> None:
    sent = {
        "game_id": str(game.uuid),
        "player": row["player"],
        "achievement": row["achievement"],
        "steps": progress,
    }
    answer = server.post("/achievements/progress", sent)
    assert answer.status_code == 202, answer.content


def _listed(server: Api, game: Game, player: str) -> dict[str, dict[str, int]]:
    answer = server.get(f"/players/{player}/achievements?game_id={game.uuid}&limit=1000").json()
    return {one["key"]: one["progress"] for one in answer["results"]}
