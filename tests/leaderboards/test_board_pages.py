"""The players' pages of boards: who stands where, for anybody and for a visitor; periods; who is not to be seen."""

import csv
import json
import re
from collections import defaultdict
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Game, Player, PlayerAccount, User
from core import public_pages
from leaderboards import rebuilding, truth
from leaderboards.models import Leaderboard, PeriodState, Score
from leaderboards.pages import words
from leaderboards.selectors.definitions import info_of
from leaderboards.services import scores, snapshots, turning
from leaderboards.services.scores import ScoreRequest
from social import befriending
from tests import factories
from tests.achievements import samples
from tests.leaderboards import kept
from tests.leaderboards.world import World

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7|add:7 }}"


@pytest.fixture
def game(world: World) -> Game:
    return Game.objects.get(pk=world.game.id)


def score(world: World, *scores: int, key: str = "high-score") -> None:
    """Let p0, p1 … have these scores."""
    sent = [{"player": f"p{n}", "score": one} for n, one in enumerate(scores)]
    answer = world.api().post(f"/leaderboards/{world.game.uuid}/{key}/scores/batch", {"scores": sent})
    assert answer.json()["rejected"] == 0
    world.follow()


def visitor(name: str) -> Client:
    """Return the browser of somebody who is signed in as a player."""
    user = User.objects.create_user(f"{name}@player.example")
    player = Player.objects.get(identities__external_id=name)
    PlayerAccount.objects.create(user=user, player=player, created_at=timezone.now())
    client = Client(headers={"Accept": "text/html"})
    client.force_login(user)
    return client


def page(
    game: Game, query: str = "", *, by: Client | None = None, key: str = "high-score", status: int = 200
) -> str:
    public_pages.forget()
    answer = (by or Client(headers={"Accept": "text/html"})).get(
        f"/games/{game.uuid}/leaderboards/{key}{query}"
    )
    assert answer.status_code == status, answer.content[:300]
    return answer.content.decode()


def text(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def rows(markup: str) -> list[tuple[int, int, bool, str]]:
    """Return `(place, rank, tied, score)` of the podium, whose places are 0 to 2, and of the table."""
    podium = re.findall(r'podium-place">(\d+)\w\w(, tied)?</p>.*?podium-score num">([^<]+)</p>', markup, re.S)
    found = re.findall(
        r'<tr data-place="(\d+)".*?rank num">([\d,]+)(<span class="tie">)?.*?<td class="end num">\s*<b>([^<]+)</b>',
        markup,
        re.S,
    )
    listed = [(place, int(rank), bool(tied), score) for place, (rank, tied, score) in enumerate(podium)]
    return listed + [
        (int(place), int(rank.replace(",", "")), bool(tied), score) for place, rank, tied, score in found
    ]


def more(markup: str, mark: str = "data-more ") -> str:
    found = re.search(rf'<a[^>]*{mark}[^>]*href="[^"?]*(\?[^"]*)"', markup)
    return unescape(found[1]) if found else ""


@pytest.mark.skipif(not samples.REAL_DATA.is_dir(), reason=samples.NO_REAL_DATA)
def test_real_boards_that_are_tied_for_first_show_every_tie(world: World, game: Game) -> None:
    declared = json.loads((samples.REAL_DATA / "boards.json").read_text())
    best: dict[str, dict[str, int]] = defaultdict(dict)
    with (samples.REAL_DATA / "scores.csv").open() as file:
        for row in csv.DictReader(file):
            sign = -1 if declared[row["board"]]["direction"] == "desc" else 1
            held = best[row["board"]]
            held[row["player"]] = min(sign * int(row["score"]), held.get(row["player"], 10**15))
    tied = {name: sorted(held.values()) for name, held in best.items() if len(held) > 1}
    tied = {name: values for name, values in tied.items() if values[0] == values[1] and len(values) <= 50}
    assert len(tied) >= 5
    for n, (name, values) in enumerate(tied.items()):
        board = factories.leaderboard(game, f"b{n}", sort=declared[name]["direction"])
        sign = -1 if board.sort == "desc" else 1
        sent = [{"player": f"x{m}", "score": sign * value} for m, value in enumerate(values)]
        world.api().post(f"/leaderboards/{game.uuid}/b{n}/scores/batch", {"scores": sent})
        world.follow()
        expected = [
            (place, 1 + values.index(value), values.count(value) > 1, f"{sign * value:,}")
            for place, value in enumerate(values)
        ]
        assert rows(page(game, key=f"b{n}")) == expected, name


def test_pages_follow_each_other_without_a_gap_and_with_the_api_s_ranks(world: World, game: Game) -> None:
    factories.leaderboard(game)
    score(world, *(1000 - n // 3 for n in range(130)))
    whole = world.api().get(f"/leaderboards/{game.uuid}/high-score?limit=200").json()["results"]
    found = page(game)
    listed, parts = rows(found), [found]
    while query := more(parts[-1]):
        parts.append(page(game, f"{query}&part=rows"))
        listed += rows(parts[-1])
    assert [place for place, *_ in listed] == list(range(130))
    assert [rank for _, rank, *_ in listed] == [row["rank"] for row in whole]
    assert "That is everybody." in parts[-1]
    assert "Back to the first place" in page(game, more(found))
    page(game, "?cursor=forged", status=400)


@pytest.mark.parametrize(("scores", "said"), [((9, 9), "after you"), ((9, 9, 9), "and others")])
def test_who_shares_a_rank_is_told_with_whom(
    world: World, game: Game, scores: tuple[int, ...], said: str
) -> None:
    factories.leaderboard(game)
    score(world, *scores)
    found = page(game, by=visitor("p0"))
    you = text(found[found.index('aria-labelledby="you"') :])
    assert (said in you, "who got there" in you) == (True, said != "and others")


def test_a_visitor_far_below_sees_the_first_places_the_gap_and_himself(world: World, game: Game) -> None:
    factories.leaderboard(game)
    score(world, *(1000 - n for n in range(90)))
    found = page(game, by=visitor("p70"))
    assert [place for place, *_ in rows(found)] == [*range(10), *range(67, 74)]
    assert "57 players between" in text(found)
    assert re.search(r'<tr data-place="70"[^>]*class="you" id="me"', found)
    you = text(found[found.index('aria-labelledby="you"') :])
    assert "#71 Top 78.9% 2 more to pass" in you
    behind = page(game, more(found, "data-more-here"), by=Client())
    assert rows(behind)[0][0] == 10


def test_a_visitor_who_is_hidden_sees_himself_and_nobody_else_does(world: World, game: Game) -> None:
    factories.leaderboard(game)
    score(world, 50, 40, 30, 20, 10)
    hidden = Player.objects.get(identities__external_id="p1")
    Score.objects.filter(player_id=hidden.pk).update(hidden_at=timezone.now(), version=10**12)
    world.api().post(f"/leaderboards/{game.uuid}/high-score/scores", {"player": "p9", "score": 1})
    world.follow()
    for board in truth.boards(game_id=game.pk):
        rebuilding.rebuild(board)
    own = page(game, by=visitor("p1"))
    assert "Only you see this place" in own
    assert [score for *_, score in rows(own)] == ["50", "40", "30", "20", "10", "1"]
    assert [rank for _, rank, *_ in rows(own)] == [1, 2, 3, 4, 5, 6]
    assert [score for *_, score in rows(page(game))] == ["50", "30", "20", "10", "1"]


def test_names_are_those_that_the_api_shows_to_the_same_reader(world: World, game: Game) -> None:
    factories.leaderboard(game)
    score(world, 50, 40, 30, 20, 10)
    players = {one.identities.get().external_id: one for one in Player.objects.all()}
    for name, visibility in (("p0", "public"), ("p1", "friends"), ("p2", "private"), ("p3", "private")):
        Player.objects.filter(pk=players[name].pk).update(
            display_name=f"Name of {name}", visibility=visibility
        )
    befriending.ask(sender_id=players["p1"].pk, receiver_id=players["p4"].pk, at=timezone.now())
    befriending.ask(sender_id=players["p4"].pk, receiver_id=players["p1"].pk, at=timezone.now())
    anybody, friend, himself = page(game), visitor("p4"), visitor("p2")
    assert re.findall(r"Name of p\d", anybody)[:1] == ["Name of p0"]
    for hidden in ("p1", "p2", "p3"):
        assert f"Name of {hidden}" not in anybody
        assert str(players[hidden].uuid) not in anybody
    assert "Name of p1" not in page(game, by=friend)
    among = page(game, "?friends=1", by=friend)
    assert "Name of p1" in among
    assert [rank for _, rank, *_ in rows(among)] == [1, 2]
    assert "Name of p2" in page(game, by=himself)
    assert "Name of p3" not in page(game, by=himself)
    assert len(rows(page(game, "?friends=1"))) == 5  # who is not signed in has no friends


def test_texts_of_others_are_only_text(world: World, game: Game) -> None:
    Game.objects.filter(pk=game.pk).update(title=HOSTILE)
    factories.leaderboard(game, name=HOSTILE)
    score(world, 9, 8, 7, 6)
    Player.objects.update(display_name=HOSTILE[:128])
    for shown in (page(game), page(game, "?view=periods"), Client().get("/leaderboards").content.decode()):
        assert "<img src=x" not in shown
        assert "<script>alert" not in shown
        assert "14" not in text(shown).replace("2026", "").split()


def test_an_empty_board_says_so_and_what_does_not_exist_is_not_found(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    assert "Nobody is on this board today. Any score is first place." in text(page(game))
    assert "Nobody of EU is on this board today." in text(page(game, "?region=EU"))
    assert "Nobody is on this board yet. The first unlock is first place." in text(page(game, key="points"))
    for query in ("?region=XX", "?span=week", "?period=1999-01-01", "?period=%00"):
        page(game, query, status=404)
    page(game, key="no/such/board", status=404)
    page(game, "?friends=1&region=NA")


def test_the_winner_of_the_period_before_is_named(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    now = timezone.now()
    sent = [ScoreRequest(player, score) for player, score in (("p0", 5), ("p1", 9), ("p2", 9))]
    scores.submit_many(
        game=world.game, key="high-score", requests=sent, by=scores.SERVER, at=now - timedelta(days=1)
    )
    turning.turn_periods(now=now.replace(hour=0, minute=20))
    Player.objects.filter(identities__external_id="p1").update(display_name="Kestrel")
    assert "went to Kestrel and 1 more, tied" in text(page(game))


def test_a_past_period_is_final_and_the_list_of_all_leads_to_it(world: World, game: Game) -> None:
    board = factories.leaderboard(game, reset="daily", spans=["all"])
    score(world, 5, 4)
    final = kept.final_period(board, players=7)
    late = kept.final_period(board, days_ago=1)
    type(late).objects.filter(pk=late.pk).update(
        state=PeriodState.FINALISING, standings_hash=None, finalised_at=None
    )
    listed = page(game, "?view=periods")
    assert f"?period={final.name}" in listed
    assert "late scores until" in text(listed)
    past = page(game, f"?period={final.name}")
    assert "Final since" in text(past)
    assert f"/periods/{final.name}/standings" in past
    assert "data-live-board" not in past
    assert "Late scores until" in text(page(game, f"?period={late.name}"))
    present = page(game)
    assert [label for label in ("Today", "All time") if label in text(present)] == ["Today", "All time"]
    assert Client().get(re.search(r'href="(/api[^"]+standings)"', past)[1]).status_code == 200  # type: ignore[index]


def test_changes_are_those_of_seven_days_and_who_came_since_is_new(world: World, game: Game) -> None:
    factories.leaderboard(game)
    score(world, 50, 40, 30, 20)
    snapshots.take_snapshots(now=timezone.now() - timedelta(days=7, minutes=1))
    score(world, 50, 40, 45, 20, 10)
    found = page(game)
    moved = re.findall(r"(up|down) </span>(\d+)|(New)<span", found)
    assert moved == [("up", "1", ""), ("down", "1", ""), ("", "", "New")]
    assert "Change: 7 days" in text(found)
    assert "Change:" not in text(page(game, "?region=EU"))
    own = visitor("p2").get("/leaderboards").content.decode()
    assert "up 1 place" in text(own)
    assert "New on the board" in text(visitor("p4").get("/leaderboards").content.decode())


def test_the_number_of_queries_does_not_grow_with_the_board(world: World, game: Game) -> None:
    factories.leaderboard(game)

    def cost(client: Client, path: str) -> int:
        public_pages.forget()
        factories.forget()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    score(world, 50, 40, 30, 20)
    own = visitor("p3")
    addresses = (f"/games/{game.uuid}/leaderboards/high-score", "/leaderboards")
    few = [(cost(Client(), path), cost(own, path)) for path in addresses]
    score(world, *(100 - n for n in range(80)))
    for n in range(4):
        factories.leaderboard(game, f"another-{n}")
        score(world, 5, 4, 3, 2, key=f"another-{n}")
    assert [(cost(Client(), path), cost(own, path)) for path in addresses] == few


def test_boards_are_listed_with_the_visitor_s_own_first_and_without_what_is_put_away(
    world: World, game: Game
) -> None:
    factories.leaderboard(game, name="The long climb")
    score(world, 50, 40)
    away = factories.game(title="Put away")
    factories.leaderboard(away)
    factories.api(factories.server_key(away.studio)).post(
        f"/leaderboards/{away.uuid}/high-score/scores", {"player": "x", "score": 1}
    )
    Game.objects.filter(pk=away.pk).update(archived_at=timezone.now())
    factories.game(title="Not played")
    public_pages.forget()
    anybody = text(Client().get("/leaderboards").content.decode())
    assert "The long climb" in anybody
    assert "Put away" not in anybody
    assert "Not played" not in anybody
    assert "Your boards" not in anybody
    own = text(visitor("p1").get("/leaderboards").content.decode())
    assert re.search(r"Your boards 1 .* The long climb · All time – 2 of 2", own)
    assert "The long climb" in text(Client().get(f"/leaderboards?game={game.uuid}").content.decode())
    assert Client().get(f"/leaderboards?game={away.uuid}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "value", "expected"),
    [
        ({"format": "time_ms", "sort": "asc"}, 83_456, "1:23.456"),
        ({"format": "time_s", "sort": "asc", "decimals": 2}, 8_345, "1:23.45"),
        ({"format": "currency", "decimals": 2}, -1_234_560, "12,345.60"),
        ({"format": "percent"}, -12, "12%"),
        ({}, -12_345, "12,345"),
    ],
)
def test_scores_are_written_by_the_board_s_format(fields: dict[str, Any], value: int, expected: str) -> None:
    info = info_of(Leaderboard(id=1, studio_id=1, game_id=1, key="k", name="K", **fields))
    assert words.score(info, value) == expected


def test_a_page_is_for_anybody_to_keep_and_a_visitor_s_is_not(world: World, game: Game) -> None:
    factories.leaderboard(game)
    address = f"/games/{game.uuid}/leaderboards/high-score"
    score(world, 50)
    assert Client().get(address)["Cache-Control"].startswith("public")
    assert visitor("p0").get(address)["Cache-Control"] == "private, no-store"
    keys_off = Client()
    keys_off.cookies["shortcuts"] = "off"
    assert "data-keys" not in keys_off.get(address).content.decode()
    assert 'aria-keyshortcuts="/"' in Client().get(address).content.decode()
