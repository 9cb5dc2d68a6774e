"""After a person who left traces everywhere was erased: every column, key and file is looked through."""

import io
import json
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import linking, selectors
from accounts.calls import writing
from accounts.models import Player, PlayerSession, Studio, User
from accounts.selectors import GameInfo, PlayerInfo
from achievements.models import AchievementCount, PlayerGame, PlayerReport
from achievements.services import granting, reports, revokes
from analytics.services import rebuilding
from core import audit, persons_kept
from core.audit import sealing, verifying
from core.models import AuditEntry, DeadLetter, ExportJob, ExportPiece, IdempotencyKey
from core.persons import Person
from history import partitions, rollups
from history.rollups import Activity, Changes
from history.selectors import served
from history.selectors.showing import Audience
from history.services import retention
from leaderboards.models import Period, RankSample, Score, Snapshot
from leaderboards.services import turning
from social import befriending
from social.models import Notification
from tests import factories
from tests.accounts import erasures, joins
from tests.accounts.erasures import erase, settle
from tests.accounts.joins import advance, drain, play, report, require_whole, rows_of, submit, unlock
from webhooks.models import Attempt, Delivery
from webhooks.services import endpoints

pytestmark = pytest.mark.django_db(transaction=True)
NAME, ID, PICTURE = "Gonny McGone", "account|gone-4711", "https://pictures.example/gonny-mcgone.png"
OLD = datetime(2024, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path, settings: Any) -> Path:
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    return tmp_path / "archive"


def known(owner: Studio, external_id: str) -> PlayerInfo:
    info = selectors.player_of_studio(owner.pk, external_id)
    assert info is not None
    return info


def live_and_be_told_of(owner: Studio, game: GameInfo) -> tuple[PlayerInfo, PlayerInfo]:
    """Let a person and another one play, be friends, and be spoken of by everybody who speaks of players."""
    at, by = timezone.now(), "user:support@example.com"
    factories.player(owner, ID, display_name=NAME, avatar_url=PICTURE, region="EU")
    factories.player(owner, "stays", display_name="Stayer", region="EU")
    endpoints.create(
        studio_id=owner.pk,
        game_id=None,
        url="https://hooks.example.com/",
        events=["player.created", "achievement.unlocked", "leaderboard.period_ended"],
        description="",
        actor=by,
        at=at,
    )
    gone, stays = known(owner, ID), known(owner, "stays")
    asked = befriending.ask(sender_id=gone.id, receiver_id=stays.id, at=at)
    drain()
    befriending.accept(player_id=stays.id, request=asked.uuid, at=at)
    for player in (ID, "stays"):
        unlock(game, player, "a1")
        advance(game, player, 4)
        report(game, player, total=60, max=7)
        submit(game, player, best=5, last=6, sum=7)
        play(game, player)
    granting.grant(game=game, player=gone, key="a2", reason=f"{NAME} asked", actor=by, at=at)
    unlock(game, ID, "a3")
    revokes.revoke(game=game, player_id=gone.id, key="a3", reason=f"for {ID}", actor=by, at=at)
    linking.issue_code(player=gone, studio_id=owner.pk, by=f"player:{gone.uuid}", at=at)
    drain()
    return gone, stays


def call(owner: Studio, game: GameInfo, info: PlayerInfo) -> None:
    """Let the studio's server name the person to the API, rightly and wrongly."""
    api = factories.api(factories.server_key(owner))
    body = {"game_id": str(game.uuid), "achievement": "a5", "message": f"I am {NAME}"}
    assert api.post(f"/players/{ID}/reports", body, Idempotency_Key="once").status_code == 201
    report_uuid = PlayerReport.objects.get(player_id=info.id).uuid
    reports.answer(
        studio_id=owner.pk,
        uuid=report_uuid,
        text=f"Dear {NAME}, it works",
        actor="user:a@b.c",
        at=timezone.now(),
    )
    assert api.post("/achievements/unlock", {"player": ID, "achievement": "?"}).status_code == 422
    assert api.put(f"/players/{ID}", {"region": "nowhere at all"}).status_code == 422
    writing.write(at=timezone.now())


def keep(owner: Studio, info: PlayerInfo, friend_id: int) -> None:
    """Keep files, snapshots, answers and what the admin noted, as if time had passed."""
    now = timezone.now()
    job = ExportJob.objects.create(
        uuid=uuid4(),
        studio_id=owner.pk,
        kind="facts",
        title="Emberwake",
        file_name="facts.ndjson",
        actor="user:a@b.c",
        created_at=now,
        expires_at=now + timedelta(days=1),
        state=ExportJob.State.DONE,
    )
    line = orjson.dumps({"player": {"id": str(info.uuid), "external_id": ID}})
    ExportPiece.objects.create(job_id=job.pk, number=0, packed=zlib.compress(line))
    LogEntry.objects.create(
        user=User.objects.create_user("operator@example.com"),
        content_type=ContentType.objects.get_for_model(Player),
        object_id=str(info.id),
        object_repr=NAME,
        action_flag=CHANGE,
    )
    PlayerSession.objects.create(
        player_id=info.id,
        studio=owner,
        hash=b"s",
        user_agent=NAME,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    for viewer in (info.id, friend_id):
        served.build_and_keep(viewer, "UTC", Audience())


def end_period(player_id: int) -> Period:
    """Let a board's period end, with what a game said of a player's score."""
    Score.objects.filter(player_id=player_id).update(metadata=json.dumps({"name": NAME}))
    period = Period.objects.filter(leaderboard__key="best").order_by("pk")[0]
    Period.objects.filter(pk=period.pk).update(state="finalising")
    assert turning.finalise(period.pk, now=timezone.now())
    drain()
    return period


def archive_old(*player_ids: int, game_id: int) -> None:
    """Let players have unlocked long ago, and archive that."""
    partitions.ensure(now=OLD)
    changes = Changes()
    for player_id in player_ids:
        changes.activity["hour"][player_id, game_id, OLD] = Activity(1, 5, 60_000)
        changes.stats["day"][player_id, 1, OLD.date()] = Decimal(7)
    with transaction.atomic():
        rollups.add(changes)
    retention.apply(now=timezone.now())


@pytest.mark.slow
def test_nothing_leads_to_the_person_and_others_keep_what_is_theirs(archive: Path) -> None:
    joins.begin()
    owner = factories.studio()
    game = joins.declare(owner)
    gone, stays = live_and_be_told_of(owner, game)
    call(owner, game, gone)
    keep(owner, gone, stays.id)
    period = end_period(gone.id)
    archive_old(gone.id, stays.id, game_id=game.id)
    sealing.seal()
    names = [ID, NAME, PICTURE, str(gone.uuid), "gone-4711"]
    assert (
        len({where.split(":")[0] for where in erasures.left_of(names)}) > 15
    )  # the search finds what is there
    assert (erasures.archived_rows_of(gone.id), erasures.archived_rows_of(stays.id)) == (2, 2)
    before = standing(stays.id), Counter(AuditEntry.objects.values_list("action", flat=True))

    erase(owner, ID, reason="She asked for it.")
    settle()

    assert erasures.left_of(names) == []
    assert rows_of(gone.id) == {"leaderboards_score": Score.objects.filter(player_id=gone.id).count()}
    assert (erasures.archived_rows_of(gone.id), erasures.archived_rows_of(stays.id)) == (0, 2)
    assert standing(stays.id) == before[0]
    after = Counter(AuditEntry.objects.values_list("action", flat=True))
    assert after - before[1] == Counter({"player.erase": 1})
    require_whole()
    require_final(period, gone.id)
    sealing.seal()
    verdict = verifying.verify(owner.pk)
    assert (verdict.fault, verdict.erased > 3) == ("", True)
    assert Delivery.objects.filter(event="leaderboard.period_ended").exists()
    assert Notification.objects.filter(player_id=stays.id).exists()
    assert set(rebuilding.differences(now=timezone.now(), say=lambda _: None).values()) == {0}


def standing(player_id: int) -> list[Any]:
    return [
        list(PlayerGame.objects.filter(player_id=player_id).values_list("points", "unlocked", "version")),
        sorted(Score.objects.filter(player_id=player_id).values_list("period_id", "sort_value")),
        sorted(
            AchievementCount.objects.filter(achievement__key="a5").values_list("achievement_id", "unlocked")
        ),
    ]


def require_final(period: Period, player_id: int) -> None:
    """Require that the place stays in a period that is over, and that its hash says what the file says."""
    row = Score.objects.get(player_id=player_id, period=period)
    assert (row.metadata, row.sort_value) == (None, -5)
    call_command("verify_standings", stdout=io.StringIO())


def test_snapshots_and_samples_lose_the_place(archive: Path) -> None:
    joins.begin()
    owner = factories.studio()
    game = joins.declare(owner)
    for player in ("p-1", "p-2"):
        unlock(game, player, "a1")
    one, two = known(owner, "p-1"), known(owner, "p-2")
    now = timezone.now()
    board = f"points:{game.id}:*"
    rows = [[one.id, 1, -10, 5], [two.id, 2, -10, 6], [one.id * 1000 + two.id, 3, -1, 7]]
    kept = Snapshot.objects.create(
        board=board, window=1, taken_at=now, players=3, period="", top=orjson.dumps(rows).decode()
    )
    for info in (one, two):
        RankSample.objects.create(board=board, player_id=info.id, taken_at=now, rank=1, sort_value=-10)
    erase(owner, "p-1")
    settle()
    kept.refresh_from_db()
    assert [row[0] for row in orjson.loads(kept.top)] == [two.id, one.id * 1000 + two.id]
    assert list(RankSample.objects.values_list("player_id", flat=True)) == [two.id]


def test_dead_letters_and_answers_lose_the_name_and_stay_of_use() -> None:
    person = Person(
        studio_id=7,
        is_whole=True,
        player_ids=(1,),
        stand_ins=(1,),
        uuids=("0194f7a0-0000-7000-8000-000000000001",),
        external_ids=(ID, "7"),
        texts=(NAME,),
    )
    letter = DeadLetter.objects.create(
        follower="webhooks",
        fact_id=1,
        fact_tx=1,
        fact_at=timezone.now(),
        kind="ids_moved",
        studio_id=7,
        payload={"player": 1, "gone": person.uuids[0], "ids": [ID, "8"], "seven": 7},
        error=f"KeyError: '{ID}'",
    )
    for caller, key, body in (
        ("studio:7", "his", f'{{"player":{{"external_id":"{ID}"}}}}'),
        ("studio:7", "other", '{"points":7}'),
        ("studio:7", f"unlock-{ID}-first_blood", "{}"),
        ("studio:7", f"unlock_{ID}_first-blood", "{}"),
        ("studio:7", f"unlock-{ID}5-first_blood", "{}"),
        ("studio:7", "unlock-7-first_blood", "{}"),
        ("studio:8", f"unlock-{ID}-first_blood", "{}"),
        ("player:9:9", f"befriend {person.uuids[0].upper()}", "{}"),
    ):
        IdempotencyKey.objects.create(
            caller=caller,
            key=key,
            fingerprint=b"",
            status=201,
            body=body.encode(),
            created_at=timezone.now(),
        )
    assert take_out(person) == 5
    assert take_out(person) == 0
    letter.refresh_from_db()
    assert letter.payload == {"player": 1, "gone": None, "ids": [None, "8"], "seven": 7}
    assert letter.error == "erased"
    assert sorted(IdempotencyKey.objects.values_list("caller", "key")) == [
        ("studio:7", "other"),
        ("studio:7", "unlock-7-first_blood"),
        ("studio:7", f"unlock-{ID}5-first_blood"),
        ("studio:8", f"unlock-{ID}-first_blood"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "is_named"),
    [
        ("Anna", "ANNA asked for it", True),
        ("Anna", "Susanna asked for it", False),
        ("Anna", "seen_by_anna_twice", True),
        ("76561198", "unlock_76561198_first", True),
        ("76561198", "unlock_176561198_first", False),
        ("山田太郎", "山田太郎さんの希望", True),
        ("山田", "株式会社山田の希望", True),
        ("สมชาย", "คุณสมชายขอมา", True),
        ("민수", "민수가 원했다", True),
        ("ab", "ab asked for it", False),
    ],
)
def test_a_name_is_found_as_a_word_of_its_script(name: str, text: str, is_named: bool) -> None:
    assert Person(7, True, (1,), (1,), (), (), (name,)).is_named_in(text) is is_named


def take_out(person: Person) -> int:
    with transaction.atomic():
        return persons_kept.look(person)().rows


def made_file(*pieces: bytes) -> ExportJob:
    job = ExportJob.objects.create(
        uuid=uuid4(),
        studio_id=7,
        kind="facts",
        title="Emberwake",
        file_name="facts.ndjson",
        actor="user:a@b.c",
        created_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
        state=ExportJob.State.DONE,
    )
    for number, piece in enumerate(pieces):
        ExportPiece.objects.create(job_id=job.pk, number=number, packed=zlib.compress(piece))
    return job


def test_files_are_read_a_piece_at_a_time_and_the_audit_log_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons_kept, "_AT_ONCE", 2)
    named, other = b'{"player":{"external_id":"p-1"}}', b'{"player":{"external_id":"p-2"}}'
    made_file(other, other, named)
    stays = made_file(other, other)
    for number in range(5):
        audit.record(
            studio_id=7,
            actor="user:a@b.c",
            action="player.ban",
            kind="player",
            object_id="p-2",
            reason=f"{number} of p-1",
            at=timezone.now(),
        )
    person = Person(7, True, (1,), (1,), (), ("p-1",), ())
    with CaptureQueriesContext(connection) as asked:
        take = persons_kept.look(person)
    said = [one["sql"] for one in asked.captured_queries]
    assert sum('"packed"' in sql for sql in said) == 5
    assert sum('"core_auditentry"' in sql for sql in said) == 4  # the last one finds nothing
    with transaction.atomic():
        assert take().rows == 1 + 5
    assert ExportJob.objects.get().pk == stays.pk
    assert not AuditEntry.objects.exclude(reason="").exists()


def test_a_look_behind_an_erasure_finds_nothing_in_files_that_name_others() -> None:
    made_file(b'{"player":{"external_id":"p-2"}}')
    nobody_known = Person(7, True, (1,), (1,), (), (), ())
    assert take_out(nobody_known) == 0
    assert ExportJob.objects.count() == 1


def test_what_a_receiver_answered_loses_the_name(archive: Path) -> None:
    joins.begin()
    owner = factories.studio()
    game = joins.declare(owner)
    live_and_be_told_of(owner, game)
    kept = Delivery.objects.exclude(payload__contains=ID).first()
    assert kept is not None
    attempt = Attempt.objects.create(
        delivery_id=kept.pk,
        number=1,
        at=timezone.now(),
        duration_ms=1,
        error="",
        url="",
        request_headers="{}",
        response_headers="{}",
        response_body=f"thanks, {NAME}",
    )
    erase(owner, ID)
    settle()
    attempt.refresh_from_db()
    assert attempt.response_body == "erased"
    assert Delivery.objects.filter(pk=kept.pk).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM webhooks_attempt a WHERE NOT EXISTS"
            " (SELECT FROM webhooks_delivery d WHERE d.id = a.delivery_id)"
        )
        assert cursor.fetchone()[0] == 0
