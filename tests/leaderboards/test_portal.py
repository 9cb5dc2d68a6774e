"""Leaderboards in the portal: the table, a new one, standings, periods, snapshots and settings."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import Game
from config.embedded import Servers
from core.models import AuditEntry
from leaderboards.models import Leaderboard, Period, PeriodState, Score
from leaderboards.services import scores
from leaderboards.services.scores import ScoreRequest
from tests import factories
from tests.accounts.members import House, audited
from tests.leaderboards import kept
from tests.leaderboards.world import forget
from tests.patience import valkey_frozen

pytestmark = pytest.mark.django_db

REFUSED = {"outsider": 404, "signed out": 302}
LOOKS = {"owner": 200, "admin": 200, "developer": 200, "support": 200, "analyst": 200, **REFUSED}
WRITES = {"owner": 422, "admin": 422, "developer": 422, "support": 403, "analyst": 403, **REFUSED}
NEW = {
    "key": "best-lap",
    "name": "Best lap",
    "sort": "asc",
    "operator": "best",
    "tie_break": "dense",
    "decimals": "3",
    "format": "time_s",
    "authority": "server",
    "reset": "weekly",
    "time_zone": "UTC",
}


@pytest.fixture
def house() -> House:
    forget()
    factories.forget()
    return House()


def pages(house: House, rest: str = "") -> str:
    return f"games/{house.game.uuid}/leaderboards{rest}"


def page(house: House, rest: str, *, by: str = "owner") -> Any:
    return house.get(pages(house, f"/high-score{rest}"), by=by)


def score(game: Game, key: str = "high-score", /, **held: int) -> None:
    """Let players have scores, in this order."""
    info = accounts.fresh_game(game.uuid)
    assert info is not None
    requests = [ScoreRequest(name.replace("_", "-"), value) for name, value in held.items()]
    scores.submit_many(game=info, key=key, requests=requests, by=scores.SERVER, at=timezone.now())


def cells(page: Any) -> list[str]:
    """Return what the cells of a table's body say."""
    body = "".join(re.findall(r"<tbody>(.*?)</tbody>", page.text, re.S))
    found = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", body, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found]


def ranked(page: Any) -> list[tuple[str, str]]:
    """Return rank and player of each row of the standings."""
    return re.findall(r'class="rank num">([\d,]+)</span>.*?<code>([^<]+)</code>', page.text, re.S)


def queries(house: House, path: str) -> int:
    house.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert house.get(path).status_code == 200
    return len(captured)


def test_the_table_says_how_each_board_ranks_and_how_it_stands(house: House) -> None:
    factories.leaderboard(house.game, "high-score", name="High score")
    factories.leaderboard(
        house.game, "old", name="Old", sort="asc", tie_break="dense", archived_at=timezone.now()
    )
    score(house.game, p_1=50, p_2=70)
    found = cells(house.get(pages(house), by="analyst"))
    assert found == [
        *(
            "Points points · built in",
            "More is better · sum of unlocks",
            "1, 2, 2, 4",
            "0",
            "Open",
            "Never",
            "–",
        ),
        *("High score high-score", "More is better · Best", "1, 2, 2, 4", "2", "Open", "Never", found[13]),
        *("Old old", "Less is better · Best", "1, 2, 2, 3", "0", "Archived", "Never", "–"),
    ]
    assert found[13].startswith("today")
    assert "New board" not in house.get(pages(house), by="analyst").text
    assert "New board" in house.get(pages(house)).text


def test_the_table_is_searched_and_filtered(house: House) -> None:
    factories.leaderboard(house.game, "laps", name="Rounds <i>")
    factories.leaderboard(house.game, "old", archived_at=timezone.now())
    assert cells(house.get(pages(house, "?q=ROUNDS")))[0] == "Rounds &lt;i&gt; laps"
    assert cells(house.get(pages(house, "?state=archived")))[0] == "Old old"
    assert "No board fits." in house.get(pages(house, "?q=nothing&state=open")).text
    assert len(cells(house.get(pages(house, "?state=x&page=x")))) == 21


@pytest.mark.slow
def test_as_many_queries_are_made_for_many_boards_as_for_one(house: House) -> None:
    factories.leaderboard(house.game)
    score(house.game, p_1=50)
    few = queries(house, pages(house))
    for number in range(60):
        factories.leaderboard(house.game, f"b{number}")
        score(house.game, f"b{number}", p_1=50)
    assert len(cells(house.get(pages(house)))) == 50 * 7
    assert len(cells(house.get(pages(house, "?page=2")))) == 12 * 7
    assert queries(house, pages(house)) == few <= 12


def test_a_board_is_made_and_noted(house: House) -> None:
    form = NEW | {
        "spans": ["all", "day"],
        "max_score": "3600.5",
        "starts_at": "2026-01-02T03:04",
        "metadata": '{"a": 1}',
    }
    answer = house.post(f"games/{house.game.uuid}/new-leaderboard", form)
    made = Leaderboard.objects.get()
    assert answer["Location"] == house.path(pages(house, "/best-lap"))
    assert (made.sort, made.tie_break, made.reset, made.spans) == ("asc", "dense", "weekly", ["all", "day"])
    assert (made.max_units, made.metadata, made.stat) == (3_600_500, {"a": 1}, None)
    assert made.starts_at is not None
    assert made.starts_at.isoformat() == "2026-01-02T03:04:00+00:00"
    assert audited(house.studio) == [("leaderboard.create", "user:owner@example.com")]
    entry = AuditEntry.objects.get()
    assert (entry.object_id, entry.details["key"], entry.details["max_score"]) == (
        str(made.uuid),
        "best-lap",
        "3600.5",
    )


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"key": ""}, "key", "required"),
        ({"key": "a/b"}, "key", "slashes"),
        ({"key": "a\x00"}, "key", "Null characters"),
        ({"name": ""}, "name", "required"),
        ({"sort": "up"}, "sort", "valid choice"),
        ({"decimals": "7"}, "decimals", "0 to 6"),
        ({"decimals": "9" * 5000}, "decimals", "whole number"),
        ({"reset": "cron"}, "cron", "goes with"),
        ({"reset": "cron", "cron": "* * * * *"}, "cron", "once an hour"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "not known"),
        ({"spans": ["week"]}, "spans", "kept anyway"),
        ({"spans": ["year"]}, "spans", "valid choice"),
        ({"attempts_limit": "0"}, "attempts_limit", "1 to"),
        ({"operator": "sum", "attempts_limit": "1"}, "attempts_limit", "that submission"),
        ({"min_score": "0.0001"}, "min_score", "3 decimals"),
        ({"min_score": "2", "max_score": "1"}, "min_score", "swap them"),
        ({"min_score": "soon"}, "min_score", "Write a number"),
        ({"starts_at": "2026-01-02T00:00", "ends_at": "2026-01-01T00:00"}, "ends_at", "swap the two"),
        ({"starts_at": "2026-02-30T00:00"}, "starts_at", "valid date"),
        ({"metadata": "[1]"}, "metadata", "object"),
        ({"metadata": "{"}, "metadata", "JSON"),
        ({"metadata": '{"a": 1, "a": 2}'}, "metadata", "twice"),
        ({"metadata": "[" * 200}, "metadata", ""),
        ({"metadata": '{"a": "\\ud800"}'}, "metadata", ""),
        ({"stat": "none"}, "stat", "valid choice"),
    ],
)
def test_a_board_that_can_t_be_is_refused_at_its_field(
    house: House, changed: dict[str, Any], field: str, said: str
) -> None:
    answer = house.post(f"games/{house.game.uuid}/new-leaderboard", NEW | changed)
    assert answer.status_code == 422
    assert said in " ".join(map(str, answer.context["form"].errors[field]))
    assert not Leaderboard.objects.exists()
    assert audited(house.studio) == []


@pytest.mark.parametrize("key", ["points", "Points", "GLOBAL", "high-score", "HIGH-score"])
def test_a_key_that_is_taken_is_refused(house: House, key: str) -> None:
    factories.leaderboard(house.game)
    answer = house.post(f"games/{house.game.uuid}/new-leaderboard", NEW | {"key": key})
    assert answer.status_code == 422
    assert "key" in answer.text
    assert Leaderboard.objects.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("key", ["a b?&#%2F;", "ключ", "new", "..."])
def test_any_key_stands_in_an_address(house: House, key: str) -> None:
    answer = house.client("owner").post(
        house.path(f"games/{house.game.uuid}/new-leaderboard"), NEW | {"key": key}, follow=True
    )
    assert answer.status_code == 200
    assert Leaderboard.objects.get().key == key
    for link in set(re.findall(r'href="(/portal/[^"?]*/leaderboards/[^"?]+)', unescape(answer.text))):
        assert house.client("owner").get(link).status_code == 200, link


def test_equal_scores_show_one_rank_and_say_so(house: House) -> None:
    factories.leaderboard(house.game)
    score(house.game, p_1=90, p_2=80, p_3=80, p_4=70)
    found = page(house, "")
    assert ranked(found) == [("1", "p-1"), ("2", "p-2"), ("2", "p-3"), ("4", "p-4")]
    assert found.text.count('<span class="tie">tie</span>') == 2
    assert "Equal scores share a rank, and the ranks behind them are skipped." in found.text


def test_of_equal_scores_the_earliest_is_ahead_where_the_board_says_so(house: House) -> None:
    factories.leaderboard(house.game, tie_break="earliest")
    score(house.game, p_1=80, p_2=80)
    found = page(house, "")
    assert ranked(found) == [("1", "p-1"), ("2", "p-2")]
    assert "tie</span>" not in found.text


def test_pages_go_on_behind_each_other_and_tell_ties_across_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaderboards.portal.standings.A_PAGE", 2)
    factories.leaderboard(house.game)
    score(house.game, p_1=90, p_2=80, p_3=80, p_4=80, p_5=70)
    found, seen = page(house, ""), []
    for _ in range(3):
        seen.append((ranked(found), found.text.count("tie</span>")))
        further = re.findall(r'rel="next"\s+href="([^"]+)"', found.text)
        if further:
            found = page(house, further[0].replace("&amp;", "&"))
    assert seen == [
        ([("1", "p-1"), ("2", "p-2")], 1),
        ([("2", "p-3"), ("2", "p-4")], 2),
        ([("5", "p-5")], 0),
    ]
    assert "Back to the first place" in found.text
    assert page(house, "?cursor=forged").status_code == 400


@pytest.mark.slow
def test_a_player_is_found_on_the_board(house: House) -> None:
    factories.leaderboard(house.game)
    score(house.game, **{f"p_{number}": 1000 - number for number in range(120)})
    player = factories.player(house.studio, "p-99")
    for name in ("p-99", f"id:{player.uuid}", str(player.uuid), " p-99 "):
        found = page(house, f"?player={name}")
        assert re.findall(r'class="you".*?<code>([^<]+)</code>', found.text, re.S) == ["p-99"], name
        assert ("100", "p-99") in ranked(found)
    factories.player(house.studio, "p-new")
    assert "That player is not on this board" in page(house, "?player=p-new").text
    for name in ("nobody", "x" * 200, "a%00b", f"{uuid4()}"):
        assert "Your studio knows no player by that id." in page(house, f"?player={name}").text
    theirs = factories.player(house.elsewhere, "theirs")
    assert "knows no player" in page(house, f"?player={theirs.uuid}").text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("75", "75 would be rank <b>3</b>"),
        ("80", "80 would be rank <b>2</b>"),
        ("-1", "-1 would be rank <b>3</b>"),
        ("90", "90 would be rank <b>1</b>"),
        ("1.5", "This board keeps whole numbers"),
        ("soon", "Write a number"),
        ("9" * 80, "Write a number"),
    ],
)
def test_what_rank_a_score_would_have_is_told(house: House, asked: str, said: str) -> None:
    factories.leaderboard(house.game, tie_break="dense")
    score(house.game, p_1=90, p_2=80, p_3=80)
    assert said in page(house, f"?score={asked}").text
    assert "would be" not in page(house, "").text


def test_a_region_shows_who_lives_there(house: House) -> None:
    factories.leaderboard(house.game)
    factories.player(house.studio, "p-1", region="EU")
    factories.player(house.studio, "p-2", region="NA")
    score(house.game, p_1=50, p_2=70)
    assert ranked(page(house, "?region=EU")) == [("1", "p-1")]
    assert len(ranked(page(house, "?region=XX"))) == 2
    assert "Change in a day" not in page(house, "?region=EU").text


def test_a_period_is_chosen_by_its_id(house: House) -> None:
    board = factories.leaderboard(house.game, reset="daily", spans=["all"])
    final = kept.final_period(board)
    score(house.game, p_1=50)
    assert ranked(page(house, "")) == ranked(page(house, "?period=all")) == [("1", "p-1")]
    old = page(house, f"?period={final.name}")
    assert ranked(old) == []
    assert "It takes no scores any more." in old.text
    assert "Today" in old.text
    assert f"{final.name} · Final" in old.text
    assert page(house, "?period=2020-01-01").status_code == 404
    assert page(house, "?period=a%00b").status_code == 404


def test_a_page_of_standings_makes_as_many_queries_for_fifty_as_for_one(house: House) -> None:
    factories.leaderboard(house.game)
    score(house.game, p_1=50)
    few = queries(house, pages(house, "/high-score"))
    score(house.game, **{f"q_{number}": number for number in range(80)})
    assert len(ranked(page(house, ""))) == 50
    assert queries(house, pages(house, "/high-score")) <= few <= 16


def test_scores_are_written_by_the_board_s_format_with_what_was_sent_beside(house: House) -> None:
    factories.leaderboard(house.game, format="time_ms", sort="asc")
    info = accounts.fresh_game(house.game.uuid)
    assert info is not None
    scores.submit_many(
        game=info,
        key="high-score",
        requests=[ScoreRequest("p-1", 83456, metadata={"boat": "<b>"})],
        by=scores.SERVER,
        at=timezone.now(),
    )
    found = page(house, "")
    assert "1:23.456" in found.text
    assert "{&quot;boat&quot;:&quot;&lt;b&gt;&quot;}" in found.text


def test_names_are_shown_and_not_run(house: House) -> None:
    factories.leaderboard(house.game)
    factories.player(house.studio, "p-1", display_name="<script>alert(1)</script>")
    score(house.game, p_1=50)
    assert "<script>alert" not in page(house, "").text


def test_periods_say_their_state_and_offer_final_standings(house: House) -> None:
    board = factories.leaderboard(house.game, reset="daily", spans=["all"], name="High score")
    final = kept.final_period(board, players=7)
    late = kept.final_period(board, days_ago=1)
    Period.objects.filter(pk=late.pk).update(
        state=PeriodState.FINALISING, standings_hash=None, finalised_at=None
    )
    score(house.game, p_1=50)
    found = page(house, "/periods", by="analyst")
    text = " ".join(cells(found))
    assert "Finalising late scores until" in text
    assert bytes(range(32)).hex() in text
    assert "Begins anew" in found.text
    path = f"/periods/{final.name}/standings"
    assert found.text.count(house.path(pages(house, f"/high-score{path}"))) == 2
    file = page(house, path, by="analyst")
    assert file["Content-Type"] == "text/csv"
    assert file["Content-Disposition"] == f'attachment; filename="high-score-{final.name}.csv"'
    assert b"".join(file.streaming_content).startswith(b"rank,player_id,region,score")
    assert page(house, f"/periods/{late.name}/standings").status_code == 409
    assert page(house, "/periods/2020-01-01/standings").status_code == 404
    assert house.get(pages(house, "/points/periods/all/standings")).status_code == 404


@pytest.mark.slow
def test_periods_are_listed_page_by_page(house: House) -> None:
    board = factories.leaderboard(house.game, reset="daily")
    for days in range(60, 0, -1):
        kept.final_period(board, days_ago=days)
    first = page(house, "/periods")
    assert len(cells(first)) == 50 * 4
    further = re.findall(r'rel="next"\s+href="([^"]+)"', first.text)[0]
    assert len(cells(page(house, f"/periods{further}"))) == 10 * 4
    assert queries(house, pages(house, "/high-score/periods")) <= 9  # three are the rail's


@pytest.mark.slow
def test_a_snapshot_shows_how_places_changed_in_a_day(house: House) -> None:
    board = factories.leaderboard(house.game, reset="daily")
    score(house.game, p_1=90, p_2=80, p_3=70)
    period = Period.objects.get(leaderboard=board)
    ids = dict(Score.objects.values_list("sort_value", "player_id"))
    now = timezone.now()
    kept.snapshot(period, [(ids[-80], 1, -75), (ids[-90], 2, -60)], at=now - timedelta(days=1, hours=1))
    newest = kept.snapshot(period, [(ids[-90], 1, -90), (ids[-80], 2, -80), (ids[-70], 3, -70)], at=now)
    listed = page(house, "/snapshots", by="analyst")
    assert len(cells(listed)) == 2 * 3
    found = page(house, f"/snapshots/{newest.uuid}", by="analyst")
    assert ranked(found) == [("1", "p-1"), ("2", "p-2"), ("3", "p-3")]
    assert cells(found)[3::4] == ["1 up 1 place", "1 down 1 place", "New on the board"]
    Score.objects.filter(player_id=ids[-80]).update(hidden_at=now)
    assert [player for _, player in ranked(page(house, f"/snapshots/{newest.uuid}"))] == ["p-1", "p-3"]
    other = factories.leaderboard(house.game, "other", reset="daily")
    theirs = kept.snapshot(kept.final_period(other))
    for uuid in (theirs.uuid, uuid4()):
        assert page(house, f"/snapshots/{uuid}").status_code == 404


def test_what_was_not_touched_is_not_written(house: House) -> None:
    board = factories.leaderboard(
        house.game, name="High score", max_units=100, starts_at="2026-01-01T00:00:30Z"
    )
    form = page(house, "/settings").context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent = {name: "" if value is None else value for name, value in sent.items()}
    sent["starts_at"] = "2026-01-01T00:00"
    touched = sent | {f"initial-{name}": value for name, value in sent.items()} | {"name": "Best of all"}
    Leaderboard.objects.update(max_units=200)
    assert house.post(pages(house, "/high-score/settings"), touched, by="developer").status_code == 302
    board.refresh_from_db()
    assert (board.name, board.max_units, board.version) == ("Best of all", 200, 2)
    assert board.starts_at is not None
    assert board.starts_at.second == 30
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("leaderboard.update", "user:developer@example.com")
    assert set(entry.details) == {"game", "key", "name"}


def test_how_scores_are_ranked_stays_once_there_are_some(house: House) -> None:
    board = factories.leaderboard(house.game)
    settings = pages(house, "/high-score/settings")
    assert 'name="sort"' in house.get(settings).text
    score(house.game, p_1=50)
    shown = house.get(settings)
    assert 'name="sort"' not in shown.text
    assert "this can't change any more" in shown.text
    late = house.post(settings, NEW | {"name": "Other"})
    assert late.status_code == 422
    for name in ("sort", "tie_break", "decimals", "reset"):
        assert "can't change under them" in str(late.context["form"].errors[name][0]), name
    board.refresh_from_db()
    assert (board.sort, board.name) == ("desc", "High-Score")
    plain = {"name": "Other", "format": "percent", "authority": "client"}
    assert house.post(settings, plain).status_code == 302
    board.refresh_from_db()
    assert (board.name, board.format, board.authority) == ("Other", "percent", "client")


def test_a_board_is_fed_by_a_stat_of_the_game(house: House) -> None:
    factories.stat(house.game, "kills")
    factories.stat(house.game, "old", archived_at=timezone.now())
    path = f"games/{house.game.uuid}/new-leaderboard"
    choices = [key for key, _ in house.get(path).context["form"].fields["stat"].choices]
    assert choices == ["", "kills"]
    assert house.post(path, NEW | {"stat": "kills", "sort": "desc"}).status_code == 302
    assert "Fed by <code>kills</code>" in house.get(pages(house, "/best-lap")).text
    stat = factories.stat(house.game, "laps")
    assert "Leaderboards that it feeds" not in house.get(f"games/{house.game.uuid}/stats/{stat.uuid}").text


@pytest.mark.slow
def test_a_board_is_archived_and_taken_up_again_with_its_consequence_in_numbers(house: House) -> None:
    factories.leaderboard(house.game)
    score(house.game, p_1=50, p_2=60)
    said = " ".join(page(house, "/settings").text.split())
    assert "Scores are refused. 2 entries stay where they are, and everybody still sees them." in said
    assert house.post(pages(house, "/high-score/archive"), {"archived": "true"}).status_code == 302
    assert Leaderboard.objects.get().archived_at is not None
    assert "Take it up again" in page(house, "/settings").text
    assert house.post(pages(house, "/high-score/archive"), {"archived": "false"}).status_code == 302
    assert [action for action, _ in audited(house.studio)] == ["leaderboard.archive", "leaderboard.restore"]


def test_only_a_board_that_nobody_scored_on_is_deleted(house: House) -> None:
    factories.leaderboard(house.game)
    assert "Delete the board" in page(house, "/settings").text
    score(house.game, p_1=50)
    assert "Delete the board" not in page(house, "/settings").text
    answer = house.client("owner").post(house.path(pages(house, "/high-score/delete")), follow=True)
    assert "there are scores on this board by now" in answer.text
    Score.objects.all().delete()
    assert house.post(pages(house, "/high-score/delete"))["Location"] == house.path(pages(house))
    assert not Leaderboard.objects.exists()
    assert audited(house.studio) == [("leaderboard.delete", "user:owner@example.com")]


def test_the_board_of_points_shows_what_applies_to_it(house: House) -> None:
    points = pages(house, "/points")
    shown = house.get(points)
    assert "Built in" in shown.text
    assert f"{points}/periods" not in shown.text
    assert "Nobody submits scores to it" in house.get(f"{points}/settings").text
    assert house.post(f"{points}/settings", NEW).status_code == 409
    assert house.get(f"{points}/reset").status_code == 409
    for act in ("archive", "delete"):
        answer = house.client("owner").post(house.path(f"{points}/{act}"), {"archived": "true"}, follow=True)
        assert "built in" in answer.text
    assert audited(house.studio) == []


@pytest.mark.slow
def test_who_may_look_and_who_may_write(house: House) -> None:
    factories.leaderboard(house.game)
    for rest in ("", "/high-score", "/high-score/periods", "/high-score/snapshots", "/high-score/settings"):
        assert house.statuses("get", pages(house, rest)) == LOOKS, rest
    assert house.statuses("post", pages(house, "/high-score/settings")) == WRITES
    assert house.statuses("post", f"games/{house.game.uuid}/new-leaderboard") == WRITES
    for act in ("/archive", "/delete"):
        for who in ("support", "analyst", "outsider", "signed out"):
            answer = house.post(pages(house, f"/high-score{act}"), {"archived": "true"}, by=who)
            assert answer.status_code == WRITES[who]
    assert 'name="name"' not in page(house, "/settings", by="support").text
    assert Leaderboard.objects.get().archived_at is None
    assert audited(house.studio) == []


@pytest.mark.parametrize("rest", ["", "/periods", "/snapshots", "/moderation", "/reset", "/settings"])
def test_another_game_s_board_is_none_of_this_one(house: House, rest: str) -> None:
    factories.leaderboard(factories.game(house.studio), "theirs")
    for key in ("theirs", "nothing", "a%00b"):
        assert house.get(pages(house, f"/{key}{rest}")).status_code == 404


@pytest.mark.slow
def test_pages_answer_while_valkey_is_away(house: House, servers: Servers) -> None:
    board = factories.leaderboard(house.game, reset="daily")
    kept.final_period(board)
    player = factories.player(house.studio, "p-1")
    score(house.game, p_1=50, p_2=60)
    house.get(pages(house))
    with valkey_frozen(servers):
        assert ranked(page(house, "?player=p-1")) == [("1", "p-2"), ("2", "p-1")]
        for rest in ("", "/points", "/high-score/periods", "/high-score/snapshots", "/high-score/moderation"):
            assert house.get(pages(house, rest)).status_code == 200, rest
        assert page(house, f"/moderation/{player.uuid}").status_code == 200
