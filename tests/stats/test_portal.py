"""Stats in the portal: the table, a new one, changing, archiving, deleting; with what feeds on them."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.embedded import Servers
from core.models import AuditEntry
from stats.models import Stat, StatValue
from tests import factories
from tests.accounts.members import House, audited
from tests.patience import valkey_frozen

pytestmark = pytest.mark.django_db

REFUSED = {"outsider": 404, "signed out": 302}
LOOKS = {"owner": 200, "admin": 200, "developer": 200, "support": 200, "analyst": 200, **REFUSED}
WRITES = {"owner": 422, "admin": 422, "developer": 422, "support": 403, "analyst": 403, **REFUSED}
NEW = {"key": "kills", "name": "Kills", "aggregation": "sum", "authority": "server"}


@pytest.fixture
def house() -> House:
    return House()


def pages(house: House, rest: str = "") -> str:
    return f"games/{house.game.uuid}/stats{rest}"


def one(house: House, stat: Stat, rest: str = "") -> str:
    return pages(house, f"/{stat.uuid}{rest}")


def shown(page: Any) -> list[str]:
    """Return the keys of a table's rows."""
    return re.findall(r"<code>([^<]+)</code>", page.text)


def cells(page: Any) -> list[str]:
    """Return what a table's cells say."""
    found = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", page.text, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found]


def report(house: House, *players: str, key: str = "kills") -> None:
    server = factories.api(factories.server_key(house.studio))
    for player in players:
        body = {"game_id": str(house.game.uuid), "player": player, "stats": {key: {"add": 3}}}
        answer = server.post("/stats/report", {**body, "event_id": str(uuid4())})
        assert answer.status_code == 202, answer.content


def test_the_table_says_how_each_is_kept_and_what_it_feeds(house: House) -> None:
    factories.stat(house.game, "kills", name="Kills", increment_only=True, max_delta=50, min=0, max="10000.5")
    factories.stat(
        house.game, "best_lap", name="Best lap", aggregation="min", archived_at="2026-01-01T00:00Z"
    )
    factories.achievement(house.game, "hunter", type="incremental", stat="kills", target=100)
    factories.leaderboard(house.game, "most-kills", stat="kills", operator="sum")
    factories.leaderboard(house.game, "old", stat="kills", archived_at="2026-01-01T00:00Z")
    report(house, "p-1", "p-2")
    page = house.get(pages(house), by="analyst")
    assert cells(page)[6:] == [
        *("Kills kills", "Sum", "0 to 10,000.5 · by 50 at most · only rises", "2"),
        *("1 achievement · 1 board", "Open"),
        *("Best lap best_lap", "Lowest", "–", "0", "nothing yet", "Archived"),
    ]
    assert "New stat" not in page.text
    assert "New stat" in house.get(pages(house)).text


def test_the_table_is_searched_and_filtered(house: House) -> None:
    factories.stat(house.game, "kills", name="Foes <b>slain</b>")
    factories.stat(house.game, "laps", name="Laps", archived_at="2026-01-01T00:00Z")
    assert shown(house.get(pages(house, "?q=SLAIN"))) == ["kills"]
    assert shown(house.get(pages(house, "?state=archived"))) == ["laps"]
    assert shown(house.get(pages(house, "?state=open&q=laps"))) == []
    assert len(shown(house.get(pages(house, "?state=x&page=-7")))) == 2
    page = house.get(pages(house, "?q=nothing"))
    assert "No stat fits." in page.text
    assert "Foes &lt;b&gt;slain" in house.get(pages(house)).text


def test_a_game_without_stats_says_what_they_are_for(house: House) -> None:
    assert "This game has no stats yet." in house.get(pages(house)).text


def test_as_many_queries_are_made_for_many_stats_as_for_one(house: House) -> None:
    factories.stat(house.game, "s0")
    house.get(pages(house))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert house.get(pages(house)).status_code == 200
        return len(captured)

    few = queries()
    for number in range(1, 60):
        factories.stat(house.game, f"s{number}")
    assert len(shown(house.get(pages(house)))) == 50
    assert len(shown(house.get(pages(house, "?page=2")))) == 10
    assert queries() == few <= 11


def test_a_stat_is_made_and_noted(house: House) -> None:
    form = NEW | {"increment_only": "on", "min": "0", "max": "1 000 000", "max_delta": "0.25", "default": ""}
    answer = house.post(pages(house, "/new"), form)
    made = Stat.objects.get()
    assert answer["Location"] == house.path(one(house, made))
    assert (made.key, made.increment_only) == ("kills", True)
    assert [str(made.max), str(made.max_delta)] == ["1000000.000000", "0.250000"]
    assert audited(house.studio) == [("stat.create", "user:owner@example.com")]
    entry = AuditEntry.objects.get()
    assert entry.object_id == str(made.uuid)
    assert (entry.details["key"], entry.details["max_delta"]) == ("kills", "0.25")
    server = factories.api(factories.server_key(house.studio))
    assert server.get(f"/games/{house.game.uuid}/stats/kills").json()["max"] == 1_000_000


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"key": ""}, "key", "required"),
        ({"key": " kills"}, "key", "white space"),
        ({"key": "x" * 129}, "key", "128 characters"),
        ({"key": "a\x00b"}, "key", "Null characters"),
        ({"key": ".."}, "key", "address"),
        ({"name": "  "}, "name", "required"),
        ({"aggregation": "median"}, "aggregation", "valid choice"),
        ({"authority": ""}, "authority", "required"),
        ({"min": "1e5"}, "min", "Write a number"),
        ({"min": "NaN"}, "min", "Write a number"),
        ({"min": "1,234"}, "min", "Write a number"),
        ({"min": "12 34"}, "min", "Write a number"),
        ({"min": "٣"}, "min", "Write a number"),
        ({"max": "9" * 41}, "max", "Write a number"),
        ({"max": "9007199254740993"}, "max", "could not be kept exactly"),
        ({"max": "0.0000001"}, "max", "6 decimals"),
        ({"max_delta": "0"}, "max_delta", "above 0"),
        ({"min": "5", "max": "4"}, "min", "swap them"),
        ({"max": "4", "default": "5"}, "default", "between them"),
        ({"aggregation": "min", "increment_only": "on"}, "increment_only", "only falls"),
    ],
)
def test_a_stat_that_can_t_be_is_refused_at_its_field(
    house: House, changed: dict[str, str], field: str, said: str
) -> None:
    answer = house.post(pages(house, "/new"), NEW | changed)
    assert answer.status_code == 422
    assert said in " ".join(map(str, answer.context["form"].errors[field]))
    assert 'value="Kills"' in answer.text or "name" in changed
    assert not Stat.objects.exists()
    assert audited(house.studio) == []


def test_a_key_that_is_taken_is_refused(house: House) -> None:
    factories.stat(house.game, "Kills")
    answer = house.post(pages(house, "/new"), NEW)
    assert answer.status_code == 422
    assert "would be taken for" in answer.text
    assert Stat.objects.count() == 1


def test_a_stat_is_changed_where_the_sender_touched_it(house: House) -> None:
    stat = factories.stat(house.game, name="Kills", max_delta=50)
    form = {
        "name": "Foes",
        "initial-name": "Kills",
        "aggregation": "max",
        "initial-aggregation": "sum",
        "authority": "server",
        "initial-authority": "server",
        "max_delta": "7",
        "initial-max_delta": "7",
    }
    answer = house.post(one(house, stat), form, by="developer")
    assert answer.status_code == 302
    stat.refresh_from_db()
    assert (stat.name, stat.aggregation, stat.version) == ("Foes", "max", 2)
    assert stat.max_delta == 50
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("stat.update", "user:developer@example.com")
    assert entry.details["name"] == {"before": "Kills", "after": "Foes"}
    assert "max_delta" not in entry.details
    assert (
        house.post(
            one(house, stat), form | {"initial-name": "Foes", "initial-aggregation": "max"}
        ).status_code
        == 302
    )
    assert AuditEntry.objects.count() == 1


def test_how_values_are_made_stays_once_there_are_some(house: House) -> None:
    stat = factories.stat(house.game)
    assert 'name="aggregation"' in house.get(one(house, stat)).text
    report(house, "p-1")
    page = house.get(one(house, stat))
    assert 'name="aggregation"' not in page.text
    assert "it can't change any more" in page.text
    late = house.post(one(house, stat), NEW | {"aggregation": "max"})
    assert late.status_code == 422
    assert "can't change under them" in str(late.context["form"].errors["aggregation"][0])
    assert house.post(one(house, stat), {"name": "Foes", "authority": "server"}).status_code == 302
    stat.refresh_from_db()
    assert (stat.name, stat.aggregation) == ("Foes", "sum")


def test_a_stat_is_archived_and_taken_up_again_with_its_consequence_in_numbers(house: House) -> None:
    stat = factories.stat(house.game)
    factories.achievement(house.game, type="incremental", stat="kills", target=100)
    report(house, "p-1", "p-2")
    page = " ".join(house.get(one(house, stat)).text.split())
    assert "Reports of it are refused. 2 players keep their values." in page
    assert "achievements 1, boards 0" in page
    assert house.post(one(house, stat, "/archive"), {"archived": "true"}).status_code == 302
    server = factories.api(factories.server_key(house.studio))
    body = {"game_id": str(house.game.uuid), "player": "p-1", "stats": {"kills": {"add": 3}}}
    refused = server.post("/stats/report", {**body, "event_id": str(uuid4())}).json()
    assert refused["status"] == "rejected" or refused["status"] == 409, refused
    assert house.post(one(house, stat, "/archive"), {"archived": "false"}).status_code == 302
    report(house, "p-1")
    assert [action for action, _ in audited(house.studio)] == ["stat.archive", "stat.restore"]


def test_only_a_stat_that_nobody_has_a_value_of_is_deleted(house: House) -> None:
    stat = factories.stat(house.game)
    report(house, "p-1")
    assert "Delete the stat" not in house.get(one(house, stat)).text
    answer = house.client("owner").post(house.path(one(house, stat, "/delete")), follow=True)
    assert "players have values of this stat by now" in answer.text
    assert (Stat.objects.count(), StatValue.objects.count()) == (1, 1)
    StatValue.objects.all().delete()
    assert "Delete the stat" in house.get(one(house, stat)).text
    assert house.post(one(house, stat, "/delete"))["Location"] == house.path(pages(house))
    assert not Stat.objects.exists()
    assert audited(house.studio) == [("stat.delete", "user:owner@example.com")]


@pytest.mark.slow
def test_who_may_look_and_who_may_write(house: House) -> None:
    stat = factories.stat(house.game)
    assert house.statuses("get", pages(house)) == house.statuses("get", one(house, stat)) == LOOKS
    assert house.statuses("post", pages(house, "/new")) == house.statuses("post", one(house, stat)) == WRITES
    for act in ("/archive", "/delete"):
        for who in ("support", "analyst", "outsider", "signed out"):
            answer = house.post(one(house, stat, act), {"archived": "true"}, by=who)
            assert answer.status_code == WRITES[who]
    assert Stat.objects.get().archived_at is None
    assert 'name="name"' not in house.get(one(house, stat), by="support").text
    assert audited(house.studio) == []


def test_another_game_s_stat_is_none_of_this_one(house: House) -> None:
    theirs = factories.stat(factories.game(house.studio))
    for path in (one(house, theirs), pages(house, f"/{uuid4()}")):
        assert house.get(path).status_code == 404
        assert house.post(path, NEW).status_code == 404
        assert house.post(f"{path}/delete").status_code == 404
    assert Stat.objects.count() == 1


def test_pages_answer_while_valkey_is_away(house: House, servers: Servers) -> None:
    stat = factories.stat(house.game)
    house.get(pages(house))
    with valkey_frozen(servers):
        assert house.get(pages(house)).status_code == 200
        assert house.get(one(house, stat)).status_code == 200
