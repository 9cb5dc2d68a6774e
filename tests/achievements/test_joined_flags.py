"""Two players who are found to be one: what was kept apart of either is his."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import selectors
from accounts.models import Game, Studio
from accounts.selectors import GameInfo
from achievements.models import FlaggedUnlock, Unlock
from core.refusals import Conflict
from leaderboards.models import FlaggedScore
from leaderboards.services import plausibility as bounds
from tests import factories
from tests.accounts import joins

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def games(transactional_db: None) -> Iterator[list[GameInfo]]:
    factories.forget()
    joins.begin()
    owner = factories.studio()
    yield [joins.declare(owner)]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def flag(game: GameInfo, key: str, player: str, **fields: Any) -> FlaggedUnlock:
    made = Game.objects.get(pk=game.id)
    return factories.flagged_unlock(made, key, player, **fields)


def join(game: GameInfo, stays: str, leaves: str) -> None:
    owner = Studio.objects.get(pk=game.studio_id)
    joins.join(owner, stays, owner, leaves)


def test_what_is_kept_apart_is_the_other_s_and_nothing_is_left(games: list[GameInfo]) -> None:
    game = games[0]
    for player in ("stays", "leaves"):
        joins.unlock(game, player, "a5")
    flag(game, "a0", "leaves")
    flag(game, "a1", "leaves", state="rejected")
    flag(game, "a2", "leaves", points=1)
    kept = flag(game, "a2", "stays", points=2, state="rejected")
    flag(game, "a3", "leaves")
    joins.unlock(game, "stays", "a3")
    before = {name: selectors.player_of_studio(game.studio_id, name) for name in ("stays", "leaves")}
    join(game, "stays", "leaves")
    one = selectors.player_of_studio(game.studio_id, "stays")
    assert one is not None
    rows = {row.achievement.key: row for row in FlaggedUnlock.objects.select_related("achievement")}
    assert {row.player_id for row in rows.values()} == {one.id}
    assert {key: row.state for key, row in rows.items()} == {"a0": "open", "a1": "rejected", "a2": "rejected"}
    assert rows["a2"].pk == kept.pk
    gone = next(info for info in before.values() if info is not None and info.id != one.id)
    assert joins.rows_of(gone.id) == {}


def test_no_join_gives_what_was_rejected(games: list[GameInfo]) -> None:
    game = games[0]
    joins.unlock(game, "stays", "a0")
    joins.unlock(game, "leaves", "a1")
    flag(game, "steps", "stays", state="rejected")
    api = factories.api(factories.server_key(Studio.objects.get(pk=game.studio_id)))
    assert api.put(f"/games/{game.uuid}/plausibility", {"unlocks_a_minute": 100}).status_code == 200
    joins.advance(game, "leaves", 10)
    assert Unlock.objects.filter(achievement__key="steps").count() == 1
    join(game, "stays", "leaves")
    keys = list(Unlock.objects.values_list("achievement__key", flat=True))
    assert sorted(keys) == ["a0", "a1", "both", "steps"]
    assert not FlaggedUnlock.objects.exists()


def test_scores_that_wait_become_what_the_board_makes_of_both(games: list[GameInfo]) -> None:
    game = games[0]
    for key in ("best", "last", "sum"):
        bounds.set_rules(game=game, key=key, values={"bound": 100}, actor="user:t", at=timezone.now())
    joins.submit(game, "stays", best=300, last=300, sum=300)
    joins.submit(game, "leaves", best=400, last=200, sum=400)
    join(game, "stays", "leaves")
    one = selectors.player_of_studio(game.studio_id, "stays")
    assert one is not None
    rows = {row.leaderboard.key: row for row in FlaggedScore.objects.select_related("leaderboard")}
    assert {key: -row.sort_value for key, row in rows.items()} == {"best": 400, "last": 200, "sum": 700}
    assert {row.player_id for row in rows.values()} == {one.id}
    assert {row.submissions for row in rows.values()} == {2}


@pytest.mark.parametrize("later_wins", [True, False])
def test_what_waits_of_both_keeps_what_was_sent_with_the_score_that_stays(
    games: list[GameInfo], later_wins: bool
) -> None:
    game, scores = games[0], [300, 400] if later_wins else [400, 300]
    owner = Studio.objects.get(pk=game.studio_id)
    bounds.set_rules(game=game, key="best", values={"bound": 100}, actor="user:t", at=timezone.now())
    api = factories.api(factories.server_key(owner))
    for player, score in zip(("stays", "leaves"), scores, strict=True):
        sent = {"player": player, "score": score, "metadata": {"run": score}}
        assert api.post(f"/leaderboards/{game.uuid}/best/scores", sent).status_code == 202
    expected = FlaggedScore.objects.get(sort_value=-400)
    join(game, "stays", "leaves")
    row = FlaggedScore.objects.get()
    told = ("sort_value", "metadata", "event_id", "reached_at", "evidence")
    assert {name: getattr(row, name) for name in told} == {name: getattr(expected, name) for name in told}
    assert row.submissions == 2


def test_sums_that_wait_and_would_be_too_large_are_not_joined(games: list[GameInfo]) -> None:
    game = games[0]
    bounds.set_rules(game=game, key="sum", values={"bound": 100}, actor="user:t", at=timezone.now())
    for player in ("stays", "leaves"):
        joins.submit(game, player, sum=2**53 - 1)
    with pytest.raises(Conflict, match="sum would be larger"):
        join(game, "stays", "leaves")
    assert FlaggedScore.objects.filter(submissions=1).count() == 2
