"""The history of definitions: whoever changes one, by whichever door, leaves what it was and what it became."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Game, ServerKey
from accounts.selectors import fresh_game
from achievements.models import Achievement, DefinitionVersion
from achievements.services import arranging, importing
from tests import factories
from tests.achievements.test_portal import laurel, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def game() -> Game:
    return factories.game()


@pytest.fixture
def api(game: Game) -> Any:
    return factories.api(factories.server_key(game.studio))


def told(*fields: str) -> list[Any]:
    """Return the versions, oldest first, by these fields of what was and what is."""
    return [
        (row.source, *(tuple((side or {}).get(name) for name in fields) for side in (row.before, row.after)))
        for row in DefinitionVersion.objects.order_by("id")
    ]


def test_every_change_by_api_is_kept_with_who_and_what(game: Game, api: Any) -> None:
    path = f"/games/{game.uuid}/achievements"
    api.post(path, {"key": "a", "name": "A", "state": "draft"})
    api.patch(f"{path}/a", {"points": 5, "translations": {"de": {"name": "Ä"}}})
    api.delete(f"{path}/a")
    assert told("name", "points") == [
        ("api", (None, None), ("A", 0)),
        ("api", ("A", 0), ("A", 5)),
        ("api", ("A", 5), (None, None)),
    ]
    row = DefinitionVersion.objects.get(after__points=5)
    assert row.actor == f"key:{ServerKey.objects.get().uuid}"
    assert told("translations")[1] == ("api", ({},), ({"de": {"name": "Ä"}},))


def test_a_definition_from_before_the_history_is_kept_as_it_was(game: Game, api: Any) -> None:
    factories.achievement(game, "old", points=3)
    api.patch(f"/games/{game.uuid}/achievements/old", {"points": 4})
    assert told("points") == [("api", (3,), (4,))]


def test_what_changes_nothing_or_is_refused_has_no_version(game: Game, api: Any) -> None:
    factories.achievement(game, "a", points=3)
    path = f"/games/{game.uuid}/achievements/a"
    assert api.patch(path, {"points": 3}).status_code == 200
    assert api.patch(path, {"points": -1}).status_code == 422
    assert api.delete(path).status_code == 409
    assert api.post(f"{path}/preview", {"points": 9}).status_code == 200
    assert not DefinitionVersion.objects.exists()


@pytest.mark.slow
def test_an_import_keeps_a_version_of_each_in_few_statements(game: Game) -> None:
    factories.achievement(game, "a0", points=1)
    info = fresh_game(game.uuid)
    assert info is not None

    def store(count: int, points: int) -> int:
        rows = [{"key": f"a{n}", "name": "A", "points": points} for n in range(count)]
        body = json.dumps({"achievements": rows}).encode()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            done = importing.import_file(
                game=info, format="laurel", body=body, dry_run=False, actor="platform", at=timezone.now()
            )
        assert not done.errors
        return len(queries)

    few = store(10, 1)
    assert store(300, 1) <= few + 1
    assert DefinitionVersion.objects.filter(source="import", before__isnull=True).count() == 299
    assert told("points", "name")[9] == ("import", (1, "A0"), (1, "A"))


def test_a_dry_run_keeps_nothing(game: Game, api: Any) -> None:
    body = json.dumps({"achievements": [{"key": "a", "name": "A"}]}).encode()
    answer = api.post(f"/games/{game.uuid}/achievements/import?format=laurel&dry_run=true", body)
    assert answer.status_code == 200
    assert not DefinitionVersion.objects.exists()


def test_an_import_by_api_and_by_page_name_who(game: Game, api: Any) -> None:
    body = json.dumps({"achievements": [{"key": "a", "name": "A"}]}).encode()
    api.post(f"/games/{game.uuid}/achievements/import?format=laurel", body)
    client = visitor(game)
    pages = f"/portal/{game.studio.uuid}/games/{game.uuid}/achievements"
    page = client.post(f"{pages}/import", {"format": "laurel", "file": laurel({"key": "a", "name": "B"})})
    said = {name: page.context[name] for name in ("token", "version")}
    client.post(f"{pages}/import/apply", said)
    assert told("name") == [("import", (None,), ("A",)), ("import", ("A",), ("B",))]
    first, second = DefinitionVersion.objects.order_by("id").values_list("actor", flat=True)
    assert first.startswith("key:")
    assert second == f"user:developer-{game.pk}@example.com"


@pytest.mark.slow
def test_acts_on_several_keep_a_version_of_each(game: Game) -> None:
    for key in ("a", "b"):
        factories.achievement(game, key, state="draft")
    client = visitor(game)
    pages = f"/portal/{game.studio.uuid}/games/{game.uuid}/achievements"
    for act in ("publish", "archive"):
        client.post(f"{pages}/change", {"act": act, "keys": ["a", "b"]})
    assert told("key", "state") == [
        ("portal", ("a", "draft"), ("a", "published")),
        ("portal", ("b", "draft"), ("b", "published")),
        ("portal", ("a", "published"), ("a", "archived")),
        ("portal", ("b", "published"), ("b", "archived")),
    ]


def test_a_move_is_one_version_of_what_was_moved(game: Game) -> None:
    for key in ("a", "b", "c"):
        factories.achievement(game, key)
    info = fresh_game(game.uuid)
    assert info is not None
    uuids = dict(Achievement.objects.values_list("key", "uuid"))
    for key, beside in (("c", "a"), ("a", "c")):
        arranging.place(
            game=info,
            achievement=uuids[key],
            beside=uuids[beside],
            is_before=True,
            actor="user:a@example.com",
            at=timezone.now(),
        )
    assert list(Achievement.objects.order_by("sort_order").values_list("key", flat=True)) == ["a", "c", "b"]
    assert told("key", "sort_order") == [("order", ("a", 1), ("a", 0))]


def test_a_version_is_never_changed_or_removed(game: Game, api: Any) -> None:
    api.post(f"/games/{game.uuid}/achievements", {"key": "a", "name": "A"})
    rows = DefinitionVersion.objects.all()
    for change in (
        lambda: rows.update(actor="somebody"),
        lambda: rows.update(actor="erased", source="api", after=None),
        rows.delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    rows.update(actor="erased")
    assert told("name") == [("api", (None,), ("A",))]
