"""The achievement editor: what is typed, refused, kept, published and taken back."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Game
from achievements.models import Achievement, AchievementCount, Backfill, DefinitionDraft, DefinitionVersion
from achievements.portal import goal_rows
from core.models import AuditEntry
from tests import factories
from tests.achievements.editor_world import Editor, fields_of, pages, visitor
from tests.stats.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def game() -> Game:
    return factories.game()


@pytest.fixture
def api(game: Game) -> Any:
    return factories.api(factories.server_key(game.studio))


@pytest.fixture
def world() -> World:
    return World.create()


def stored(key: str = "a") -> Achievement:
    return Achievement.objects.get(key=key)


def make(client: Client, game: Game, **typed: Any) -> Any:
    form = fields_of(client.get(f"{pages(game)}/new"))
    return client.post(f"{pages(game)}/new", {**form, **typed})


def test_a_new_achievement_is_a_draft(game: Game) -> None:
    client = visitor(game)
    answer = make(client, game, key="a", name="First", points="25", new_language="de", new_name="Erstes")
    assert answer["Location"] == f"{pages(game)}/{stored().uuid}"
    row = stored()
    assert (row.state, row.name, row.points, row.type) == ("draft", "First", 25, "standard")
    assert row.translations.get().name == "Erstes"
    assert DefinitionVersion.objects.get().source == "portal"
    assert AuditEntry.objects.get().action == "achievement.create"
    assert client.get(answer["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"key": ""}, "The key is empty"),
        ({"key": "a\nb"}, "control characters"),
        ({"name": ""}, "The name is empty"),
        ({"name": "x" * 201}, "200 are allowed"),
        ({"points": "-1"}, "Points must be a whole number"),
        ({"points": "ten"}, "Points must be a whole number"),
        ({"points": "9" * 30}, "Points must be a whole number"),
        ({"type": "magic"}, "is not known"),
        ({"type": "incremental", "target": ""}, "needs a target"),
        ({"type": "incremental", "driven": "stat", "stat": "gone", "target": "5"}, "no stat"),
        ({"type": "incremental", "driven": "all"}, "at least one condition"),
        ({"type": "incremental", "driven": "written", "written": "{"}, "give each condition as an object"),
        ({"type": "incremental", "driven": "written", "written": "[[[[[[[["}, "The goal holds"),
        ({"type": "meta", "requires": ""}, "needs the keys it requires"),
        ({"type": "meta", "requires": "nobody"}, "has no achievement"),
        ({"icon_url": "javascript:alert(1)"}, "can&#x27;t be used"),
        ({"available_from": "soon"}, "correct it"),
        (
            {"available_from": "2027-01-02T00:00", "available_until": "2027-01-01T00:00"},
            "stops being available before it starts",
        ),
        ({"new_language": "xx", "new_name": "x"}, "is not known"),
    ],
)
def test_what_the_api_refuses_the_page_refuses_alike(game: Game, typed: dict[str, str], said: str) -> None:
    answer = make(visitor(game), game, **{"key": "a", "name": "Kept as typed", **typed})
    assert answer.status_code == 422
    assert said in answer.text
    if "name" not in typed:
        assert "Kept as typed" in answer.text
    assert not Achievement.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_key_is_taken_once(game: Game) -> None:
    factories.achievement(game, "a")
    answer = make(visitor(game), game, key="a", name="Another")
    assert answer.status_code == 422
    assert "has an achievement with the key" in answer.text
    assert Achievement.objects.count() == 1


EVERYTHING = {
    "name": "Tricky  name",
    "description": "Two\nlines & <b>signs</b>",
    "points": 7,
    "hidden": True,
    "authority": "client",
    "group": "dlc",
    "icon_url": "https://example.com/a.png",
    "available_from": "2027-01-01T00:00:01.500Z",
    "available_until": "2027-02-01T00:00:00Z",
    "translations": {"de": {"name": "Ä"}, "pt-BR": {"name": "B", "description": "Uma\nduas"}},
}
WAYS: dict[str, dict[str, Any]] = {
    "at once": {},
    "steps": {"type": "incremental", "target": 9},
    "a stat": {"type": "incremental", "target": 9, "stat": "kills"},
    "at most": {"type": "incremental", "goal": {"stat": "kills", "at_most": 2.5}},
    "any": {
        "type": "incremental",
        "goal": {"any": [{"stat": "kills", "at_least": 2}, {"stat": "wins", "at_most": 1}]},
    },
    "a sum": {"type": "incremental", "goal": {"sum": {"kills": 2, "wins": -1}, "at_least": 10}},
    "a tree": {"type": "incremental", "goal": {"all": [{"any": [{"stat": "kills", "at_least": 2}]}]}},
    "others": {"type": "meta", "requires": ["z", "b", "c"], "requires_count": 2},
}


@pytest.mark.parametrize("way", WAYS)
def test_an_untouched_form_changes_nothing(game: Game, api: Any, way: str) -> None:
    for key in ("kills", "wins"):
        factories.stat(game, key)
    for key in ("b", "c", "z"):
        factories.achievement(game, key)
    made = api.post(f"/games/{game.uuid}/achievements", {"key": "a", **EVERYTHING, **WAYS[way]})
    assert made.status_code == 201
    answer = Editor(game).open().save()
    assert answer.status_code == 302
    assert not DefinitionDraft.objects.exists()
    assert DefinitionVersion.objects.count() == 1


@pytest.mark.parametrize("driven", ["all", "any", "sum"])
def test_goals_are_typed_in_rows(game: Game, driven: str) -> None:
    for key in ("kills", "wins"):
        factories.stat(game, key)
    rows = {
        "goal_stat": ["kills", "", "wins"],
        "goal_bound": ["at_least", "at_least", "at_most"],
        "goal_threshold": ["10", "", "2.5"],
        "goal_factor": ["2", "1", "-1"],
    }
    typed = {"type": "incremental", "driven": driven, "sum_threshold": "30", **rows}
    assert make(visitor(game), game, key="a", name="A", **typed).status_code == 302
    parts = [{"stat": "kills", "at_least": 10}, {"stat": "wins", "at_most": 2.5}]
    expected = {"sum": {"kills": 2, "wins": -1}, "at_least": 30} if driven == "sum" else {driven: parts}
    assert stored().goal == expected


def test_a_sum_names_a_stat_once(game: Game) -> None:
    factories.stat(game, "kills")
    rows = {name: ["kills", "kills"] for name in ("goal_stat", "goal_bound", "goal_threshold")}
    typed = {"type": "incremental", "driven": "sum", "sum_threshold": "30", "goal_factor": ["1", "2"], **rows}
    answer = make(visitor(game), game, key="a", name="A", **typed)
    assert answer.status_code == 422
    assert "names a stat twice" in answer.text


def test_a_draft_is_changed_at_once(game: Game) -> None:
    factories.achievement(game, "a", state="draft")
    answer = Editor(game).open().save(points="30")
    assert answer.status_code == 302
    assert stored().points == 30
    assert not DefinitionDraft.objects.exists()
    assert AuditEntry.objects.get().details == {"key": "a", "fields": ["points"]}


def test_changes_of_what_is_published_wait_and_nobody_sees_them(game: Game, api: Any) -> None:
    factories.achievement(game, "a", name="Old", points=10)
    before = api.get(f"/games/{game.uuid}/achievements/a").content
    editor = Editor(game)
    page = editor.client.get(editor.open().save(name="New", points="30")["Location"])
    assert "Unpublished changes" in page.text
    assert "Publish 2 changes" in re.sub(r"\s+", " ", page.text)
    assert 'value="New"' in page.text
    assert api.get(f"/games/{game.uuid}/achievements/a").content == before
    assert not DefinitionVersion.objects.exists()
    assert (stored().name, stored().points) == ("Old", 10)
    assert "Unpublished changes" in editor.client.get(pages(game)).text


def test_what_waits_is_shown_and_then_published(game: Game) -> None:
    row = factories.achievement(game, "a", points=10, description="Hear all six voices.")
    AchievementCount.objects.create(achievement=row, unlocked=1977)
    editor = Editor(game)
    sent = editor.open().save(points="30", description="Hear all seven voices.", then="publish")
    assert sent["Location"] == f"{editor.url}/publish"
    page = editor.client.get(sent["Location"])
    assert "1,977 players hold it and keep it." in page.text
    shown = re.sub(r"\s+", " ", page.text)
    assert "Hear all <del>six</del> <ins>seven</ins> voices." in shown
    assert "<del>10</del> <ins>30</ins>" in shown
    assert editor.act("publish").status_code == 302
    assert (stored().points, stored().description) == (30, "Hear all seven voices.")
    assert not DefinitionDraft.objects.exists()
    version = DefinitionVersion.objects.get()
    assert version.actor == f"user:developer-{game.pk}@example.com"
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
        "achievement.draft",
        "achievement.publish",
    ]


@pytest.mark.slow
def test_a_draft_is_published_and_archived_and_published_again(game: Game) -> None:
    factories.achievement(game, "a", state="draft")
    editor = Editor(game)
    assert "<ins>published</ins>" in editor.client.get(f"{editor.url}/publish").text
    for act, state in (("publish", "published"), ("archive", "archived"), ("publish", "published")):
        assert editor.client.get(f"{editor.url}/{act}").status_code == 200
        assert editor.act(act).status_code == 302
        assert stored().state == state
        assert editor.client.get(editor.url).status_code == 200


@pytest.mark.parametrize("told", [{}, {"announce": "on"}], ids=["silently", "announced"])
def test_publishing_says_who_meets_it_already(world: World, told: dict[str, str]) -> None:
    factories.stat(world.game, "kills")
    factories.achievement(world.game, "a", type="incremental", stat="kills", target=100)
    for number in range(1, 6):
        world.report(f"p-{number}", kills={"add": 10 * number})
    editor = Editor(world.game)
    editor.open().save(target="40")
    page = editor.client.get(f"{editor.url}/publish")
    assert "2 players meet it already and are given it in the background." in page.text
    assert "counts by the new rule from now on" in page.text
    assert not Backfill.objects.exists()
    assert editor.act("publish", **told).status_code == 302
    assert Backfill.objects.get().is_silent is not bool(told)


def test_what_was_not_shown_is_not_published(game: Game, api: Any) -> None:
    factories.achievement(game, "a", points=10)
    editor = Editor(game)
    editor.open().save(points="30")
    token = editor.token()
    api.patch(f"/games/{game.uuid}/achievements/a", {"points": 20})
    answer = editor.act("publish", token)
    assert answer.status_code == 409
    assert "was changed meanwhile" in answer.text
    assert "<del>20</del> <ins>30</ins>" in re.sub(r"\s+", " ", answer.text)
    assert "Changed by somebody else since this draft was begun: Points." in answer.text
    assert stored().points == 20
    assert editor.act("publish").status_code == 302
    assert stored().points == 30


def test_changes_by_others_stand_where_a_draft_says_nothing(game: Game, api: Any) -> None:
    factories.achievement(game, "a", points=10, name="Old")
    editor = Editor(game)
    editor.open().save(points="30", translated_name=[], new_language="de", new_name="Neu")
    path = f"/games/{game.uuid}/achievements/a"
    api.patch(path, {"name": "By API", "translations": {"fr": {"name": "Nouveau"}}})
    editor.act("publish")
    assert (stored().points, stored().name) == (30, "By API")
    texts = dict(stored().translations.values_list("language", "name"))
    assert texts == {"de": "Neu", "fr": "Nouveau"}


def test_what_waits_is_not_published_with_several_others_unseen(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    factories.achievement(game, "b", state="draft")
    editor = Editor(game)
    editor.open().save(points="30")
    answer = editor.client.post(f"{pages(game)}/change", {"act": "publish", "keys": ["b", "a"]}, follow=True)
    assert "has changes that are not published" in answer.text
    assert (stored().points, stored("b").state) == (10, "draft")


def test_what_waits_is_discarded(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    editor = Editor(game)
    editor.open().save(points="30")
    stale = editor.token()
    editor.open().save(points="40")
    assert editor.act("discard", stale).status_code == 302
    assert DefinitionDraft.objects.exists()
    editor.act("discard")
    assert not DefinitionDraft.objects.exists()
    assert editor.open().fields["points"] == ["10"]


def test_typing_back_what_is_published_leaves_nothing_waiting(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    editor = Editor(game)
    editor.open().save(points="30")
    editor.open().save(points="10")
    assert not DefinitionDraft.objects.exists()


@pytest.mark.slow
def test_a_draft_is_deleted_and_what_was_published_is_not(game: Game) -> None:
    factories.achievement(game, "a", state="draft")
    factories.achievement(game, "b")
    draft, published = Editor(game, "a"), Editor(game, "b", "admin")
    assert published.act("delete")["Location"] == published.url
    assert draft.act("delete")["Location"] == pages(game)
    assert Achievement.objects.get().key == "b"
    assert AuditEntry.objects.get().action == "achievement.delete"
    assert DefinitionVersion.objects.get().after is None


@pytest.mark.slow
def test_a_draft_that_can_t_be_is_not_kept(game: Game) -> None:
    factories.achievement(game, "a")
    answer = Editor(game).open().save(type="meta", requires="a")
    assert answer.status_code == 422
    assert "requires itself" in answer.text
    assert not DefinitionDraft.objects.exists()
    assert not AuditEntry.objects.exists()


def test_translations_are_added_emptied_and_removed(game: Game, api: Any) -> None:
    texts = {"de": {"name": "D"}, "fr": {"name": "F", "description": "F"}, "it": {"name": "I"}}
    values = {"key": "a", "name": "A", "state": "draft", "translations": texts}
    api.post(f"/games/{game.uuid}/achievements", values)
    editor = Editor(game).open()
    assert editor.fields["language"] == ["de", "fr", "it"]
    page = editor.client.get(editor.url)
    assert "1 of 3 languages complete" in page.text
    answer = editor.save(
        translated_name=["", "F", "I"], remove=["it"], new_language="es", new_description="Hecho"
    )
    assert answer.status_code == 302
    found = stored().translations.order_by("language").values_list("language", "name", "description")
    assert list(found) == [("es", "", "Hecho"), ("fr", "F", "F")]
    assert Editor(game, role="admin").open().save(new_language="fr", new_name="x").status_code == 422


def test_languages_of_the_game_are_offered(game: Game, api: Any) -> None:
    factories.achievement(game, "a")
    api.post(
        f"/games/{game.uuid}/achievements", {"key": "b", "name": "B", "translations": {"de": {"name": "B"}}}
    )
    assert Editor(game).open().fields["language"] == ["de"]


ODD = (
    "\x00",
    "\ud7ff\u202e",
    "١٢",
    "9" * 5_000,
    "-1",
    "1e400",
    "NaN",
    "true",
    "../..",
    "{{ 7*7 }}",
    "\r\n",
    "é" * 3_000,
)


@pytest.mark.slow
def test_nothing_that_is_typed_breaks_the_page(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    factories.stat(game, "kills")
    ways = ({}, {"type": "meta"}, *({"type": "incremental", "driven": one} for one in goal_rows.DRIVEN))
    editor = Editor(game).open()
    names = [*editor.fields, "remove", "resolve", "seen", "longest"]
    for number, name in enumerate(names):
        for odd in ODD[number % 4 :: 4]:
            typed = {**ways[number % len(ways)], name: odd, "then": odd}
            assert editor.save(**typed).status_code in (302, 409, 422), (name, odd)
            answer = editor.client.post(f"{pages(game)}/preview", {**editor.fields, **typed})
            assert answer.status_code == 200, (name, odd)
    row = stored()
    assert (row.points, row.name, row.state) == (10, "A", "published")


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59:59"])
def test_the_first_and_the_last_moment_stay_as_they_are(game: Game, at: str) -> None:
    assert make(visitor(game), game, key="a", name="A", available_from=at).status_code == 302
    editor = Editor(game, role="admin").open()
    assert editor.fields["available_from"] == [at]
    editor.save()
    assert DefinitionVersion.objects.count() == 1


# --- what it asks for ---
def offered(page: Any) -> dict[str, tuple[bool, bool, str]]:
    """Return by key whether it is chosen, whether it can't be, and what is said of it."""
    return {one.key: (one.is_chosen, one.is_refused, one.note) for one in page.context["form"].prerequisites}


def test_what_can_t_be_asked_for_says_why(game: Game, api: Any) -> None:
    path = f"/games/{game.uuid}/achievements"
    for key in ("a", "plain", "one"):
        factories.achievement(game, key)
    factories.achievement(game, "raw", state="draft", name="Raw")
    for key, needed in (("by-one", "a"), ("by-two", "by-one")):
        api.post(path, {"key": key, "name": key, "type": "meta", "requires": [needed]})
    editor = Editor(game).open()
    kept = editor.keep(type="meta", requires=["plain", "one"])
    assert kept.status_code == 200
    shown = offered(editor.client.get(editor.url))
    assert list(shown)[:2] == ["plain", "one"]
    assert shown["plain"] == (True, False, "")
    for key in ("by-one", "by-two"):
        assert shown[key] == (False, True, "Asks for this one itself: nobody could get either.")
    assert shown["raw"] == (False, True, "A draft: nobody could get there. Publish it first.")
    assert "a" not in shown
    for key, said in (
        ("by-two", "require each other"),
        ("raw", "is a draft, so nobody could get there"),
    ):
        refused = editor.keep(type="meta", requires=["plain", key])
        assert refused.status_code == 422
        assert said in refused.text
    assert DefinitionDraft.objects.get().changes["requires"] == ["plain", "one"]


@pytest.mark.parametrize("is_of_several", [False, True])
def test_drafts_may_ask_for_each_other_and_are_published_in_order(game: Game, is_of_several: bool) -> None:
    for key in ("a", "raw"):
        factories.achievement(game, key, state="draft")
    editor = Editor(game).open()
    assert editor.save(type="meta", requires=["raw"]).status_code == 302

    def publish(*keys: str) -> Any:
        if is_of_several:
            sent = {"act": "publish", "keys": keys}
            return editor.client.post(f"{pages(game)}/change", sent, follow=True)
        return [Editor(game, key, client=editor.client).act("publish") for key in reversed(keys)][-1]

    assert "is a draft, so nobody could get there" in publish("a").text
    assert stored().state == "draft"
    publish("a", "raw")
    assert {stored().state, stored("raw").state} == {"published"}


# --- kept while somebody types ---
def test_what_is_typed_is_kept_by_itself_and_noted_once(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    editor = Editor(game).open()
    for points in ("30", "31"):
        kept = editor.keep(points=points)
        assert kept.status_code == 200
        for said in (
            "Draft saved",
            "Publish 1 change",
            "Unpublished changes",
            "<del>10</del>",
            "discard-form",
        ):
            assert said in kept.text
    wrong = editor.keep(points="many")
    assert wrong.status_code == 422
    assert '<li data-field="id_points">Points must be a whole number' in wrong.text
    assert DefinitionDraft.objects.get().changes == {"points": 31}
    assert [one.action for one in AuditEntry.objects.all()] == ["achievement.draft"]
    assert not editor.client.get(editor.url).context["messages"]


def test_of_a_draft_what_is_typed_is_no_version_until_it_is_saved(game: Game) -> None:
    factories.achievement(game, "a", state="draft", points=10, name="Old")
    editor = Editor(game).open()
    editor.keep(points="30")
    assert "not in the draft yet" in editor.keep(points="30", name="New").text
    assert (stored().points, DefinitionVersion.objects.count()) == (10, 0)
    assert editor.open().fields["name"] == ["New"]
    editor.save()
    assert (stored().points, stored().name, stored().state) == (30, "New", "draft")
    assert DefinitionVersion.objects.count() == 1
    assert not DefinitionDraft.objects.exists()
    editor.open().keep(points="40")
    editor.act("publish")
    assert (stored().points, stored().state) == (40, "published")
    assert not DefinitionDraft.objects.exists()


def test_nothing_is_kept_by_itself_over_what_somebody_else_typed(game: Game) -> None:
    factories.achievement(game, "a", points=10, name="Old")
    ada, bram = Editor(game, role="owner").open(), Editor(game, role="admin").open()
    bram.keep(points="20")
    for _ in range(2):
        answer = ada.keep(name="Ada's", points="15")
        assert answer.status_code == 409
        assert "changed this while you were editing" in answer.text
        assert DefinitionDraft.objects.get().changes == {"points": 20}
    seen = answer.context["conflict"].now.token
    ada.save(name="Ada's", points="15", resolve="both", seen=seen)
    assert bram.keep(points="21").status_code == 409
    assert DefinitionDraft.objects.get().changes == {"points": 15, "name": "Ada's"}


# --- two who edit ---
def test_nobody_overwrites_what_somebody_else_changed_meanwhile(game: Game) -> None:
    factories.achievement(game, "a", points=10, name="Old")
    ada, bram = Editor(game, role="owner").open(), Editor(game, role="admin").open()
    assert bram.save(points="20").status_code == 302
    answer = ada.save(name="Ada's")
    assert answer.status_code == 409
    told = re.sub(r"\s+", " ", answer.text)
    assert f"<bdi>admin-{game.pk}@example.com</bdi> changed this while you were editing." in told
    assert "Changed there: Points." in told
    assert "Ada&#x27;s" in told
    assert DefinitionDraft.objects.get().changes == {"points": 20}


@pytest.mark.parametrize("state", ["draft", "published"])
@pytest.mark.parametrize(
    ("resolve", "expected"), [("both", ("Ada's", 20)), ("mine", ("Ada's", 10)), ("", ("Old", 20))]
)
def test_a_conflict_is_settled_by_choice(
    game: Game, state: str, resolve: str, expected: tuple[str, int]
) -> None:
    factories.achievement(game, "a", points=10, name="Old", state=state)
    ada, bram = Editor(game, role="owner").open(), Editor(game, role="admin").open()
    bram.save(points="20")
    shown = fields_of(ada.save(name="Ada's"))
    answer = ada.client.post(ada.url, {**shown, "resolve": resolve})
    assert answer.status_code == (302 if resolve else 409)
    fields = ada.open().fields
    assert (fields["name"][0], int(fields["points"][0])) == expected


def test_where_both_changed_mine_stands_if_i_choose_so(game: Game) -> None:
    factories.achievement(game, "a", points=10, name="Old", description="Old text")
    ada, bram = Editor(game, role="owner").open(), Editor(game, role="admin").open()
    bram.save(points="20", description="Bram's")
    answer = ada.save(points="30", name="Ada's")
    assert "mine where we differ" in answer.text
    ada.client.post(ada.url, {**fields_of(answer), "resolve": "both"})
    assert DefinitionDraft.objects.get().changes == {"name": "Ada's", "points": 30, "description": "Bram's"}


def test_a_choice_holds_for_what_was_seen_only(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    ada, bram = Editor(game, role="owner").open(), Editor(game, role="admin").open()
    bram.save(points="20")
    shown = fields_of(ada.save(points="30"))
    bram.open().save(points="21")
    assert ada.client.post(ada.url, {**shown, "resolve": "mine"}).status_code == 409
    assert DefinitionDraft.objects.get().changes == {"points": 21}


def test_the_same_change_by_two_is_no_conflict(game: Game, api: Any) -> None:
    factories.achievement(game, "a", points=10)
    ada, bram = Editor(game, role="owner").open(), Editor(game, role="admin").open()
    bram.save(points="20")
    assert ada.save(points="20").status_code == 302


def test_a_move_is_no_conflict_and_a_change_by_api_is(game: Game, api: Any) -> None:
    for key in ("a", "b"):
        factories.achievement(game, key, points=10)
    ada = Editor(game).open()
    ada.client.post(f"{pages(game)}/move", {"to": "down a"})
    assert ada.save(points="20").status_code == 302
    ada.open()
    api.patch(f"/games/{game.uuid}/achievements/a", {"points": 5, "name": "By API"})
    answer = ada.save(points="40")
    assert answer.status_code == 409
    assert "<bdi>test" in answer.text  # the key's name


@pytest.mark.slow
def test_a_form_that_began_nowhere_is_refused(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    other = factories.achievement(game, "b", points=1)
    Editor(game, "b", "admin").open().save(points="3")
    assert DefinitionDraft.objects.get().achievement_id == other.pk
    editor = Editor(game).open()
    for base in ("", "0", "7.0", "999999.0", "x.y", "1" * 400, "0.0'; --"):
        answer = editor.save(points="20", base=base)
        assert answer.status_code == 422, base
        assert "open too long" in answer.text
    assert DefinitionDraft.objects.count() == 1


# --- history ---
def test_the_history_tells_who_changed_what_and_leads_back(game: Game, api: Any) -> None:
    path = f"/games/{game.uuid}/achievements"
    api.post(path, {"key": "a", "name": "First name", "points": 5, "translations": {"de": {"name": "D"}}})
    api.patch(f"{path}/a", {"name": "Second name", "points": 6, "translations": {}})
    editor = Editor(game)
    page = editor.client.get(f"{editor.url}/history")
    told = re.sub(r"\s+", " ", page.text)
    assert "<del>First</del> <ins>Second</ins> name" in told
    assert "by API" in told
    first = DefinitionVersion.objects.order_by("id").first()
    assert first is not None
    back = f"history/{first.pk}"
    shown = re.sub(r"\s+", " ", editor.client.get(f"{editor.url}/{back}").text)
    assert "<del>Second</del> <ins>First</ins> name" in shown
    assert editor.act(back, "0.0").status_code == 409
    assert stored().points == 6
    assert editor.act(back).status_code == 302
    assert (stored().name, stored().points, stored().state) == ("First name", 5, "published")
    assert stored().translations.get().name == "D"
    newest = DefinitionVersion.objects.order_by("-id")[0]
    assert (newest.source, newest.actor) == ("restore", f"user:developer-{game.pk}@example.com")
    assert AuditEntry.objects.get().action == "achievement.restore"


@pytest.mark.slow
def test_a_version_that_can_t_be_any_more_is_not_restored(game: Game, api: Any) -> None:
    path = f"/games/{game.uuid}/achievements"
    factories.achievement(game, "b", state="draft")
    api.post(path, {"key": "a", "name": "A", "type": "meta", "requires": ["b"]})
    api.patch(f"{path}/a", {"type": "standard", "requires": []})
    api.delete(f"{path}/b")
    first = DefinitionVersion.objects.filter(after__key="a").order_by("id")[0]
    editor = Editor(game)
    answer = editor.act(f"history/{first.pk}")
    assert answer.status_code == 409
    assert stored().type == "standard"


@pytest.mark.parametrize(("state", "status"), [("published", 409), ("draft", 302)])
def test_going_back_asks_players_for_no_draft(game: Game, api: Any, state: str, status: int) -> None:
    path = f"/games/{game.uuid}/achievements"
    factories.achievement(game, "b", state="draft")
    api.post(path, {"key": "a", "name": "A", "type": "meta", "requires": ["b"], "state": "draft"})
    api.patch(f"{path}/a", {"type": "standard", "requires": [], "state": state})
    first = DefinitionVersion.objects.filter(after__key="a").order_by("id")[0]
    answer = Editor(game).act(f"history/{first.pk}")
    assert answer.status_code == status
    assert ("publish it first" in answer.text) == (status == 409)
    assert stored().type == ("standard" if status == 409 else "meta")


def test_versions_of_another_achievement_are_not_there(game: Game, api: Any) -> None:
    path = f"/games/{game.uuid}/achievements"
    for key in ("a", "b"):
        api.post(path, {"key": key, "name": key})
    other = DefinitionVersion.objects.get(after__key="b")
    editor = Editor(game)
    for pk in (other.pk, 10**30, 0):
        assert editor.client.get(f"{editor.url}/history/{pk}").status_code == 404
        assert editor.client.post(f"{editor.url}/history/{pk}").status_code == 404


@pytest.mark.slow
def test_a_long_history_is_read_page_by_page(game: Game, api: Any) -> None:
    path = f"/games/{game.uuid}/achievements"
    api.post(path, {"key": "a", "name": "A"})
    for points in range(1, 25):
        api.patch(f"{path}/a", {"points": points})
    editor = Editor(game)
    page = editor.client.get(f"{editor.url}/history")
    assert len(page.context["entries"]) == 20
    older = editor.client.get(f"{editor.url}/history?before={page.context['older']}")
    assert len(older.context["entries"]) == 5
    for odd in ("x", "-1", "9" * 40, "1"):
        assert editor.client.get(f"{editor.url}/history?before={odd}").status_code == 200


# --- the preview ---
@pytest.mark.slow
def test_the_preview_shows_what_is_typed_right_or_wrong_and_stores_nothing(game: Game) -> None:
    factories.achievement(game, "a")
    editor = Editor(game).open()
    typed = {"name": "<script>alert(1)</script>", "points": "x", "type": "incremental", "target": "7"}
    answer = editor.client.post(f"{pages(game)}/preview", {**editor.fields, **typed})
    assert answer.status_code == 200
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script" not in answer.text
    assert "<b>5</b> of 7" in answer.text
    for odd in ({}, {"goal_stat": ["a"] * 200}, {"language": ["de"] * 300, "target": "9" * 500}):
        assert editor.client.post(f"{pages(game)}/preview", odd).status_code == 200
    assert not DefinitionDraft.objects.exists()


@pytest.mark.slow
def test_the_preview_says_how_much_publishing_would_change(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    editor = Editor(game).open()
    for typed, label in (
        ({}, "Publish changes"),
        ({"points": "30"}, "Publish 1 change"),
        ({"points": "30", "name": "Other"}, "Publish 2 changes"),
        ({"points": "x"}, ""),
    ):
        answer = editor.client.post(f"{pages(game)}/preview", {**editor.fields, **typed})
        assert answer.context["label"] == label


@pytest.mark.slow
def test_the_longest_translation_is_shown_on_request(game: Game, api: Any) -> None:
    texts = {"de": {"name": "Ein sehr langer Name"}, "fr": {"name": "F"}}
    api.post(f"/games/{game.uuid}/achievements", {"key": "a", "name": "A", "translations": texts})
    editor = Editor(game).open()
    plain = editor.client.post(f"{pages(game)}/preview", editor.fields)
    longest = editor.client.post(f"{pages(game)}/preview", {**editor.fields, "longest": "on"})
    assert "Ein sehr langer Name" not in plain.text
    assert "Ein sehr langer Name" in longest.text


# --- who may ---
ACTS = ("", "/publish", "/archive", "/discard", "/delete", "/history/1")


@pytest.mark.parametrize("role", ["support", "analyst"])
def test_a_lesser_role_edits_nothing(game: Game, role: str) -> None:
    row = factories.achievement(game, "a", state="draft")
    client = visitor(game, role)
    assert "achievements/new" not in client.get(pages(game)).text
    for act in ACTS:
        assert client.post(f"{pages(game)}/{row.uuid}{act}", {"points": "3"}).status_code == 403
    assert stored().state == "draft"


@pytest.mark.slow
def test_another_game_s_achievement_is_not_there(game: Game) -> None:
    row = factories.achievement(game, "a", state="draft")
    sibling = factories.game(game.studio)
    stranger = visitor(factories.game())
    for base, client in ((pages(game), stranger), (pages(sibling), visitor(game))):
        for act in ACTS:
            assert client.post(f"{base}/{row.uuid}{act}", {"points": "3"}).status_code == 404
        assert client.get(f"{base}/{row.uuid}/history").status_code == 404
    assert stored().state == "draft"


def test_rows_of_a_form_say_what_a_goal_says() -> None:
    shown = goal_rows.shown(None, {"sum": {"a": 2, "b": -1}, "at_most": 2.5})
    said = goal_rows.read(
        shown.driven, shown.rows, bound=shown.bound, threshold=shown.threshold, written=shown.written
    )
    assert said == {"sum": {"a": 2, "b": -1}, "at_most": 2.5}
