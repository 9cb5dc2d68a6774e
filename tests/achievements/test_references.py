"""An unlock's achievement is there, and in its game and studio, though no foreign key asks (ADR 0008)."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import ProtectedError
from django.db.utils import IntegrityError, OperationalError
from django.utils import timezone
from psycopg import errors

from accounts.models import Game, Player
from achievements.models import Achievement, Unlock
from tests import factories
from tests.patience import LONG_S

pytestmark = pytest.mark.django_db(transaction=True)

DELETE = "DELETE FROM achievements_achievement WHERE id = %s"
INSERT = (
    "INSERT INTO achievements_unlock"
    " (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id)"
    " VALUES (%s, %s, %s, %s, 10, now(), now(), gen_random_uuid())"
)


@pytest.fixture
def game() -> Game:
    return factories.game()


@pytest.fixture
def draft(game: Game) -> Achievement:
    return factories.achievement(game, "draft", state="draft")


@pytest.fixture
def player(game: Game) -> Player:
    return factories.player(game.studio)


@pytest.fixture
def other_session() -> Iterator[psycopg.Connection[Any]]:
    """Return a second session on the same database, in a transaction."""
    with psycopg.connect(**connection.get_connection_params()) as session:
        yield session
        session.rollback()


def unlocked(player: Player, achievement: Achievement, **other: int) -> Unlock:
    now = timezone.now()
    values = {"game_id": achievement.game_id, "studio_id": achievement.studio_id, "points": 10, **other}
    return Unlock.objects.create(
        player_id=player.pk,
        achievement=achievement,
        unlocked_at=now,
        heard_at=now,
        event_id=uuid4(),
        **values,
    )


def test_an_unlock_of_another_game_or_studio_is_not_stored(draft: Achievement, player: Player) -> None:
    elsewhere = factories.game()
    same_studio = factories.game(draft.game.studio)
    for wrong in ({"game_id": same_studio.pk}, {"studio_id": elsewhere.studio_id}):
        with pytest.raises(OperationalError, match="have one game"), transaction.atomic():
            unlocked(player, draft, **wrong)
    assert not Unlock.objects.exists()


def test_an_unlock_of_nothing_is_not_stored(draft: Achievement, player: Player) -> None:
    with pytest.raises(OperationalError, match="have one game"), connection.cursor() as cursor:
        cursor.execute(INSERT, [player.pk, draft.pk + 1, draft.game_id, draft.studio_id])


def test_an_unlock_does_not_move_to_another_game(draft: Achievement, player: Player) -> None:
    unlocked(player, draft)
    elsewhere = factories.game(draft.game.studio)
    with pytest.raises(OperationalError, match="have one game"):
        Unlock.objects.update(game_id=elsewhere.pk)


def test_what_a_player_holds_is_neither_deleted_nor_moved(draft: Achievement, player: Player) -> None:
    unlocked(player, draft)
    with pytest.raises(ProtectedError):
        draft.delete()
    elsewhere = factories.game(draft.game.studio)
    for statement, values in (
        (DELETE, [draft.pk]),
        ("UPDATE achievements_achievement SET game_id = %s WHERE id = %s", [elsewhere.pk, draft.pk]),
    ):
        with pytest.raises(IntegrityError, match="stays"), connection.cursor() as cursor:
            cursor.execute(statement, values)
    assert Achievement.objects.filter(pk=draft.pk, game_id=draft.game_id).exists()


def test_a_deletion_waits_for_an_unlock_on_its_way(
    draft: Achievement, player: Player, other_session: psycopg.Connection[Any]
) -> None:
    refused: list[BaseException] = []

    def delete() -> None:
        try:
            other_session.execute(DELETE, [draft.pk])
        except errors.ForeignKeyViolation as error:
            refused.append(error)

    [(pid,)] = other_session.execute("SELECT pg_backend_pid()")  # PgBouncer has numbers of its own
    with transaction.atomic():
        unlocked(player, draft)
        deletion = threading.Thread(target=delete)
        deletion.start()
        wait_until_it_waits(pid)
    deletion.join(LONG_S)
    assert len(refused) == 1
    assert Unlock.objects.filter(achievement_id=draft.pk).exists()


def test_an_unlock_that_meets_a_deletion_is_tried_again(
    draft: Achievement, player: Player, other_session: psycopg.Connection[Any]
) -> None:
    """Its statement fails with 40001, and the next attempt finds a catalogue without the achievement."""
    server = factories.api(factories.server_key(draft.game.studio))
    body = {"game_id": str(draft.game.uuid), "player": "p-1", "achievement": "draft"}
    Achievement.objects.update(state="published")
    assert server.post("/achievements/unlock", {**body, "player": "p-2"}).status_code == 202
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM achievements_unlock")
    other_session.execute(DELETE, [draft.pk])
    other_session.execute(
        "UPDATE achievements_catalogue SET version = version + 1 WHERE game_id = %s", [draft.game_id]
    )
    threading.Timer(0.3, other_session.commit).start()
    answer = server.post("/achievements/unlock", body)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "The game has no such achievement."
    assert not Unlock.objects.exists()


def wait_until_it_waits(pid: int) -> None:
    """Return when the session waits for a lock."""
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            # Within a transaction the view keeps what it showed first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waits, [pid])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("the other session never waited")
