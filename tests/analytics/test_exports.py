"""Exports: files of whole games, asked for in the portal, made piece by piece in the background, fetched by members."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Player, Studio
from accounts.selectors import GameInfo
from analytics.exports import facts as facts_file
from analytics.exports import unlocks as unlocks_file
from core.exports import asking, making
from core.exports.kinds import Chunk, Export, exports
from core.models import AuditEntry, ExportJob, ExportPiece
from core.refusals import Conflict, NotFound
from tests import factories
from tests.accounts import joins
from tests.accounts.joins import declare, unlock
from tests.accounts.visitors import Visitor, member
from tests.analytics.streams import reader

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _anew() -> None:
    joins.begin()


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> GameInfo:
    return declare(studio)


@pytest.fixture
def analyst(studio: Studio) -> Visitor:
    return member(studio, "analyst")


def form_of(who: Visitor, studio: Studio) -> dict[str, str]:
    """Return what a form carries unseen."""
    page = who.get("portal-exports", studio.uuid)
    assert page.status_code == 200
    return {"once": page.context["form"]["once"].value()}


def ask(who: Visitor, studio: Studio, game: GameInfo, kind: str = "unlocks") -> Any:
    sent = form_of(who, studio) | {"kind": kind, "game": str(game.uuid)}
    return who.post("portal-exports", studio.uuid, **sent)


def fetch(who: Visitor, studio: Studio, job: ExportJob) -> Any:
    return who.get("portal-export-file", studio.uuid, job.uuid)


def body_of(answer: Any) -> str:
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content)
    assert int(answer["Content-Length"]) == len(body)
    return body.decode()


def test_all_unlocks_of_a_game_become_a_file(
    studio: Studio, game: GameInfo, analyst: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlocks_file, "AT_ONCE", 3)  # several pieces, within an achievement and across them
    expected = set()
    for player in ("p-1", "=cmd()", "p,3", "p-4"):
        for key in ("a1", "a2", "a3"):
            unlock(game, player, key)
            expected.add(("'" + player if player == "=cmd()" else player, key, str(10 * int(key[1]))))
    unlock(declare(studio), "p-1", "a4")
    assert ask(analyst, studio, game).status_code == 302
    job = ExportJob.objects.get()
    assert (job.state, job.actor) == ("queued", f"user:{analyst.email}")
    assert fetch(analyst, studio, job).status_code == 404  # there is nothing yet
    making.run_some(now=timezone.now())
    job.refresh_from_db()
    assert (job.state, job.percent, job.rows) == ("done", 100, 12)
    assert job.pieces > 3
    answer = fetch(analyst, studio, job)
    assert answer["Content-Disposition"] == f'attachment; filename="{job.file_name}"'
    assert job.file_name.startswith("unlocks-emberwake-")
    assert job.file_name.endswith(".csv")
    assert answer["Content-Type"].startswith("text/csv")
    head, *rows = csv.reader(io.StringIO(body_of(answer), newline=""))
    assert tuple(head) == unlocks_file.COLUMNS
    assert len(rows) == 12
    assert {(row[0], row[2], row[3]) for row in rows} == expected
    assert {row[1] for row in rows} == {str(uuid) for uuid in Player.objects.values_list("uuid", flat=True)}
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)


def test_the_facts_of_a_game_become_a_file_as_the_api_tells_them(
    studio: Studio, game: GameInfo, analyst: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts_file, "AT_ONCE", 2)
    for number in range(5):
        unlock(game, f"p-{number}", "a1")
    unlock(declare(studio), "p-0", "a1")
    ask(analyst, studio, game, kind="facts")
    making.run_some(now=timezone.now())
    lines = [
        json.loads(line) for line in body_of(fetch(analyst, studio, ExportJob.objects.get())).splitlines()
    ]
    assert lines == reader(game, factories.server_key(studio)).read()
    assert len(lines) == 10


def test_a_game_in_which_nothing_happened_is_a_file_too(
    studio: Studio, game: GameInfo, analyst: Visitor
) -> None:
    for kind in exports():
        ask(analyst, studio, game, kind=kind)
    making.run_some(now=timezone.now())
    unlocks, facts = (ExportJob.objects.get(kind=kind) for kind in ("unlocks", "facts"))
    assert body_of(fetch(analyst, studio, unlocks)) == ",".join(unlocks_file.COLUMNS) + "\r\n"
    assert body_of(fetch(analyst, studio, facts)) == ""


def test_a_worker_that_dies_costs_no_more_than_its_piece(
    studio: Studio, game: GameInfo, analyst: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlocks_file, "AT_ONCE", 2)
    for number in range(7):
        unlock(game, f"p-{number}", "a1")
    ask(analyst, studio, game)
    at = timezone.now()
    first = making._take(at=at)
    assert first is not None
    making._make_piece(first)
    begun = making._take(at=at)  # and its worker dies
    assert begun is not None
    assert making._take(at=at + timedelta(seconds=30)) is None
    again = making._take(at=at + timedelta(seconds=90))
    assert again is not None
    making._make_piece(again)
    making._make_piece(begun)  # it was not dead: what it brings is there
    making.run_some(now=timezone.now())
    lines = body_of(fetch(analyst, studio, ExportJob.objects.get())).splitlines()
    assert sorted(line.split(",")[0] for line in lines[1:]) == [f"p-{number}" for number in range(7)]
    assert ExportPiece.objects.count() == ExportJob.objects.get().pieces == 4


def test_several_workers_make_each_piece_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(studio_id: int, about: Any, after: Any) -> Chunk:
        number = (after or 0) + 1
        return Chunk(f"{number}\n".encode(), 1, number, number * 5, number == 20)

    with_kinds(monkeypatch, one=counted, two=counted, three=counted)
    for kind in ("one", "two", "three"):
        queue(studio, kind)

    def work() -> None:
        try:
            making.run_some(now=timezone.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(work) for _ in range(4)]:
            each.result()
    making.run_some(now=timezone.now())
    assert {(job.state, job.rows, job.pieces, job.size) for job in ExportJob.objects.all()} == {
        ("done", 20, 20, 51),
    }


def with_kinds(monkeypatch: pytest.MonkeyPatch, **readers: Any) -> None:
    for kind, read in readers.items():
        monkeypatch.setitem(exports(), kind, Export(kind, kind, "", "txt", "text/plain", read))


def queue(studio: Studio, kind: str) -> None:
    asking.ask(
        uuid=uuid4(),
        studio_id=studio.pk,
        kind=kind,
        about={},
        title="Emberwake",
        file_name=f"{kind}.txt",
        actor="user:test",
        at=timezone.now(),
    )


def test_what_can_not_be_made_fails_with_its_reason_and_leaves_nothing(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(studio_id: int, about: Any, after: Any) -> Chunk:
        if after is None:
            return Chunk(b"x", 1, 1, 0, False)
        raise NotFound("The game is gone.")

    with_kinds(monkeypatch, gone=gone)
    queue(studio, "gone")
    making.run_some(now=timezone.now())
    job = ExportJob.objects.get()
    assert (job.state, job.error, job.size) == ("failed", "The game is gone.", 0)
    assert not ExportPiece.objects.exists()


def test_what_breaks_is_tried_three_times_and_lets_others_pass(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(studio_id: int, about: Any, after: Any) -> Chunk:
        raise ZeroDivisionError

    with_kinds(
        monkeypatch, broken=broken, fine=lambda studio_id, about, after: Chunk(b"x", 1, None, 100, True)
    )
    queue(studio, "broken")
    queue(studio, "fine")
    making.run_some(now=timezone.now())
    broke = ExportJob.objects.get(kind="broken")
    assert (broke.state, broke.tries, ExportJob.objects.get(kind="fine").state) == ("running", 1, "done")
    for _ in range(3):
        ExportJob.objects.filter(pk=broke.pk).update(worked_at=timezone.now() - 2 * making.LEASE)
        making.run_some(now=timezone.now())
    broke.refresh_from_db()
    assert broke.state == "failed"
    assert "three times" in broke.error


def test_one_of_a_kind_at_a_time_and_five_a_day(studio: Studio, game: GameInfo, analyst: Visitor) -> None:
    assert ask(analyst, studio, game).status_code == 302
    again = ask(analyst, studio, game)
    assert again.status_code == 422
    assert "An export of this kind is being made" in again.content.decode()
    assert ExportJob.objects.count() == 1
    other = factories.studio()
    queue(other, "unlocks")  # another studio's is nobody's business
    for _ in range(4):
        ExportJob.objects.update(state="done")
        assert ask(analyst, studio, game).status_code == 302
    ExportJob.objects.update(state="done")
    refused = ask(analyst, studio, game)
    assert refused.status_code == 422
    assert "5 exports a day" in refused.content.decode()
    ExportJob.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert ask(analyst, studio, game).status_code == 302


def test_the_same_form_sent_twice_is_one_export(studio: Studio, game: GameInfo, analyst: Visitor) -> None:
    sent = form_of(analyst, studio) | {"kind": "unlocks", "game": str(game.uuid)}
    for _ in range(2):
        assert analyst.post("portal-exports", studio.uuid, **sent).status_code == 302
    assert ExportJob.objects.count() == 1
    entry = AuditEntry.objects.get(action="export.create")
    assert (entry.actor, entry.details["game"]) == (f"user:{analyst.email}", str(game.uuid))


def test_members_who_ask_at_once_get_one(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def try_it(_: int) -> bool:
        try:
            queue(studio, "unlocks")
        except Conflict:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(try_it, range(8))) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "passwords"},
        {"kind": ""},
        {"game": "x"},
        {"game": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"},
        {"game": "\x00"},
    ],
    ids=["unknown kind", "no kind", "no id", "no game", "nul"],
)
def test_a_form_that_can_not_be_is_refused(
    studio: Studio, game: GameInfo, analyst: Visitor, fields: dict[str, str]
) -> None:
    sent = form_of(analyst, studio) | {"kind": "unlocks", "game": str(game.uuid)} | fields
    assert analyst.post("portal-exports", studio.uuid, **sent).status_code == 422
    assert not ExportJob.objects.exists()


def test_another_studio_s_game_and_files_are_not_there(
    studio: Studio, game: GameInfo, analyst: Visitor
) -> None:
    other = factories.studio()
    stranger = member(other, "owner")
    declare(other)
    assert ask(stranger, other, game).status_code == 422
    ask(analyst, studio, game)
    making.run_some(now=timezone.now())
    job = ExportJob.objects.get()
    assert fetch(stranger, studio, job).status_code == 404
    assert fetch(stranger, other, job).status_code == 404
    assert str(job.uuid) not in stranger.get("portal-exports", other.uuid).content.decode()
    # Nor does somebody get another studio's game by what is kept of his wish.
    ExportJob.objects.update(studio_id=other.pk, state="queued", pieces=0, after=None, size=0, rows=0)
    ExportPiece.objects.all().delete()
    making.run_some(now=timezone.now())
    assert ExportJob.objects.get().state == "failed"


def test_the_page_shows_how_far_it_is_and_asks_until_it_is_done(
    studio: Studio, game: GameInfo, analyst: Visitor
) -> None:
    ask(analyst, studio, game)
    page = analyst.get("portal-exports", studio.uuid).content.decode()
    assert "data-poll=" in page
    assert "Waiting" in page
    ExportJob.objects.update(state="running", percent=37, rows=1234)
    part = analyst.get("portal-exports-list", studio.uuid).content.decode()
    assert 'value="37"' in part
    assert "1,234" in part
    seen = {text.split("?seen=")[1].split('"')[0] for text in (page, part)}
    assert len(seen) == 2  # by that the page knows that there is something new
    ExportJob.objects.update(state="done", percent=100)
    part = analyst.get("portal-exports-list", studio.uuid).content.decode()
    assert "data-poll=" not in part
    assert "Download" in part


def test_files_are_forgotten_after_a_week(studio: Studio, game: GameInfo, analyst: Visitor) -> None:
    ask(analyst, studio, game)
    making.run_some(now=timezone.now())
    job = ExportJob.objects.get()
    assert timedelta(days=6, hours=23) < job.expires_at - timezone.now() <= asking.KEPT
    ExportJob.objects.update(expires_at=timezone.now())
    assert fetch(analyst, studio, job).status_code == 404
    making.run_some(now=timezone.now())
    assert not ExportJob.objects.exists()
    assert not ExportPiece.objects.exists()


def test_whoever_was_erased_has_no_name_in_a_file(studio: Studio, game: GameInfo, analyst: Visitor) -> None:
    unlock(game, "p-1", "a1")
    Player.objects.update(erased_at=timezone.now())
    ask(analyst, studio, game)
    making.run_some(now=timezone.now())
    (row,) = body_of(fetch(analyst, studio, ExportJob.objects.get())).splitlines()[1:]
    assert row.startswith(",,a1,10,")
