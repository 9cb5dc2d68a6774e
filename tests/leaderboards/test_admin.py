"""The operator's view of boards: everything is seen, nothing is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Game, User
from leaderboards.models import Leaderboard, Period
from leaderboards.services import scores, turning
from leaderboards.services.scores import ScoreRequest
from tests import factories
from tests.leaderboards.world import World

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def rows(world: World) -> dict[str, Any]:
    """A board with a period that is final, by what the admin calls their models."""
    board = factories.leaderboard(Game.objects.get(pk=world.game.id), reset="daily")
    request = ScoreRequest("p0", 5)
    scores.submit(game=world.game, key=board.key, request=request, by=scores.SERVER, at=NOON)
    turning.turn_periods(now=NOON + timedelta(days=2))
    return {"leaderboard": board, "period": Period.objects.get()}


def client(*, is_operator: bool) -> Client:
    made = Client(headers={"Accept": "text/html"})
    make = User.objects.create_superuser if is_operator else User.objects.create_user
    made.force_login(make("somebody@example.com", "a-long-enough-password"))
    return made


def page(kind: str, what: str, *args: int) -> str:
    return reverse(f"admin:leaderboards_{kind}_{what}", args=args)


@pytest.mark.parametrize("kind", ["leaderboard", "period"])
def test_an_operator_looks_at_boards_and_periods_and_writes_neither(rows: dict[str, Any], kind: str) -> None:
    operator, pk = client(is_operator=True), rows[kind].pk
    listed = operator.get(page(kind, "changelist"), {"q": "high-score"})
    assert listed.status_code == 200
    assert listed.context["cl"].result_count == 1
    assert operator.get(page(kind, "change", pk)).status_code == 200
    for path in (page(kind, "add"), page(kind, "change", pk), page(kind, "delete", pk)):
        assert operator.post(path, {"post": "yes", "name": "x"}).status_code == 403
    assert (Leaderboard.objects.get().name, Period.objects.get().name) == ("High-Score", "2026-11-25")


def test_a_final_period_shows_its_hash_as_the_api_does(rows: dict[str, Any]) -> None:
    shown = client(is_operator=True).get(page("period", "change", rows["period"].pk)).content.decode()
    assert bytes(rows["period"].standings_hash).hex() in shown


@pytest.mark.parametrize("kind", ["leaderboard", "period"])
def test_a_member_of_a_studio_and_a_stranger_see_none_of_it(rows: dict[str, Any], kind: str) -> None:
    for visitor in (client(is_operator=False), Client(headers={"Accept": "text/html"})):
        answer = visitor.get(page(kind, "change", rows[kind].pk))
        assert answer.status_code == 302
        assert "login" in answer["Location"]
