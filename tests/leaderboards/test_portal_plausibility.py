"""The pages of the rules of plausibility, at the HTTP border."""

import json
from typing import Any

import pytest

from achievements.models import Plausibility
from achievements.selectors import plausibility
from core.models import AuditEntry
from leaderboards.models import Leaderboard
from tests import factories
from tests.accounts.visitors import Visitor, member

pytestmark = pytest.mark.django_db


class World:
    """A game with achievements and boards, and a developer."""

    def __init__(self) -> None:
        """Build it."""
        factories.forget()
        self.studio = factories.studio()
        self.game = factories.game(self.studio)
        for key in ("prologue", "a -> b", "finale"):
            factories.achievement(self.game, key)
        factories.achievement(self.game, "doors", type="incremental", target=100)
        self.developer: Visitor = member(self.studio, "developer")

    def shown(self, name: str = "plausibility") -> dict[str, Any]:
        """Return what the forms of a page send if nothing is touched."""
        answer = self.developer.get(name, self.studio.uuid, self.game.uuid)
        assert answer.status_code == 200
        forms = [answer.context["form"]] if "form" in answer.context else []
        forms += [row.form for row in answer.context.get("rows", [])]
        sent: dict[str, Any] = {}
        for form in forms:
            for field in form:
                value = field.value()
                if isinstance(value, list):
                    sent |= lines(field.html_name, *value)
                    sent[field.html_initial_name] = json.dumps(value)
                    continue
                for called in (field.html_name, field.html_initial_name):
                    if value not in (None, False):
                        sent[called] = str(value)
        return sent

    def send(self, name: str = "plausibility", **fields: object) -> Any:
        """Send a page's form with some fields changed."""
        return self.developer.post(name, self.studio.uuid, self.game.uuid, **{**self.shown(name), **fields})

    def rules(self) -> dict[str, Any]:
        """Return what is stored."""
        return plausibility.document(self.game.pk)


COLUMNS = {"achievements": ("key", "seconds", "steps"), "order": ("first", "then")}


def lines(field: str, *rows: tuple[str, ...]) -> dict[str, Any]:
    """Return the lines of a field as a browser sends them, with an empty one behind."""
    names = COLUMNS[field]
    columns = zip(*((*row, *[""] * (len(names) - len(row))) for row in (*rows, ())), strict=True)
    return {f"{field}-{name}": list(texts) for name, texts in zip(names, columns, strict=True)}


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_rules_are_set_and_shown_again(world: World) -> None:
    answer = world.send(
        earliest_seconds="10",
        unlocks_a_minute="30",
        session_required="on",
        **lines("achievements", ("", ""), ("finale", " 1800 "), ("doors", "", "20 ")),
        **lines("order", ("prologue", "a -> b"), ("a -> b", "finale")),
    )
    assert answer.status_code == 302
    assert world.rules() == {
        "earliest_seconds": 10,
        "unlocks_a_minute": 30,
        "session_required": True,
        "achievements": {"finale": 1800},
        "paces": {"doors": 20},
        "order": [["prologue", "a -> b"], ["a -> b", "finale"]],
    }
    shown = world.shown()
    assert shown["achievements-seconds"] == ["1800", "", ""]
    assert shown["achievements-steps"] == ["", "20", ""]
    assert shown["order-then"] == ["a -> b", "finale", ""]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("plausibility.change", f"user:{world.developer.email}")


def test_what_was_not_touched_is_not_written(world: World) -> None:
    world.send(unlocks_a_minute="30")
    sent = world.shown()
    world.send(unlocks_a_minute="5")
    world.developer.post(
        "plausibility", world.studio.uuid, world.game.uuid, **{**sent, "earliest_seconds": "7"}
    )
    assert (world.rules()["unlocks_a_minute"], world.rules()["earliest_seconds"]) == (5, 7)
    world.send()
    assert AuditEntry.objects.count() == 3


def test_lines_of_a_page_that_was_shown_before_there_were_paces_keep_theirs(world: World) -> None:
    sent = lines("achievements", ("finale", "1800"), ("prologue", "60"))
    del sent["achievements-steps"]
    assert world.send(**sent).status_code == 302
    assert world.rules()["achievements"] == {"finale": 1800, "prologue": 60}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"earliest_seconds": "0"}, "greater than or equal to 1"),
        ({"unlocks_a_minute": "x"}, "whole number"),
        (lines("achievements", ("finale", "")), "give an achievement&#x27;s key, and whole seconds"),
        (lines("achievements", ("finale", "-1")), "give an achievement&#x27;s key, and whole seconds"),
        (lines("achievements", ("doors", "", "x")), "whole steps a minute or both"),
        (lines("achievements", ("doors", "", "٣")), "whole steps a minute or both"),
        (lines("achievements", ("doors", "", "0")), "1 to 1,000,000,000 steps a minute"),
        (lines("achievements", ("finale", "", "5")), "has no steps"),
        (lines("achievements", ("finale", "9" * 20)), "1 to 316,224,000 seconds"),
        (lines("achievements", ("nope", "5")), "The game has no achievement"),
        (lines("achievements", ("finale", "5"), ("finale", "6")), "is there twice"),
        (lines("order", ("prologue", "nope")), "The game has no achievement"),
        (lines("order", ("prologue", "finale"), ("finale", "prologue")), "break the circle"),
        (lines("order", ("", "finale")), "what comes first and what comes then"),
    ],
)
def test_what_cannot_be_is_refused_kept_in_the_form_and_not_stored(
    world: World, fields: dict[str, Any], said: str
) -> None:
    answer = world.send(**{"session_required": "on", **fields})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert said in text
    assert not Plausibility.objects.exists()
    assert not AuditEntry.objects.exists()


def test_bounds_of_boards_are_set_all_or_none(world: World) -> None:
    first = factories.leaderboard(world.game, "laps", sort="asc", decimals=2)
    second = factories.leaderboard(world.game, "coins", operator="sum")
    name = "plausibility-scores"
    refused = world.send(name, **{f"b{first.pk}-bound": "60.5", f"b{second.pk}-bound": "1.5"})
    assert refused.status_code == 422
    assert "This board keeps whole numbers" in refused.content.decode()
    assert 'value="60.5"' in refused.content.decode()
    assert list(Leaderboard.objects.values_list("flag_units", flat=True)) == [None, None]
    assert not AuditEntry.objects.exists()
    sent = {f"b{first.pk}-bound": "60.5", f"b{first.pk}-z_score": "4.5", f"b{second.pk}-bound": "100"}
    assert world.send(name, **sent).status_code == 302
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.flag_units, first.flag_z, second.flag_units) == (6050, 4.5, 100)
    assert world.send(name).status_code == 302
    assert AuditEntry.objects.count() == 2
    assert world.send(name, **{f"b{first.pk}-bound": ""}).status_code == 302
    first.refresh_from_db()
    assert (first.flag_units, first.flag_z) == (None, 4.5)


def test_a_game_without_boards_says_so(world: World) -> None:
    page = world.developer.get("plausibility-scores", world.studio.uuid, world.game.uuid).content.decode()
    assert "This game has no leaderboards yet." in page


@pytest.mark.parametrize("name", ["plausibility", "plausibility-scores"])
def test_rules_are_for_who_writes_definitions_and_for_ones_own_games(world: World, name: str) -> None:
    support, outsider = member(world.studio, "support"), member(factories.studio(), "owner")
    for who, status in ((support, 403), (outsider, 404)):
        assert who.get(name, world.studio.uuid, world.game.uuid).status_code == status
        assert who.post(name, world.studio.uuid, world.game.uuid, earliest_seconds="5").status_code == status
    assert not Plausibility.objects.exists()
