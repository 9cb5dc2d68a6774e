"""The audit log's page and its CSV file: who may read them, what they show, and how one gets through a long log."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Member, Studio, User
from core import audit
from core.audit import erasing, sealing
from core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

BROWSER = {"Accept": "text/html"}
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7|add:7 }}\u202e"


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


def member(of: Studio, role: str) -> Client:
    user = User.objects.create_user(f"{role}-{uuid4().hex[:6]}@example.com")
    Member.objects.create(studio=of, user=user, role=role)
    client = Client(headers=BROWSER)
    client.force_login(user)
    return client


@pytest.fixture
def owner(studio: Studio) -> Client:
    return member(studio, "owner")


def record(of: Studio, number: int = 1, **changes: Any) -> None:
    values: dict[str, Any] = {
        "actor": "user:ada@example.com",
        "action": "player.ban",
        "kind": "player",
        "object_id": f"thing-{number}",
        "reason": f"Reason {number}.",
        "at": AT + timedelta(minutes=number),
    }
    audit.record(studio_id=of.pk, **(values | changes))


def address(of: Studio, query: str = "", *, file: bool = False) -> str:
    return f"/portal/{of.uuid}/audit{'.csv' if file else ''}{query}"


def page(client: Client, of: Studio, query: str = "") -> str:
    answer = client.get(address(of, query))
    assert answer.status_code == 200, answer.content
    return unescape(answer.content.decode())


def shown(text: str) -> list[str]:
    """Return the reasons of the entries that a page shows, in order."""
    return re.findall(r"<td[^>]*audit-reason[^>]*>\s*<bdi>Reason (\d+)\.</bdi>", text)


def lines(client: Client, of: Studio, query: str = "") -> list[list[str]]:
    answer = client.get(address(of, query, file=True))
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.getvalue().decode(), newline=""), strict=True))


def test_who_may_read_it(studio: Studio) -> None:
    record(studio)
    for file in (False, True):
        path = address(studio, file=file)
        for role, status in {
            "owner": 200,
            "admin": 200,
            "developer": 403,
            "support": 403,
            "analyst": 403,
        }.items():
            client = member(studio, role)
            answer = client.get(path)
            assert answer.status_code == status, role
            assert ("thing-1" in str(answer.getvalue())) == (status == 200)
            rail = client.get(f"/portal/{studio.uuid}/").content.decode()
            assert (f'href="{address(studio)}"' in rail) == (status == 200)
        outsider = member(factories.studio(), "owner")
        assert outsider.get(path).status_code == 404
        assert outsider.get(f"/portal/{uuid4()}/audit{'.csv' if file else ''}").status_code == 404
        signed_out = Client(headers=BROWSER).get(path)
        assert (signed_out.status_code, signed_out["Location"].partition("?")[0]) == (302, "/account/login/")
        assert member(studio, "owner").post(path).status_code == 405


def test_another_studios_entries_are_never_shown(studio: Studio, owner: Client) -> None:
    other = factories.studio()
    record(studio, 1)
    record(other, 2)
    cursor = re.findall(r"cursor=([^\"&]+)", _long(other))[0]
    assert shown(page(owner, studio)) == ["1"]
    for query in (
        "?object=thing-2",
        "?actor=ada@example.com&object=thing-2",
        f"?studio={other.uuid}&object=thing-2",
    ):
        assert "No entry matches." in page(owner, studio, query)
        assert len(lines(owner, studio, query)) == 2
    assert owner.get(address(studio, f"?cursor={cursor}")).status_code == 400


def _long(of: Studio) -> str:
    for number in range(60):
        record(of, number)
    return page(member(of, "owner"), of)


def test_an_entry_is_told_in_words(studio: Studio, owner: Client) -> None:
    factories.server_key(studio)
    key = studio.keys.get()
    player = factories.player(studio, "p-7", display_name="Ada")
    record(studio, actor=f"key:{key.uuid}", object_id=player.uuid, details={"ticket": 4711})
    record(studio, 2, actor="platform", action="brew.hot_tea", kind="tea_pot", object_id="t1")
    text = page(owner, studio)
    for told in (
        "Banned a player",
        str(key),
        "Ada (p-7)",
        "Reason 1.",
        '"ticket": 4711',
        "20 Nov 2026, 12:01",
    ):
        assert told in text
    for told in ("Brew: hot tea", "Laurel", "Tea pot", "t1"):
        assert told in text
    unknown = uuid4()
    record(studio, 3, actor=f"player:{unknown}", kind="webhook", object_id=unknown)
    short = f"{str(unknown)[:8]}…{str(unknown)[-4:]}"
    assert page(owner, studio).count(short) == 4  # in the columns of wide windows and of phones
    assert f"?actor=key%3A{key.uuid}" in text
    assert f"?object={player.uuid}" in text


def test_a_name_of_another_studios_key_or_player_is_not_told(studio: Studio, owner: Client) -> None:
    other = factories.studio()
    factories.server_key(other)
    player = factories.player(other, "secret-id", display_name="Secret Name")
    game = factories.game(other, title="Secret Game")
    record(studio, actor=f"key:{other.keys.get().uuid}", object_id=player.uuid)
    record(studio, 2, actor=f"player:{player.uuid}", kind="game", object_id=game.uuid)
    text = page(owner, studio)
    assert str(player.uuid) in text
    assert "ecret" not in text
    assert other.keys.get().hint not in text


def test_hostile_text_is_shown_as_text(studio: Studio, owner: Client) -> None:
    record(
        studio,
        actor=f"user:{HOSTILE}",
        action=HOSTILE[:64],
        kind=HOSTILE[:32],
        object_id=HOSTILE,
        reason=HOSTILE,
    )
    record(studio, 2, details={HOSTILE: [HOSTILE]})
    raw = owner.get(address(studio)).content.decode()
    assert "<script>alert" not in raw
    assert "<img src=x" not in raw
    assert "{{ 7|add:7 }}" in unescape(raw)


def test_an_entry_says_whether_it_is_sealed(studio: Studio, owner: Client) -> None:
    record(studio)
    assert "Not sealed yet" in page(owner, studio)
    assert "Sealed up to" not in page(owner, studio)
    sealing.seal()
    text = page(owner, studio)
    entry = AuditEntry.objects.get()
    assert "Not sealed yet" not in text
    assert "Sealed up to entry 1" in text
    assert f"{studio.uuid}:1:{bytes(entry.hash or b'').hex()}" in text


def test_an_erased_entry_says_so(studio: Studio, owner: Client) -> None:
    record(studio)
    erasing.erase_content(studio_id=studio.pk, object_id="thing-1")
    erasing.erase_actor(studio_id=studio.pk, actor="user:ada@example.com")
    text = page(owner, studio)
    assert "Somebody who was erased" in text
    assert ">Erased<" in text


def test_an_empty_log_says_what_will_show_up(studio: Studio, owner: Client) -> None:
    text = page(owner, studio)
    assert "Nothing was done yet." in text
    assert "Download CSV" not in text


def test_each_filter_finds_what_it_names(studio: Studio, owner: Client) -> None:
    key = uuid4()
    record(studio, 1)
    record(studio, 2, actor="user:bo@example.com", action="webhook.create", kind="webhook")
    record(studio, 3, actor=f"key:{key}", at=AT + timedelta(days=1))
    record(studio, 4, actor="platform", at=AT + timedelta(days=2), object_id="thing 4 & more")
    for query, found in {
        "": ["4", "3", "2", "1"],
        "?actor=bo@example.com": ["2"],
        "?actor=user:bo@example.com": ["2"],
        f"?actor={key}": ["3"],
        f"?actor=key:{key}": ["3"],
        "?actor=platform": ["4"],
        "?action=webhook.create": ["2"],
        "?object=thing-1": ["1"],
        "?object=thing+4+%26+more": ["4"],
        "?from=2026-11-21": ["4", "3"],
        "?to=2026-11-20": ["2", "1"],
        "?from=2026-11-21&to=2026-11-21": ["3"],
        "?actor=ada@example.com&action=player.ban&object=thing-1&from=2026-11-20&to=2026-11-20": ["1"],
        "?unknown=1&actor=": ["4", "3", "2", "1"],
    }.items():
        assert shown(page(owner, studio, query)) == found, query
        assert [row[6] for row in lines(owner, studio, query)[1:-1]] == [f"Reason {one}." for one in found]
    assert "No entry matches." in page(owner, studio, "?action=player.unban")
    assert "Clear filters" not in page(owner, studio)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?from=yesterday", "Use a day such as 2026-11-26."),
        ("?from=2026-02-30", "Use a day such as 2026-11-26."),
        ("?to=0001-01-01", "Use a day from 2000 on."),
        ("?to=9999-12-31", "Use a day before 3000."),
        ("?from=2026-11-21&to=2026-11-20", "The last day is before the first one."),
        ("?actor=a%00b", "characters"),
        ("?object=a%0d%0ab", "Use characters that can be seen."),
        ("?action=" + "x" * 65, "at most 64 characters"),
        ("?actor=" + "x" * 5000, "at most 320 characters"),
    ],
)
def test_a_filter_that_can_not_be_is_refused_with_a_sentence(
    studio: Studio, owner: Client, query: str, told: str
) -> None:
    record(studio)
    for file in (False, True):
        answer = owner.get(address(studio, query, file=file))
        assert answer.status_code == 422
        text = unescape(answer.content.decode())
        assert told in text
        assert "Nothing was looked up." in text
        assert "Reason 1." not in text


@pytest.mark.parametrize(
    "query", ["?actor=%ff%fe", "?object=%ed%a0%80", "?action=%25%25%25", "?object='%3b--", "?from="]
)
def test_odd_filters_find_nothing_and_break_nothing(studio: Studio, owner: Client, query: str) -> None:
    assert owner.get(address(studio, query)).status_code in (200, 422)
    assert owner.get(address(studio, query, file=True)).status_code in (200, 422)


@pytest.mark.parametrize("cursor", ["x", "a.b", "%00", "x" * 3000])
def test_a_forged_cursor_is_refused(studio: Studio, owner: Client, cursor: str) -> None:
    assert owner.get(address(studio, f"?cursor={cursor}")).status_code == 400


@pytest.mark.slow
def test_a_thousand_entries_are_paged_without_a_gap_while_new_ones_come(
    studio: Studio, owner: Client
) -> None:
    for number in range(1000):
        record(studio, number, at=AT + timedelta(seconds=number // 7))
    sealing.seal()
    seen, query, pages = [], "?actor=ada@example.com", 0
    while query:
        text = page(owner, studio, query)
        pages += 1
        seen += [int(one) for one in shown(text)]
        record(studio, 1000 + pages, at=AT + timedelta(days=1))
        older = re.search(r'href="[^"]*/audit(\?[^"]*cursor=[^"]*)"', text)
        query = older[1] if older else ""
    assert pages == 20
    assert seen == list(range(999, -1, -1))


def test_a_page_asks_little_of_the_database(
    studio: Studio, owner: Client, django_assert_max_num_queries: Any
) -> None:
    game = factories.game(studio)
    factories.server_key(studio)
    for number in range(60):
        player = factories.player(studio, f"p-{number}")
        record(studio, number, object_id=player.uuid, actor=f"key:{studio.keys.get().uuid}")
        record(studio, number, kind="game", object_id=game.uuid, actor=f"player:{player.uuid}")
    owner.get(address(studio))
    with django_assert_max_num_queries(13):
        owner.get(address(studio))


def test_the_file_holds_what_the_page_shows_and_where_the_log_ends(studio: Studio, owner: Client) -> None:
    Studio.objects.filter(pk=studio.pk).update(name='North "Light" Ü')
    record(studio, 1, details={"ä": [1, "x"]})
    record(studio, 2, reason='He said "no",\nthen left.')
    sealing.seal()
    record(studio, 3, at=timezone.now())
    answer = owner.get(address(studio, file=True))
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    name = f"audit-north-light-u-{timezone.now():%Y-%m-%d}.csv"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in answer["Cache-Control"]
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode(), newline=""), strict=True))
    assert rows[0] == [
        "number",
        "time",
        "actor",
        "action",
        "object_kind",
        "object_id",
        "reason",
        "details",
        "hash",
    ]
    newest = AuditEntry.objects.get(number=2)
    assert [row[0] for row in rows[1:-1]] == ["", "2", "1"]
    assert rows[2][6] == 'He said "no",\nthen left.'
    assert rows[3][1] == "2026-11-20T12:01:00.000Z"
    assert rows[3][7] == '{"ä": [1, "x"]}'
    end = rows[-1]
    assert (end[0], end[3], end[5]) == ("2", "audit.end", str(studio.uuid))
    assert end[8] == rows[2][8] == bytes(newest.hash or b"").hex()


def test_no_cell_of_the_file_is_a_formula(studio: Studio, owner: Client) -> None:
    formulas = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", "\r=1"]
    for number, formula in enumerate(formulas):
        record(studio, number, actor=formula, action=formula, kind=formula, object_id=formula, reason=formula)
    for row in lines(owner, studio)[1:-1]:
        for text in (*row[2:7],):
            assert text.startswith("'")


def test_the_file_ends_with_a_note_where_it_was_cut(
    studio: Studio, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.portal.audit.MOST_LINES", 5)
    monkeypatch.setattr("core.audit.entries.READ_AT_ONCE", 2)
    for number in range(7):
        record(studio, number)
    rows = lines(owner, studio)
    assert [row[6] for row in rows[1:-1]] == [f"Reason {number}." for number in (6, 5, 4, 3, 2)]
    assert "The file ends after 5 lines" in rows[-1][6]
    assert len(lines(owner, studio, "?object=thing-3")) == 3


def test_reading_is_not_audited(studio: Studio, owner: Client) -> None:
    record(studio)
    page(owner, studio)
    lines(owner, studio)
    assert AuditEntry.objects.count() == 1


def test_every_filter_has_its_index(studio: Studio) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_auditentry (studio_id, at, actor, action, object_kind, object_id, reason, details,"
            " actor_proof, content_proof, mark) SELECT %s, now() - n * interval '1 s', 'a' || n %% 999,"
            " 'b' || n %% 999, 'player', 'c' || n %% 999, '', '{}', '', '', int8send(n)"
            " FROM generate_series(1, 5000) AS n",
            [studio.pk],
        )
        cursor.execute("ANALYZE core_auditentry")
        for column, index in {
            "'a7'": "audit_in_time",
            "actor": "audit_by_actor",
            "action": "audit_by_action",
            "object_id": "audit_by_object",
        }.items():
            cursor.execute(
                f"EXPLAIN SELECT * FROM core_auditentry WHERE studio_id = %s AND {column} = 'a7'"
                " ORDER BY at DESC, id DESC LIMIT 51",
                [studio.pk],
            )
            assert index in str(cursor.fetchall()), column
