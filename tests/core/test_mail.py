"""Mail: queued with what it tells of, sent once by whichever worker comes first, and late rather than never."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.utils import timezone
from post_office.models import STATUS, Email

from config import var_dir
from core import leases, mail
from core.models import Lease
from tests.patience import LONG_S

pytestmark = pytest.mark.django_db


class Server:
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.refused: set[str] = set()
        self.meanwhile: Callable[[], object] = lambda: None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.meanwhile()
        self.taken.append(envelope)
        return "250 OK"


@pytest.fixture
def port(settings: Any) -> int:
    """Name a mail server in the settings; none is there yet."""
    free = var_dir.free_ports(1)
    settings.EMAIL_BACKEND = "core.mail.Queue"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", free, LONG_S
    settings.POST_OFFICE = {
        **settings.POST_OFFICE,
        "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
        "RETRY_INTERVAL": timedelta(0),
    }
    return free


@pytest.fixture
def server(port: int) -> Iterator[Server]:
    handler = Server()
    with running(handler, port):
        yield handler


def running(handler: Server, port: int) -> Any:
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=LONG_S)

    class Running:
        def __enter__(self) -> None:
            controller.start()

        def __exit__(self, *_: object) -> None:
            controller.stop()

    return Running()


def write(to: str = "ada@northlight.example") -> None:
    django_mail.send_mail("Prove it", "A link.", None, [to])


def send() -> int:
    return mail.send_waiting(now=timezone.now())


def test_what_was_written_is_sent_once(server: Server) -> None:
    write()
    assert server.taken == []
    assert (send(), send()) == (1, 0)
    (taken,) = server.taken
    assert taken.rcpt_tos == ["ada@northlight.example"]
    assert isinstance(taken.content, bytes)
    assert b"Subject: Prove it" in taken.content
    assert b"Message-ID: <" in taken.content
    assert b"From: Laurel <laurel@localhost>" in taken.content


@pytest.mark.parametrize(
    "name", ["{{ 7|add:7 }}", "{% load log %}{% get_admin_log 9 as l %}{{ l }}", "{% if", "{#"]
)
def test_what_looks_like_a_template_is_text(server: Server, name: str) -> None:
    message = EmailMultiAlternatives(f"Of {name}", f"Text of {name}", None, ["ada@northlight.example"])
    message.attach_alternative(f"<p>{name}", "text/html")
    message.send()
    (row,) = Email.objects.all()
    assert (row.subject, row.message, row.html_message) == (f"Of {name}", f"Text of {name}", f"<p>{name}")
    assert send() == 1
    content = server.taken[0].content
    assert isinstance(content, bytes)
    read = message_from_bytes(content, policy=policy.default)
    assert read["Subject"] == f"Of {name}"
    assert [part.get_content().strip() for part in read.iter_parts()] == [f"Text of {name}", f"<p>{name}"]


def test_an_address_that_would_be_read_as_several_gets_nothing(server: Server) -> None:
    with pytest.raises(ValueError, match="comma"):
        write('"a,ada@northlight.example,b"@evil.example')
    assert (send(), Email.objects.count()) == (0, 0)


def test_of_mail_that_was_sent_the_text_is_removed(server: Server) -> None:
    server.refused = {"gone@northlight.example"}
    write("gone@northlight.example")
    write()
    send()
    assert {row.to[0]: row.message for row in Email.objects.all()} == {
        "ada@northlight.example": "",
        "gone@northlight.example": "A link.",
    }


def test_of_mail_that_a_killed_worker_sent_the_text_is_removed_by_the_next_one(server: Server) -> None:
    write()
    Email.objects.update(status=STATUS.sent)
    assert send() == 0
    assert Email.objects.get().message == ""


def test_mail_of_who_is_no_more_is_forgotten_and_not_sent(server: Server) -> None:
    write("Ada@northlight.example")
    write("ada@northlight.example.org")
    mail.forget(["ada@northlight.example"])
    assert send() == 1
    assert server.taken[0].rcpt_tos == ["ada@northlight.example.org"]


def test_what_was_not_done_is_not_told(server: Server) -> None:
    def fail() -> None:
        with transaction.atomic():
            write()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert send() == 0
    assert server.taken == []


@pytest.mark.slow
def test_a_server_that_is_away_delays_mail_and_loses_none(port: int) -> None:
    for n in range(3):
        write(f"p{n}@northlight.example")
    assert send() == 0
    assert send() == 0
    assert {row.status for row in Email.objects.all()} == {STATUS.requeued}
    handler = Server()
    with running(handler, port):
        assert send() == 3
    assert sorted(taken.rcpt_tos[0] for taken in handler.taken) == [
        f"p{n}@northlight.example" for n in range(3)
    ]


def test_what_is_refused_keeps_no_other_mail_back(server: Server) -> None:
    server.refused = {"gone@northlight.example"}
    write("gone@northlight.example")
    write()
    assert send() == 1
    assert server.taken[0].rcpt_tos == ["ada@northlight.example"]
    assert Email.objects.get(status=STATUS.requeued).to == ["gone@northlight.example"]


def test_what_is_refused_for_a_day_is_given_up(server: Server, settings: Any) -> None:
    settings.POST_OFFICE = {**settings.POST_OFFICE, "MAX_RETRIES": 1}
    server.refused = {"ada@northlight.example"}
    write()
    assert (send(), send(), send()) == (0, 0, 0)
    assert Email.objects.get().status == STATUS.failed


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_a_mail_once(server: Server) -> None:
    write()
    being_sent, go_on = threading.Event(), threading.Event()

    def meanwhile() -> None:
        being_sent.set()
        go_on.wait(LONG_S)

    server.meanwhile = meanwhile
    first: list[int] = []

    def work() -> None:
        first.append(send())
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert being_sent.wait(LONG_S)
    assert send() == 0
    go_on.set()
    worker.join()
    assert first == [1]
    assert len(server.taken) == 1
    write()
    assert send() == 1, "who is done leaves the way free"


@pytest.mark.django_db(transaction=True)
def test_while_mail_is_sent_no_session_of_postgresql_holds_a_lock(server: Server) -> None:
    """Which PgBouncer would give to others, for good."""
    held: list[int] = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            held.append(cursor.fetchone()[0])
        connection.close()

    def meanwhile() -> None:
        looker = threading.Thread(target=look)
        looker.start()
        looker.join()

    server.meanwhile = meanwhile
    write()
    assert send() == 1
    assert held == [0]


def test_the_turn_of_a_worker_that_was_killed_ends_by_itself(server: Server) -> None:
    write()
    taken = leases.turn("mail", lasts=timedelta(minutes=3))
    assert taken.__enter__()
    assert send() == 0
    Lease.objects.update(until=timezone.now())
    assert send() == 1
    write()
    with leases.turn("mail", lasts=timedelta(minutes=3)) as is_ours:
        assert is_ours
        taken.__exit__(
            None, None, None
        )  # it was not killed after all, and gives back what is another's by now
        assert send() == 0
    assert send() == 1


def test_a_batch_ends_before_its_turn_does(settings: Any) -> None:
    assert settings.POST_OFFICE["BATCH_DELIVERY_TIMEOUT"] + 30 < mail._TURN_LASTS.total_seconds()


def test_old_mail_is_deleted_unless_it_waits(port: int) -> None:
    for n in range(2):
        write(f"p{n}@northlight.example")
    long_ago = timezone.now() - mail.KEPT - timedelta(seconds=1)
    Email.objects.update(created=long_ago)
    Email.objects.filter(to="p1@northlight.example").update(status=STATUS.sent)
    write("new@northlight.example")
    Email.objects.filter(to="new@northlight.example").update(status=STATUS.sent)
    send()
    assert sorted(row.to[0] for row in Email.objects.all()) == [
        "new@northlight.example",
        "p0@northlight.example",
    ]


def test_without_a_server_mail_becomes_files(settings: Any, tmp_path: Any) -> None:
    settings.EMAIL_BACKEND = "core.mail.Queue"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    assert settings.MAIL_IS_KEPT_HERE
    write()
    assert send() == 1
    (file,) = (tmp_path / "mail").iterdir()
    assert "A link." in file.read_text()
