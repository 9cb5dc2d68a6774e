"""Why something is still locked: the verdict, every condition with what speaks for it, and the answer in plain text."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from achievements.models import Achievement, FlaggedUnlock
from tests import factories
from tests.accounts import joins
from tests.care.world import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def why(desk: Desk, key: str) -> Any:
    return desk.see(f"?game={desk.game.uuid}&why={key}").context["why"]


def states(told: Any) -> dict[str, str]:
    return {line.name: line.state for line in told.lines}


def change(desk: Desk, key: str, **fields: Any) -> None:
    Achievement.objects.filter(game_id=desk.game.id, key=key).update(**fields)
    factories.forget()


def test_one_that_the_game_has_not_reported_says_so(desk: Desk) -> None:
    told = why(desk, "a1")
    assert (told.is_unlocked, told.verdict) == (False, "One condition is open.")
    assert states(told) == {
        "Published": "ok",
        "Inside its window": "ok",
        "Reported by the game": "open",
        "Player may unlock": "ok",
    }


def test_one_that_is_unlocked_says_since_when(desk: Desk) -> None:
    desk.unlock("a1")
    told = why(desk, "a1")
    assert told.is_unlocked
    assert told.verdict.startswith("It is unlocked since")


def test_what_a_stat_lacks_is_counted(desk: Desk) -> None:
    joins.report(desk.game, "p-1", total=40)
    told = why(desk, "hundred")
    line = next(one for one in told.lines if one.name == "Stat total reaches 100")
    assert (line.state, line.value, line.percent) == ("open", "40 of 100", 40)
    assert line.evidence.startswith("Last change")
    assert told.detail == "Stat total reaches 100: 40 of 100."


def test_every_part_of_a_goal_is_told_with_its_event(desk: Desk) -> None:
    joins.report(desk.game, "p-1", max=60)
    told = why(desk, "goal")
    parts = states(told)
    assert parts["Stat max reaches 50"] == "ok"
    assert parts["Stat last reaches 5"] == "idle"
    met = next(one for one in told.lines if one.name == "Stat max reaches 50")
    assert met.evidence.startswith("Held first")
    assert told.verdict == "One condition is open."


def test_of_several_ways_one_is_missing_and_not_each(desk: Desk) -> None:
    goal = {"any": [{"stat": "max", "at_least": 50}, {"stat": "last", "at_least": 5}]}
    change(desk, "goal", goal=goal)
    assert why(desk, "goal").verdict == "One condition is open."


def test_what_a_meta_achievement_requires_is_named(desk: Desk) -> None:
    desk.unlock("a0")
    told = why(desk, "both")
    assert (states(told)["A0"], states(told)["A1"]) == ("ok", "idle")
    assert told.verdict == "One condition is open."


def test_steps_are_counted(desk: Desk) -> None:
    joins.advance(desk.game, "p-1", 3)
    line = next(one for one in why(desk, "steps").lines if one.name == "Its own steps")
    assert (line.state, line.value) == ("open", "3 of 10")


def test_a_draft_an_archived_one_and_a_closed_window_are_told(desk: Desk) -> None:
    now = timezone.now()
    change(desk, "a1", state="draft")
    change(desk, "a2", state="archived")
    change(desk, "a3", available_until=now - timedelta(days=1))
    change(desk, "a4", available_from=now + timedelta(days=1))
    assert states(why(desk, "a1"))["Published"] == "open"
    assert states(why(desk, "a2"))["Published"] == "idle"
    assert states(why(desk, "a3"))["Inside its window"] == "idle"
    assert states(why(desk, "a4"))["Inside its window"] == "open"
    desk.house.post(desk.act_path("test"), {"to": "on", "reason": "New build"})
    assert states(why(desk, "a1"))["Published"] == "ok"


def test_a_banned_player_is_told_so(desk: Desk) -> None:
    factories.ban(desk.house.studio, "p-1")
    assert states(why(desk, "a1"))["Player may unlock"] == "open"


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("open", "It was reported, and counts once the studio has checked it."),
        ("rejected", "It was reported, and the studio rejected it."),
    ],
)
def test_one_that_is_kept_apart_is_not_called_unreported(desk: Desk, state: str, verdict: str) -> None:
    api = factories.api(factories.server_key(desk.house.studio))
    rules = {"order": [{"first": "steps", "then": "a2"}]}
    assert api.put(f"/games/{desk.game.uuid}/plausibility", rules).status_code == 200
    body = {"game_id": str(desk.game.uuid), "player": "p-1", "achievement": "a2"}
    assert api.post("/achievements/unlock", body).status_code == 202
    FlaggedUnlock.objects.update(state=state)
    told = why(desk, "a2")
    assert (told.is_unlocked, told.verdict, told.lines) == (False, verdict, ())
    assert told.answer.endswith(verdict)


def test_the_answer_is_plain_text_without_ids(desk: Desk) -> None:
    joins.report(desk.game, "p-1", total=40)
    answer = why(desk, "hundred").answer
    assert answer.splitlines()[0] == "Hundred: One condition is open."
    assert "- Stat total reaches 100: 40 of 100 (open)" in answer
    assert "event" not in answer
    assert 'id="answer"' in desk.see(f"?game={desk.game.uuid}&why=hundred").text


def test_what_the_game_does_not_have_is_not_explained(desk: Desk) -> None:
    elsewhere = joins.declare(desk.house.elsewhere)
    factories.achievement(desk.house.game, "elsewhere")
    for query in ("?why=nonsense", "?why=elsewhere", f"?why=a1&game={elsewhere.uuid}", "?why=%00"):
        mine = query if "game=" in query else f"{query}&game={desk.game.uuid}"
        assert desk.house.get(desk.path(mine)).status_code == 404


def test_a_name_stays_text(desk: Desk) -> None:
    change(desk, "a1", name="</pre><script>alert(1)</script>")
    assert "<script>alert" not in desk.see(f"?game={desk.game.uuid}&why=a1").text
