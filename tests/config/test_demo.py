"""The demo: made once for this file, as `make run` makes it; each test then works on it and takes back what it did."""

import json
import shlex
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, Sum
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import selectors as accounts
from accounts.keys import SCOPES, key_hash
from accounts.models import Game, Member, Player, PlayerIdentity, ServerKey, Studio, User
from accounts.services import revoke_key
from achievements import formats, rules
from achievements.models import Achievement, AchievementTranslation, PlayerGame, PlayerTotal, Unlock
from achievements.selectors import definitions, standings, unlocks
from achievements.services.unlocks import SERVER, UnlockRequest, unlock_many
from config.demo import DEMO_PLAYER, creating, credentials
from config.demo.evenings import evenings
from config.demo.games import EMBERWAKE, GAMES, HOLLOW_ORCHARD, REGIONS, DemoGame
from config.demo.past import deeds
from config.demo.players import MARENOK, others
from config.demo.scores import BEST_LAP, BOARDS, DemoBoard, tries
from leaderboards.models import Leaderboard, Period, Score
from leaderboards.rules.periods import GRACE
from social import selectors as social
from social.selectors.inboxes import Inbox
from stats.models import Playtime, StatValue
from tests import emptying, factories


@pytest.fixture(scope="module")
def created(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("var")
    with override_settings(DEMO=True, VAR_DIR=folder):
        factories.forget()
        with django_db_blocker.unblock():
            call_command("demo")
        yield folder
        with django_db_blocker.unblock():
            emptying.empty()


@pytest.fixture
def demo(created: Path, db: None) -> Iterator[Path]:
    kept = (created / "demo.json").read_bytes()
    yield created
    (created / "demo.json").write_bytes(kept)


def _studio() -> Studio:
    return Studio.objects.get(uuid=django_settings.DEMO_STUDIO)


def _game(demo: DemoGame) -> Game:
    return Game.objects.get(uuid=demo.uuid)


def _marenok() -> accounts.PlayerInfo:
    player = accounts.demo_player()
    assert player is not None
    return player


def _shown() -> str:
    out = StringIO()
    call_command("demo", "--show", stdout=out)
    return out.getvalue()


def _send(line: str) -> tuple[int, dict[str, Any]]:
    """Send what curl would send; return the status, and the answer with what was sent."""
    program, _, method, url, *words = shlex.split(line)
    options = list(zip(words[::2], words[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    body = next(value for name, value in options if name == "-d")
    assert (program, method) == ("curl", "POST")
    answer = Client().post(
        url.removeprefix(django_settings.PUBLIC_URL),
        body,
        content_type=headers.pop("Content-Type"),
        headers=headers,
    )
    return answer.status_code, {**json.loads(body), **answer.json()}


def _past() -> set[tuple[str, str, datetime]]:
    names = dict(PlayerIdentity.objects.values_list("player_id", "external_id"))
    rows = Unlock.objects.values_list("player_id", "achievement__key", "unlocked_at")
    return {(names[player], key, at) for player, key, at in rows}


def _rank(game_id: int | None, points: int) -> int:
    return standings.count(game_id, region=None, above=points) + 1


def test_it_refuses_where_the_demo_is_off(settings: Any) -> None:
    settings.DEMO = False
    for arguments in ((), ("--show",)):
        with pytest.raises(CommandError, match="DEMO=1"):
            call_command("demo", *arguments)


@pytest.mark.slow
def test_it_makes_a_studio_with_two_games_and_forty_achievements(demo: Path) -> None:
    assert [game.title for game in Game.objects.filter(studio=_studio()).order_by("id")] == [
        "Emberwake",
        "Hollow Orchard",
    ]
    rows = Achievement.objects.filter(studio_id=_studio().pk)
    assert rows.count() == 40
    assert set(rows.values_list("state", flat=True)) == {"published"}
    assert rows.filter(hidden=True).exists()
    assert set(rows.values_list("group", flat=True)) == {"base", "long-dusk", "winter"}
    assert set(AchievementTranslation.objects.values_list("language", flat=True)) == {"fr", "de"}
    assert all(game.regions == list(REGIONS) for game in Game.objects.all())


@pytest.mark.slow
def test_it_makes_two_hundred_public_players_from_everywhere(demo: Path) -> None:
    players = Player.objects.filter(identities__studio=_studio())
    assert players.count() == 200
    assert set(players.values_list("visibility", flat=True)) == {"public"}
    assert set(players.values_list("region", flat=True)) == set(REGIONS)
    names = list(players.values_list("display_name", flat=True))
    scripts = {unicodedata.name(name[0]).split()[0] for name in names if name}
    assert all(names)
    assert {"LATIN", "CJK", "ARABIC", "CYRILLIC", "HANGUL", "HIRAGANA", "DEVANAGARI", "HEBREW"} <= scripts
    assert 60 < max(map(len, names)) <= 128
    assert all(name.isprintable() and unicodedata.is_normalized("NFC", name) for name in names)


def test_a_second_run_changes_nothing(demo: Path) -> None:
    kept = (demo / "demo.json").read_bytes()
    with CaptureQueriesContext(connection) as queries:
        call_command("demo")
    assert [
        query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))
    ] == []
    assert (demo / "demo.json").read_bytes() == kept


def test_what_somebody_edited_stays_edited(demo: Path) -> None:
    Achievement.objects.filter(key="first-spark").update(points=11)
    Game.objects.filter(uuid=EMBERWAKE.uuid).update(title="Renamed")
    Leaderboard.objects.filter(key="best-lap").update(name="Rebuilt")
    call_command("demo")
    assert Leaderboard.objects.get(key="best-lap").name == "Rebuilt"
    assert Achievement.objects.get(key="first-spark").points == 11
    assert sorted(Game.objects.values_list("title", flat=True)) == ["Hollow Orchard", "Renamed"]


def _scored() -> set[tuple[str, str, int]]:
    """Return who holds what over whole weeks and all time, on which board: what no day of the week changes."""
    names = dict(PlayerIdentity.objects.values_list("player_id", "external_id"))
    rows = Score.objects.filter(period__span="all").values_list(
        "player_id", "period__leaderboard__key", "sort_value"
    )
    return {(names[player], key, value) for player, key, value in rows}


def _take_away_scores() -> None:
    Period.objects.update(state="open")  # the database keeps those of a final one
    Period.objects.all().delete()


def _tear_out() -> None:
    """Leave what a run might have left that was not all or nothing."""
    _take_away_scores()
    Leaderboard.objects.filter(game=_game(HOLLOW_ORCHARD)).delete()
    for model in (Unlock, PlayerGame, PlayerTotal):
        model.objects.all().delete()
    orchard = Achievement.objects.filter(game=_game(HOLLOW_ORCHARD))
    AchievementTranslation.objects.filter(achievement__in=orchard).delete()
    orchard.delete()
    gone = PlayerIdentity.objects.filter(external_id__gte="np-0100")
    players = list(gone.values_list("player_id", flat=True))
    gone.delete()
    Player.objects.filter(pk__in=players).delete()
    Member.objects.all().delete()


@pytest.mark.slow
def test_a_half_done_demo_is_completed(demo: Path) -> None:
    whole, scored = _past(), _scored()
    _tear_out()
    call_command("demo")
    assert _past() == whole
    assert _scored() == scored
    assert Achievement.objects.count() == 40
    assert PlayerIdentity.objects.filter(studio=_studio()).count() == 200
    assert Member.objects.filter(studio=_studio(), user__email=credentials.EMAIL, role="owner").exists()


def test_a_run_that_fails_leaves_nothing_half_done(demo: Path, settings: Any) -> None:
    _tear_out()
    settings.VAR_DIR = demo / "demo.json" / "no-folder"
    with pytest.raises(OSError, match=r"demo\.json"):
        call_command("demo")
    assert (Unlock.objects.count(), Achievement.objects.count()) == (0, 24)
    assert (Score.objects.count(), Leaderboard.objects.count()) == (0, 1)


def test_totals_are_the_sums_of_the_unlocks(demo: Path) -> None:
    sums: Counter[tuple[int, int]] = Counter()
    for player, game, points in Unlock.objects.values_list("player_id", "game_id", "points"):
        sums[player, game] += points
    assert sums == {(row.player_id, row.game_id): row.points for row in PlayerGame.objects.all()}


def test_the_past_lies_in_the_last_months_and_ended_yesterday(demo: Path) -> None:
    times = list(Unlock.objects.values_list("unlocked_at", flat=True))
    now = timezone.now()
    assert now - timedelta(days=122) < min(times)
    assert max(times) < now
    assert sum(at > now - timedelta(days=14) for at in times) > 100
    assert len({at.date() for at in times}) > 100


def test_every_tier_of_rarity_is_there(demo: Path) -> None:
    for game in map(_game, GAMES):
        players = PlayerGame.objects.filter(game_id=game.pk).count()
        holders = Counter(Unlock.objects.filter(game_id=game.pk).values_list("achievement__key", flat=True))
        tiers = {key: rules.rarity(count, players).tier for key, count in holders.items()}
        assert set(tiers.values()) == {"common", "uncommon", "rare", "epic", "legendary"}
        assert all(holders[key] <= 2 for key, tier in tiers.items() if tier == "legendary")


def test_counters_boards_and_inboxes_know_the_past_when_the_command_ends(demo: Path) -> None:
    keys = dict(Achievement.objects.values_list("pk", "key"))
    rarities = definitions.rarities(keys)
    assert {keys[pk]: rarity.unlocked for pk, rarity in rarities.items()} == Counter(
        Unlock.objects.values_list("achievement__key", flat=True)
    )
    assert social.notifications(Inbox(_marenok().id), limit=100)


def test_players_share_ranks(demo: Path) -> None:
    for game in map(_game, GAMES):
        points = Counter(PlayerGame.objects.filter(game_id=game.pk).values_list("points", flat=True))
        assert max(points.values()) > 1


def test_the_demo_player_has_come_far_and_has_far_to_go(demo: Path) -> None:
    player, game = _marenok(), _game(EMBERWAKE)
    assert (player.external_id, player.display_name) == (DEMO_PLAYER, "marenok")
    totals = unlocks.totals_of(player.id)
    assert totals[0].game_id == game.pk  # what the page shows first
    assert totals[0].last_unlock_at == max(total.last_unlock_at or timezone.now() for total in totals)
    assert all(20 <= _rank(total.game_id, total.points) <= 60 for total in totals)
    assert 20 <= _rank(None, sum(total.points for total in totals)) <= 60
    held = unlocks.unlocks_of(player.id, game_id=game.pk)
    locked = [one for one in definitions.fresh_catalogue(game.pk).by_key.values() if one.id not in held]
    tiers = {one.key: rarity.tier for one in locked for rarity in definitions.rarities([one.id]).values()}
    assert "uncommon" in tiers.values()
    assert "epic" in tiers.values()
    assert any(one.hidden for one in locked)


def test_the_demo_players_past_is_no_news(demo: Path) -> None:
    player = _marenok()
    told = social.notifications(Inbox(player.id), kind="achievement.unlocked", limit=100)
    assert len(told) == Unlock.objects.filter(player_id=player.id).count()
    assert social.unread_count(Inbox(player.id)) == 0


def test_the_shown_line_unlocks_and_the_next_one_is_another(demo: Path) -> None:
    line = _shown().rstrip("\n").splitlines()[-1]
    status, told = _send(line)
    assert (status, told["status"]) == (202, "unlocked")
    assert (told["game_id"], told["player"]) == (str(EMBERWAKE.uuid), DEMO_PLAYER)
    assert told["totals"]["available"] == 24
    assert _send(line)[0] == 200
    following = _shown().rstrip("\n").splitlines()[-1]
    assert following != line
    assert _send(following)[1]["status"] == "unlocked"


def test_no_line_is_shown_when_only_secrets_and_counted_ones_are_left(demo: Path) -> None:
    for demo_game in GAMES:
        game = accounts.fresh_game(demo_game.uuid)
        assert game is not None
        open_ones = Achievement.objects.filter(game_id=game.id, hidden=False, type="standard")
        requests = [UnlockRequest(DEMO_PLAYER, key) for key in open_ones.values_list("key", flat=True)]
        unlock_many(game=game, requests=requests, by=SERVER, at=timezone.now())
    assert "achievements/unlock" not in _shown()
    assert _shown().endswith("has unlocked everything but what is hidden or counted in steps.\n")


def test_the_developer_signs_in_by_the_page_and_lands_on_the_demo_s_studio(demo: Path) -> None:
    kept = json.loads((demo / "demo.json").read_text())
    client = Client(headers={"Accept": "text/html"})
    sent = {"login": kept["email"], "password": kept["password"]}
    answer = client.post("/account/login/", sent, follow=True)
    assert answer.redirect_chain[-1][0] == f"/portal/{django_settings.DEMO_STUDIO}/"
    assert "Northlight Games" in answer.content.decode()
    assert client.get("/admin/").status_code == 200


def test_what_is_shown_is_calm_and_complete(demo: Path, settings: Any) -> None:
    settings.PUBLIC_URL = "https://laurel.example"
    kept = json.loads((demo / "demo.json").read_text())
    lines = _shown().splitlines()
    assert [line.split() for line in lines[:5]] == [
        ["Home", "https://laurel.example/"],
        ["Demo", "player", "https://laurel.example/demo"],
        ["Portal", "https://laurel.example/portal/"],
        ["API", "docs", "https://laurel.example/api/v1/docs"],
        ["Admin", "https://laurel.example/admin/"],
    ]
    rows = [
        line
        for line in lines
        if line.startswith(("Home", "Demo", "Portal", "API", "Admin", "Sign", "Password", "Server"))
    ]
    assert {line[:13].rstrip(): line[13:] for line in rows[5:]} == {
        "Sign in as": "developer@laurel.example",
        "Password": kept["password"],
        "Server key": kept["server_key"],
    }
    assert lines[-1].startswith("curl -X POST https://laurel.example/api/v1/achievements/unlock ")
    assert all(line == line.strip() and line.isascii() for line in lines)


def test_the_shown_pages_are_there(demo: Path, settings: Any) -> None:
    for line in _shown().splitlines()[:4]:
        path = line.split()[-1].removeprefix(settings.PUBLIC_URL)
        assert Client().get(path, headers={"Accept": "text/html"}).status_code in (200, 302), path


def test_the_developer_signs_in_to_the_admin(demo: Path) -> None:
    kept = credentials.kept()
    client = Client()
    assert client.login(username=credentials.EMAIL, password=kept.password)
    assert client.get("/admin/").status_code == 200


def test_a_password_that_was_changed_is_not_shown_and_not_changed_back(demo: Path) -> None:
    user = User.objects.get(email=credentials.EMAIL)
    user.set_password("chosen-by-the-developer")
    user.save()
    call_command("demo")
    assert User.objects.get(email=credentials.EMAIL).check_password("chosen-by-the-developer")
    assert credentials.kept().password not in _shown()


def test_the_key_may_do_everything(demo: Path) -> None:
    holder = accounts.key_holder(key_hash(credentials.kept().server_key))
    assert holder is not None
    assert (holder.studio_id, holder.game_id, holder.scopes) == (_studio().pk, None, frozenset(SCOPES))


def test_a_revoked_key_is_replaced(demo: Path) -> None:
    before = credentials.kept()
    row = ServerKey.objects.get(hash=key_hash(before.server_key))
    revoke_key(key_id=row.pk, at=timezone.now())
    call_command("demo")
    after = credentials.kept()
    assert (after.password, after.server_key != before.server_key) == (before.password, True)
    assert accounts.key_holder(key_hash(after.server_key)) is not None


@pytest.mark.parametrize("left", [None, b"", b"[]", b'{"password": "half'])
def test_lost_secrets_are_replaced(demo: Path, left: bytes | None) -> None:
    before, file = credentials.kept(), demo / "demo.json"
    file.unlink() if left is None else file.write_bytes(left)
    call_command("demo")
    after = credentials.kept()
    assert after.password != before.password
    assert Client().login(username=credentials.EMAIL, password=after.password)
    assert accounts.key_holder(key_hash(after.server_key)) is not None


def test_secrets_are_for_their_owner_only(demo: Path) -> None:
    (demo / "demo.json").unlink()
    call_command("demo")
    assert stat.S_IMODE((demo / "demo.json").stat().st_mode) == 0o600


def test_there_is_nothing_to_show_before_it_is_made(demo: Path) -> None:
    (demo / "demo.json").unlink()
    with pytest.raises(CommandError, match="no demo yet"):
        _shown()


def _board(board: DemoBoard, query: str = "") -> dict[str, Any]:
    answer = Client().get(f"/api/v1/leaderboards/{board.game.uuid}/{board.key}?limit=1000{query}")
    assert answer.status_code == 200, answer.content
    page: dict[str, Any] = answer.json()
    return page


def test_the_games_have_a_board_each_with_a_rule_of_its_own(demo: Path) -> None:
    rows = Leaderboard.objects.values_list(
        "key", "sort", "operator", "tie_break", "decimals", "reset", "spans"
    )
    assert set(map(str, rows)) == {
        str(("best-lap", "asc", "best", "dense", 3, "weekly", ["all"])),
        str(("high-score", "desc", "best", "earliest", 0, "never", ["day", "week"])),
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.key)
def test_everybody_who_played_is_on_the_board_when_the_command_ends(demo: Path, board: DemoBoard) -> None:
    page = _board(board, "&span=all&period=all")
    best: dict[str, Decimal] = {}
    for one in tries(board, until=timezone.now()):
        sign = 1 if board.skill < 0 else -1
        best[one.player] = min(best.get(one.player, sign * one.score), sign * one.score)
    assert [row["score"] for row in page["results"]] == [float(abs(value)) for value in sorted(best.values())]
    assert page["total_count"] == len(best) > 100
    assert {row["player"]["region"] for row in page["results"]} == set(REGIONS)
    shown = [row["rank"] for row in page["results"] if row["player"]["display_name"] == MARENOK.display_name]
    assert 5 <= shown[0] <= 60
    scores = [row["score"] for row in page["results"]]
    assert len(set(scores)) < len(scores)


def test_last_week_is_final_and_this_one_runs(demo: Path) -> None:
    last, now = _board(BEST_LAP, "&period=previous"), _board(BEST_LAP)
    begun = datetime.fromisoformat(now["period"]["starts_at"])
    ended = "finalising" if timezone.now() < begun + GRACE else "final"  # late scores still count
    assert (last["period"]["state"], now["period"]["state"]) == (ended, "open")
    assert last["period"]["ends_at"] == now["period"]["starts_at"]
    for page in (last, now):
        times = [row["submitted_at"] for row in page["results"]]
        assert page["total_count"] > 80
        assert page["period"]["starts_at"] <= min(times)
        assert max(times) < page["period"]["ends_at"]
        assert {row["metadata"]["boat"] for row in page["results"]} == set(BEST_LAP.boats)
    # Equals share a place and none is left out behind them.
    assert last["results"][-1]["rank"] == len({row["score"] for row in last["results"]}) < last["total_count"]
    weeks = Period.objects.filter(leaderboard__key="high-score", span="week")
    assert set(weeks.values_list("state", flat=True)) == {ended, "open"}
    assert Period.objects.filter(leaderboard__key="high-score", span="day", state="final").count() >= 6


@pytest.mark.slow
def test_a_demo_from_before_there_were_boards_gets_them(demo: Path) -> None:
    scored = _scored()
    _take_away_scores()
    Leaderboard.objects.all().delete()
    Achievement.objects.filter(key="first-spark").update(points=11)
    call_command("demo")
    assert _scored() == scored
    assert Achievement.objects.get(key="first-spark").points == 11


def test_the_shown_board_is_there_until_it_is_not(demo: Path, settings: Any) -> None:
    (line,) = [line for line in _shown().splitlines() if line.startswith("Read a leaderboard: ")]
    program, url = shlex.split(line.removeprefix("Read a leaderboard: "))
    answer = Client().get(url.removeprefix(settings.PUBLIC_URL))
    assert (program, answer.status_code, len(answer.json()["results"])) == ("curl", 200, 5)
    _take_away_scores()
    Leaderboard.objects.all().delete()
    assert "leaderboards" not in _shown()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.key)
def test_scores_are_the_same_whenever_the_demo_is_made(board: DemoBoard) -> None:
    made = datetime.fromisoformat("2026-11-25T13:00:00Z")
    told = [(one.player, one.score, one.boat) for one in tries(board, until=made)]
    for later in (0, 1, 3, 4, 5):  # Sunday, and Monday at the week's first minute, too
        until = made.replace(hour=0, minute=0, second=30) + timedelta(days=later)
        again = tries(board, until=until)
        assert sorted((one.player, one.score) for one in again) == sorted(
            (who, what) for who, what, _ in told
        )
        assert [one.at for one in again] == sorted(one.at for one in again)
        monday = until.date() - timedelta(days=until.weekday())
        assert all(monday - timedelta(days=7) <= one.at.date() for one in again)
        assert all(one.at < until for one in again)
        assert {one.at.date() >= monday for one in again} == {True, False}


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
class TestDocuments:
    def test_a_document_is_a_clean_import(self, game: DemoGame) -> None:
        found = formats.parse("laurel", game.document())
        assert found.errors == ()
        written = json.loads(game.document())["achievements"]
        assert [one.key for one in found.achievements] == [one["key"] for one in written]
        assert [one["key"] for one in found.parts["leaderboards"]] == [  # type: ignore[index]  # an object
            board.key for board in BOARDS if board.game is game
        ]
        # Nothing was trimmed or rewritten on the way.
        assert [one.values()["name"] for one in found.achievements] == [one["name"] for one in written]

    def test_names_and_keys_are_unique_and_points_are_5_to_100(self, game: DemoGame) -> None:
        written = json.loads(game.document())["achievements"]
        assert len({one["key"] for one in written}) == len({one["name"] for one in written}) == len(written)
        assert all(one["key"].isascii() for one in written)
        assert all(5 <= one["points"] <= 100 and one["points"] % 5 == 0 for one in written)
        assert all(one["description"].endswith(".") and len(one["description"]) <= 90 for one in written)

    def test_every_achievement_says_how_rare_it_is(self, game: DemoGame) -> None:
        assert {one["key"] for one in json.loads(game.document())["achievements"]} == game.reached_by.keys()

    def test_the_past_is_the_same_for_the_same_day(self, game: DemoGame) -> None:
        day = datetime.fromisoformat("2026-11-23T00:00:00Z")
        past = deeds(game, until=day)
        assert past == deeds(game, until=day + timedelta(hours=23, minutes=59))
        assert past == sorted(past, key=lambda deed: deed.at)
        assert max(deed.at for deed in past) < day
        later = deeds(game, until=day + timedelta(days=3))
        assert [(one.player, one.achievement) for one in later] == [
            (one.player, one.achievement) for one in past
        ]
        assert len({(deed.player, deed.achievement) for deed in past}) == len(past)


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
def test_evenings_hold_every_unlock_and_never_overlap(game: DemoGame) -> None:
    day = datetime.fromisoformat("2026-11-23T00:00:00Z")
    played = evenings(game, until=day)
    assert played == evenings(game, until=day)
    for deed in deeds(game, until=day):
        assert any(one.begun < deed.at < one.ended for one in played[deed.player])
    for listed in played.values():
        assert all(earlier.ended < later.begun for earlier, later in pairwise(listed))
        assert listed[-1].ended < day


def test_playtime_and_stats_are_there_and_a_second_run_adds_none(demo: Path) -> None:
    played = Playtime.objects.aggregate(n=Count("player_id"), ms=Sum("total_ms"))
    assert played["n"] > len(others())
    assert StatValue.objects.count() == played["n"]
    call_command("demo")
    assert Playtime.objects.aggregate(n=Count("player_id"), ms=Sum("total_ms")) == played


def test_players_are_always_the_same_199_and_the_demo_player() -> None:
    people = others()
    assert people == others()
    assert len({player.external_id for player in [MARENOK, *people]}) == 200
    assert people[0].external_id == "np-0001"


def test_the_studio_is_found_by_its_fixed_id(demo: Path) -> None:
    assert _studio().name == creating.STUDIO_NAME
    assert _marenok().id == PlayerIdentity.objects.get(studio=_studio(), external_id=DEMO_PLAYER).player_id
