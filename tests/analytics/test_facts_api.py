"""GET /games/{game_id}/facts: everything that happened in a game, once, in order, as its studio names it."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg.conninfo
import pytest
from django.db import connection, connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Player, Studio
from accounts.selectors import GameInfo, player_of_studio
from achievements.facts import ReportAnswered
from achievements.services import revokes
from analytics.stream import reading
from analytics.stream.lines import KINDS, TOLD
from analytics.stream.positions import Position, seal
from core import facts, log_keeping, reopening
from core.models import LogBeginning
from leaderboards.facts import LeaderboardPeriodEnded, RanksChanged
from leaderboards.models import Leaderboard, Period
from stats.services import sessions
from tests import factories
from tests.accounts import joins
from tests.accounts.joins import advance, declare, drain, join, report, submit, unlock
from tests.analytics.streams import ask, lines_of, reader
from tests.architecture.test_subscriptions import RIVER, announced_by

pytestmark = pytest.mark.django_db(transaction=True)

# Told to nobody: what spans studios, what boards are made of, what is between players, and what is said elsewhere.
INTERNAL = {
    ReportAnswered.kind,  # a word from the studio to one player
    "overall_changed",
    "totals_moved",
    "totals_ranked",
    "players_joined",
    "players_erased",  # whom it is about has no name any more
    "unlocks_erased",
    "ranks_changed",
    "friend_requested",
    "friend_accepted",
}


@pytest.fixture(autouse=True)
def _anew() -> None:
    joins.begin()


@pytest.fixture
def one() -> Studio:
    return factories.studio()


@pytest.fixture
def game(one: Studio) -> GameInfo:
    return declare(one)


@pytest.fixture
def key(one: Studio) -> str:
    return factories.server_key(one, scopes=["analytics:read"])


def of_kind(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


def test_every_kind_of_fact_is_told_or_is_internal() -> None:
    announced = {kind for room in RIVER for kind in announced_by(room)}
    assert announced == TOLD | INTERNAL
    assert not TOLD & INTERNAL


def test_an_unlock_is_told_as_its_studio_names_it(game: GameInfo, key: str) -> None:
    answer = unlock(game, "p-1", "a1")
    created, unlocked = reader(game, key).read()
    assert (created["kind"], created["player"]["external_id"], created["region"]) == (
        "player.created",
        "p-1",
        "",
    )
    cursor = unlocked.pop("cursor")
    assert re.fullmatch(r"[A-Za-z0-9_-]{48}", cursor)
    at, heard_at = unlocked.pop("at"), unlocked.pop("heard_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", unlocked.pop("id")
    )
    player = Player.objects.get()
    assert unlocked == {
        "v": 1,
        "kind": "achievement.unlocked",
        "player": {"id": str(player.uuid), "external_id": "p-1"},
        "achievement": "a1",
        "points": 10,
        "unlocked_at": heard_at,
        "event_id": str(answer.event_id),
        "silent": False,
        "region": "",
        "totals": {"points": 10, "unlocked": 1},
    }


def test_everything_that_happens_is_told(one: Studio, game: GameInfo, key: str) -> None:
    everything_happens(one, game)
    lines = reader(game, key).read()
    # Those of who became one are tested below.
    assert {line["kind"] for line in lines} == set(KINDS) - {
        "player.joined",
        "achievement.merged",
        "stat.merged",
    }
    assert all(
        line["v"] == 1 and line["player"]["external_id"] == "p-1" for line in lines if "player" in line
    )
    (value,) = of_kind(lines, "stat.changed")
    assert (value["stat"], value["value"], value["previous"], value["aggregation"]) == ("max", 7, None, "max")
    (nearer,) = of_kind(lines, "achievement.progress")
    assert (nearer["achievement"], nearer["current"], nearer["target"]) == ("steps", 4, 10)
    assert of_kind(lines, "playtime.added")[-1]["total_ms"] >= 60_000
    scores = of_kind(lines, "score.changed")
    assert {(each["board"], each["span"], each["main"], each["score"], each["shown"]) for each in scores} >= {
        ("best", "all", True, 12, True),
        ("best", "daily", False, 12, True),
    }
    assert [each["banned"] for each in of_kind(lines, "player.banned")] == [True, False]
    assert [each["excluded"] for each in of_kind(lines, "player.excluded")] == [True, False]
    assert [each["region"] for each in of_kind(lines, "player.changed")] == ["EU"]
    (revoked,) = of_kind(lines, "achievement.revoked")
    assert (revoked["achievement"], revoked["totals"]) == ("a1", {"points": 0, "unlocked": 0})
    (ended,) = of_kind(lines, "leaderboard.period_ended")
    assert (ended["board"], ended["ends_at"], ended["top"][0]["score"]) == (
        "best",
        "2026-11-25T00:00:00.000Z",
        12,
    )
    assert ended["top"][0]["player"]["external_id"] == "p-1"


def everything_happens(owner: Studio, game: GameInfo) -> None:
    """Let a player do a bit of everything, and have it done to him."""
    unlock(game, "p-1", "a1")
    advance(game, "p-1", 4)
    report(game, "p-1", max=7)
    submit(game, "p-1", best=12)
    at = timezone.now()
    sessions.heard_of(game=game, player="p-1", event="start", at=at, told=at - timedelta(minutes=1))
    sessions.heard_of(game=game, player="p-1", event="ping", at=at)
    accounts.update_player(studio_id=owner.pk, external_id="p-1", changes={"region": "EU"})
    factories.ban(owner, "p-1")
    factories.ban(owner, "p-1", banned=False)
    info = player_of_studio(owner.pk, "p-1")
    assert info is not None
    for excluded in (True, False):
        accounts.exclude_player(
            studio_id=owner.pk,
            player=info,
            excluded=excluded,
            reason="test",
            actor="user:test",
            at=timezone.now(),
        )
    revokes.revoke(
        game=game, player_id=info.id, key="a1", reason="test", actor="user:test", at=timezone.now()
    )
    a_period_ends(owner, game, info.id)


def a_period_ends(owner: Studio, game: GameInfo, player_id: int) -> None:
    """Tell of a day that ended."""
    board = Leaderboard.objects.get(game_id=game.id, key="best")
    period = Period.objects.get(leaderboard=board, span="all")
    fact = LeaderboardPeriodEnded(
        game.id, board.pk, "best", period.pk, "2026-11-24", "day",
        1_795_478_400_000_000, 1_795_564_800_000_000, 1, "ab" * 32, [[player_id, 1, 12]],
    )  # fmt: skip
    facts.publish(fact, studio_id=owner.pk)


def test_silent_unlocks_say_so_and_what_spans_studios_is_not_told(
    game: GameInfo, key: str, one: Studio
) -> None:
    unlock(game, "p-1", "a1")
    facts.publish(RanksChanged(game.id, "points", "5eed5eed", [[1, 2, 3, 4]]), studio_id=one.pk)
    drain()
    lines = reader(game, key).read()
    assert [line["kind"] for line in lines] == ["player.created", "achievement.unlocked"]
    assert "5eed5eed" not in json.dumps(lines)


def test_no_line_holds_an_internal_id_or_a_seed(one: Studio, game: GameInfo, key: str) -> None:
    with connection.cursor() as cursor:  # ids that can't be anything else
        cursor.execute("SELECT setval(pg_get_serial_sequence('accounts_player', 'id'), 777000111)")
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('achievements_achievement', 'id'), 777000222),"
            " setval(pg_get_serial_sequence('stats_stat', 'id'), 777000333),"
            " setval(pg_get_serial_sequence('leaderboards_leaderboard', 'id'), 777000444),"
            " setval(pg_get_serial_sequence('accounts_game', 'id'), 777000555),"
            " setval(pg_get_serial_sequence('leaderboards_period', 'id'), 777000666)"
        )
    made = declare(one)
    everything_happens(one, made)
    answer = ask(factories.api(key), made)
    assert len(lines_of(answer)) > 10
    said = answer.content.decode() + str(answer.headers)
    assert "777000" not in said
    assert "seed" not in said


def test_reading_on_after_each_line_gives_every_line_once(one: Studio, game: GameInfo, key: str) -> None:
    many_at_once(game, 7)
    everything_happens(one, game)
    many_at_once(game, 3, achievement="a2")
    whole = reader(game, key).read()
    assert reader(game, key, limit=1).read() == whole
    assert reader(game, key, limit=4).read() == whole
    for place, line in enumerate(whole, start=1):  # cut off after any of them
        assert reader(game, key, since=line["cursor"]).read() == whole[place:]
    assert len({line["id"] for line in whole}) == len({line["cursor"] for line in whole}) == len(whole)


def many_at_once(game: GameInfo, players: int, achievement: str = "a1") -> None:
    """Let several unlock something in one fact."""
    key = factories.server_key(Studio.objects.get(pk=game.studio_id))
    batch = [{"player": f"m-{number}", "achievement": achievement} for number in range(players)]
    answer = factories.api(key).post(
        "/achievements/unlock/batch", {"game_id": str(game.uuid), "unlocks": batch}
    )
    assert answer.json()["unlocked"] == players


def test_the_answer_says_where_to_go_on_and_whether_there_is_more(game: GameInfo, key: str) -> None:
    unlock(game, "p-1", "a1")
    first = ask(factories.api(key), game, limit=1)
    assert (first["X-Has-More"], first["X-Next-Cursor"]) == ("true", lines_of(first)[-1]["cursor"])
    rest = ask(factories.api(key), game, since=first["X-Next-Cursor"])
    assert (rest["X-Has-More"], len(lines_of(rest))) == ("false", 1)
    end = ask(factories.api(key), game, since=rest["X-Next-Cursor"])
    assert (end["X-Has-More"], lines_of(end)) == ("false", [])
    unlock(game, "p-1", "a2")
    assert [
        line["achievement"] for line in lines_of(ask(factories.api(key), game, since=end["X-Next-Cursor"]))
    ] == ["a2"]
    assert end["Cache-Control"] == "private, no-store"


def test_facts_of_other_games_move_the_cursor_on(
    one: Studio, game: GameInfo, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BUDGET_S", 0.0)
    other = declare(one)
    unlock(other, "p-1", "a1")  # the player is the studio's, what he unlocked the other game's
    unlock(game, "p-1", "a2")
    steps = []
    reads, has_more = reader(game, key), True
    while has_more:
        lines, has_more = reads.step()
        steps.append([line["kind"] for line in lines])
    assert [kind for step in steps for kind in step] == ["player.created", "achievement.unlocked"]
    assert {line["id"] for line in reader(other, key).read()} & {
        line["id"] for line in reader(game, key).read()
    }


def test_two_writers_who_commit_in_another_order_lose_nothing(game: GameInfo, key: str) -> None:
    chosen = settings_url()
    writers, each = 4, 25
    reads = reader(game, key, limit=7)
    stop = threading.Event()
    found: list[dict[str, Any]] = []

    def follow() -> None:
        try:
            while not stop.is_set():
                found.extend(reads.read())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(writers + 1) as pool:
        following = pool.submit(follow)
        writing = [pool.submit(write_slowly, chosen, game, writer, each) for writer in range(writers)]
        try:
            for one_writer in writing:
                one_writer.result()
        finally:
            stop.set()
        following.result()
    found += reads.read()
    told = [line["total_ms"] for line in found]
    assert sorted(told) == sorted(
        writer * 1000 + number for writer in range(writers) for number in range(each)
    )
    for writer in range(writers):
        own = [number for number in told if number // 1000 == writer]
        assert own == sorted(own)
    assert reader(game, key).read() == found


def settings_url() -> str:
    """Return where the tests' database is."""
    wanted = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(
        host=wanted.get("host", ""),
        port=wanted.get("port", ""),
        user=wanted.get("user", ""),
        password=wanted.get("password", ""),
        dbname=wanted["dbname"],
    )


def write_slowly(url: str, game: GameInfo, writer: int, count: int) -> None:
    """Draw the number of a fact, and commit it a while later."""
    with psycopg.connect(url, prepare_threshold=None) as own:  # PgBouncer may stand between
        for number in range(count):
            played = [[0, 0, 0, writer * 1000 + number]]
            own.execute(
                "INSERT INTO core_fact (kind, studio_id, size, payload)"
                " VALUES ('playtime_added', %s, 1, json_build_object('game', %s::bigint, 'played', %s::json))",
                (game.studio_id, game.id, json.dumps(played)),
            )
            own.execute("SELECT pg_sleep(%s)", ((writer * 7 + number * 3) % 5 / 1000,))
            own.commit()


def test_a_fact_of_an_open_transaction_holds_later_ones_back(game: GameInfo, key: str) -> None:
    reads = reader(game, key)
    with psycopg.connect(settings_url()) as late:
        late.execute(
            "INSERT INTO core_fact (kind, studio_id, size, payload) VALUES"
            " ('playtime_added', %s, 1, json_build_object('game', %s::bigint, 'played', '[[0, 0, 0, 5]]'::json))",
            (game.studio_id, game.id),
        )
        unlock(game, "p-1", "a1")
        assert reads.read() == []
        late.commit()
    assert [line["kind"] for line in reads.read()] == [
        "playtime.added",
        "player.created",
        "achievement.unlocked",
    ]


def test_whoever_was_erased_has_no_name_any_more(game: GameInfo, key: str) -> None:
    unlock(game, "p-1", "a1")
    Player.objects.update(erased_at=timezone.now())
    answer = ask(factories.api(key), game)
    created, unlocked = lines_of(answer)
    assert created["player"] is None
    assert (unlocked["player"], unlocked["event_id"], unlocked["achievement"]) == (None, None, "a1")
    assert "p-1" not in answer.content.decode()
    assert str(Player.objects.get().uuid) not in answer.content.decode()


def test_two_who_become_one_are_told_to_those_who_knew_who_is_gone(
    one: Studio, game: GameInfo, key: str
) -> None:
    other = factories.studio()
    their_game = declare(other)
    their_key = factories.server_key(other, scopes=["analytics:read"])
    unlock(game, "p-1", "a1")
    unlock(their_game, "their-1", "a2")
    unlock(their_game, "their-2", "a2")
    report(their_game, "their-1", max=5)
    report(their_game, "their-2", max=7)
    stays, gone = (player_of_studio(*who) for who in ((one.pk, "p-1"), (other.pk, "their-1")))
    assert stays is not None
    assert gone is not None
    ours, theirs = reader(game, key), reader(their_game, their_key)
    ours.read()
    theirs.read()
    join(one, "p-1", other, "their-1")
    assert ours.read() == []  # that he is somebody's, too, is no business of theirs
    person = {"id": str(stays.uuid), "external_id": "their-1"}
    (joined,) = of_kind(theirs.read(), "player.joined")
    assert (joined["player"], joined["gone"], joined["external_ids"]) == (person, str(gone.uuid), ["their-1"])
    # A second id of the same studio: what both hold counts once from now on.
    join(one, "p-1", other, "their-2")
    lines = theirs.read()
    (merged,) = of_kind(lines, "achievement.merged")
    assert (merged["player"]["id"], merged["achievement"], merged["points"]) == (str(stays.uuid), "a2", 20)
    (value,) = of_kind(lines, "stat.merged")
    assert (value["stat"], value["value"], value["kept"], value["brought"]) == ("max", 7, 5, 7)
    # Whoever reads from the beginning now meets the person, and who he was.
    old = of_kind(reader(their_game, their_key).read(), "achievement.unlocked")
    assert old[0]["player"] == person | {"was": str(gone.uuid)}
    assert ours.read() == []


def test_a_dropped_day_is_a_gap_that_is_told(game: GameInfo, key: str) -> None:
    unlock(game, "p-1", "a1")
    api = factories.api(key)
    early, last = lines_of(ask(api, game))
    end = ask(api, game, since=last["cursor"])["X-Next-Cursor"]
    today = timezone.now().astimezone(UTC).date()
    LogBeginning.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_follower SET tx = 9000000000000000000")
    try:
        assert log_keeping.drop_partitions(today=today + timedelta(days=8))[0].endswith(f"{today:%Y%m%d}")
        answer = ask(api, game, since=early["cursor"])
        assert answer.status_code == 410
        assert answer.json()["type"].endswith("/problems/cursor-too-old")
        kept_from = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1)
        assert f"{kept_from:%Y-%m-%dT%H:%M:%S}.000Z" in answer.json()["detail"]
        # Whoever had read all of it goes on, and whoever begins anew is told from when.
        for since in (last["cursor"], end):
            assert lines_of(ask(api, game, since=since)) == []
        again = ask(api, game)
        assert (lines_of(again), again["X-Kept-From"]) == ([], f"{kept_from:%Y-%m-%dT%H:%M:%S}.000Z")
        unlock(game, "p-1", "a2")  # in the table for everything else
        (unlocked,) = lines_of(ask(api, game, since=again["X-Next-Cursor"]))
        assert unlocked["achievement"] == "a2"
        assert len(lines_of(ask(api, game))) == 1
    finally:
        joins.begin()
        log_keeping.make_partitions(today=today)


def test_a_cursor_in_the_middle_of_a_dropped_fact_is_too_old(game: GameInfo, key: str) -> None:
    many_at_once(game, 3)
    lines = reader(game, key).read()
    tx, fact_id = facts.head()
    newest = [fact for fact in facts.read_after(0, 0, kinds=TOLD) if fact.is_heard][-1]
    LogBeginning.objects.update_or_create(
        studio_id=game.studio_id, defaults={"tx": newest.tx, "fact_id": newest.id, "at": timezone.now()}
    )
    assert (tx, fact_id) >= (newest.tx, newest.id)
    api = factories.api(key)
    assert ask(api, game, since=lines[-2]["cursor"]).status_code == 410
    assert lines_of(ask(api, game, since=lines[-1]["cursor"])) == []


def test_a_cursor_of_another_log_is_too_old(game: GameInfo, key: str) -> None:
    ahead = seal(Position(10**15, 1), game.uuid, log=0)
    assert ask(factories.api(key), game, since=ahead).status_code == 410


def test_after_a_restore_cursors_of_before_it_go_on_and_later_ones_are_too_old(
    game: GameInfo, key: str
) -> None:
    api = factories.api(key)
    unlock(game, "p-1", "a1")
    kept = lines_of(ask(api, game))[-1]["cursor"]
    lost = seal(Position(facts.head()[0] + 1000, 1), game.uuid, log=0)
    reopening.note("to a second", at=timezone.now())
    unlock(game, "p-1", "a2")
    drain()
    told = lines_of(ask(api, game, since=kept))
    assert [line["achievement"] for line in of_kind(told, "achievement.unlocked")] == ["a2"]
    refused = ask(api, game, since=lost)
    assert refused.status_code == 410
    assert "restored to an earlier moment" in refused.json()["detail"]
    # The log goes on past the number that the lost cursor has, and it stays refused.
    newest = told[-1]["cursor"]
    assert lines_of(ask(api, game, since=newest)) == []
    assert ask(api, game, since=lost).status_code == 410


def test_a_cursor_is_of_one_game_and_can_not_be_forged(one: Studio, game: GameInfo, key: str) -> None:
    unlock(game, "p-1", "a1")
    api, other = factories.api(key), declare(one)
    cursor = lines_of(ask(api, game))[0]["cursor"]
    forged = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    for since in (
        forged, cursor[:-4], cursor + "AAAA", "", "x", "%00", "%C3%BC", "A" * 5000, "A" * 48, cursor.replace("=", ""),
    ):  # fmt: skip
        if since != cursor:
            answer = ask(api, game, since=since)
            assert answer.status_code == 400, since
            assert answer.json()["type"].endswith("/problems/malformed-request")
    assert ask(api, other, since=cursor).status_code == 400


def test_a_cursor_outlives_a_change_of_the_secret(game: GameInfo, key: str, settings: Any) -> None:
    unlock(game, "p-1", "a1")
    api = factories.api(key)
    first, second = lines_of(ask(api, game))
    old = settings.SECRET_KEY
    with override_settings(SECRET_KEY="another" * 9, SECRET_KEY_FALLBACKS=[old]):
        (again,) = lines_of(ask(api, game, since=first["cursor"]))
    assert again["event_id"] == second["event_id"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=10001", "limit=-1", "limit=1e3", "limit=x", "limit=", "limit=99999999999999999999",
        "format=csv", "format=", "cursor=x", "limit=1&limit=2", "kinds=a",
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_refused(game: GameInfo, key: str, query: str) -> None:
    assert factories.api(key).get(f"/games/{game.uuid}/facts?{query}").status_code == 400


def test_who_may_read(one: Studio, game: GameInfo, key: str) -> None:
    other, second = factories.studio(), declare(one)
    own = next(each for each in [one.games.first()] if each is not None)
    allowed = {
        key: 200,
        factories.server_key(one, scopes=["analytics:read"], game=own): 200,
        factories.server_key(other): 404,
        factories.server_key(one, scopes=["players:read", "definitions:read"]): 403,
        factories.player_token(own, factories.player(one)): 403,
        None: 401,
    }
    assert own.pk == game.id
    found = {credential: ask(factories.api(credential), game).status_code for credential in allowed}
    assert found == allowed
    of_one_game = factories.server_key(one, scopes=["analytics:read"], game=own)
    assert ask(factories.api(of_one_game), second).status_code == 404
    for name in ("not-an-id", "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11", "%00"):
        assert factories.api(key).get(f"/games/{name}/facts").status_code == 404
    assert factories.api(key).post(f"/games/{game.uuid}/facts", {}).status_code == 405


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/x-ndjson", 200), ("application/json", 200), ("*/*", 200), ("text/csv", 406)],
)
def test_lines_may_be_asked_for_by_accept(game: GameInfo, key: str, accept: str, status: int) -> None:
    assert factories.api(key).get(f"/games/{game.uuid}/facts", Accept=accept).status_code == status


def test_a_page_costs_a_few_queries_however_much_is_on_it(game: GameInfo, key: str) -> None:
    many_at_once(game, 30)
    api = factories.api(key)
    ask(api, game)
    with CaptureQueriesContext(connection) as few:
        ask(api, game, limit=2)
    with CaptureQueriesContext(connection) as many:
        assert len(lines_of(ask(api, game, limit=10_000))) > 30
    assert len(many) <= len(few) + 3
    assert len(many) <= 8
