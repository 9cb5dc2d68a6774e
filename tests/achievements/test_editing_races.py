"""Two who edit the same achievement at the same moment: one is stored, the other is asked."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.selectors import GameInfo, fresh_game
from achievements import documents
from achievements.models import Achievement, DefinitionDraft, DefinitionVersion
from achievements.selectors import definitions as catalogues
from achievements.selectors import editing as standings
from achievements.services import definitions, editing, publishing
from achievements.services.editing import EditedMeanwhile, Overtaken
from achievements.services.versions import Author
from core.refusals import Refused
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


@pytest.fixture
def game() -> GameInfo:
    made = factories.game()
    factories.achievement(made, "a", points=10, name="Old")
    factories.achievement(made, "b", points=10, name="Old", state="draft")
    info = fresh_game(made.uuid)
    assert info is not None
    return info


def now(game: GameInfo, key: str) -> standings.Standing:
    return standings.standing(catalogues.fresh_catalogue(game.id).by_key[key])


def by(name: str) -> Author:
    return Author(f"user:{name}@example.com", timezone.now())


def together(*acts: Callable[[], object]) -> list[str]:
    """Do things at the same moment; return how each ended, in order."""
    barrier = Barrier(len(acts))

    def do(act: Callable[[], object]) -> str:
        try:
            barrier.wait()
            act()
        except Refused as error:
            return type(error).__name__
        else:
            return "stored"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def save(game: GameInfo, key: str, points: int, base: str, name: str) -> Callable[[], object]:
    values = documents.unflat({**now(game, key).edited, "points": points})
    return lambda: editing.save(game=game, key=key, values=values, base=base, by=by(name))


@pytest.mark.slow
@pytest.mark.parametrize("key", ["a", "b"])
def test_of_two_edits_one_is_stored(game: GameInfo, key: str) -> None:
    for turn in range(ROUNDS):
        base = now(game, key).token
        ended = together(save(game, key, 100 + turn, base, "ada"), save(game, key, 200 + turn, base, "bram"))
        assert Counter(ended) == {"stored": 1, EditedMeanwhile.__name__: 1}
        expected = (100 if ended[0] == "stored" else 200) + turn
        assert now(game, key).edited["points"] == expected


@pytest.mark.slow
def test_of_two_who_publish_one_does(game: GameInfo) -> None:
    for turn in range(ROUNDS):
        save(game, "a", 100 + turn, now(game, "a").token, "ada")()
        token = now(game, "a").token
        act = partial(publishing.publish, game=game, key="a", token=token, by=by("ada"))
        assert Counter(together(act, act)) == {"stored": 1, Overtaken.__name__: 1}
        assert Achievement.objects.get(key="a").points == 100 + turn
    assert DefinitionVersion.objects.count() == ROUNDS
    assert not DefinitionDraft.objects.exists()


@pytest.mark.slow
def test_publishing_publishes_what_was_shown_while_others_edit_and_report_changes(game: GameInfo) -> None:
    for turn in range(ROUNDS):
        save(game, "a", 100 + turn, now(game, "a").token, "ada")()
        shown = now(game, "a")
        ended = together(
            partial(publishing.publish, game=game, key="a", token=shown.token, by=by("ada")),
            save(game, "a", 300 + turn, shown.token, "bram"),
            partial(
                definitions.update,
                game=game,
                key="a",
                values={"description": f"By API {turn}"},
                by=by("api"),
            ),
        )
        assert set(ended) <= {"stored", EditedMeanwhile.__name__, Overtaken.__name__}
        assert ended[2] == "stored"
        standing = now(game, "a")
        assert standing.published["description"] == f"By API {turn}"
        if ended[0] == "stored":
            assert standing.published["points"] == 100 + turn
        if standing.draft is not None:
            publishing.discard(game=game, key="a", token=standing.token, by=by("ada"))


def test_the_history_has_no_gap_and_no_fork(game: GameInfo) -> None:
    together(
        *(
            partial(definitions.update, game=game, key="a", values={"points": points}, by=by("api"))
            for points in range(20, 28)
        )
    )
    rows = list(DefinitionVersion.objects.order_by("id"))
    assert len(rows) == 8
    assert all(one.after == following.before for one, following in pairwise(rows))
    assert rows[-1].after is not None
    assert rows[-1].after["points"] == Achievement.objects.get(key="a").points


def test_a_draft_that_is_deleted_meanwhile_is_not_brought_back(game: GameInfo) -> None:
    token = now(game, "b").token
    ended = together(
        save(game, "b", 50, token, "ada"),
        lambda: publishing.delete(game=game, key="b", token=token, by=by("bram")),
    )
    assert ended in (["stored", "Overtaken"], ["NotFound", "stored"])
    assert Achievement.objects.filter(key="b").exists() == (ended[0] == "stored")
