"""Mail: queued by Django's own functions, in the caller's transaction, and sent from here.

What is queued is text: whatever names of studios or addresses of people in it look like, nothing of it is run.
A server that is away delays it: what could not be sent is tried again for a day, then it stays as failed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, make_msgid
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation
from post_office import mail
from post_office.models import STATUS, Email
from post_office.settings import get_message_id_fqdn
from post_office.utils import parse_priority

from core import leases

KEPT = timedelta(days=7)  # to say whether and when it was sent
_TURN = "mail"
_TURN_LASTS = timedelta(
    minutes=3
)  # longer than a batch (settings.POST_OFFICE), so that no mail is sent twice
_DELETED_AT_ONCE = 1_000


class Queue(BaseEmailBackend):
    """Queues what Django's functions send. post_office's own back end would run each text as a template."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store messages as they are; return how many."""
        for message in email_messages:
            _queued(message).save()
        return len(email_messages)


def _queued(message: EmailMessage) -> Email:
    recipients = [*message.to, *message.cc, *message.bcc]
    if message.attachments or any("," in address for address in recipients):
        # Recipients are read again by commas: a part of an address would get the mail.
        raise ValueError("Mail takes no attachments, and no address with a comma in it.")
    alternatives = getattr(message, "alternatives", ())
    return Email(
        from_email=message.from_email,
        to=list(message.to),
        cc=list(message.cc),
        bcc=list(message.bcc),
        subject=str(message.subject),
        message=str(message.body),
        html_message=next((str(text) for text, kind in alternatives if kind == "text/html"), ""),
        headers=message.extra_headers,
        priority=parse_priority(None),
        status=STATUS.queued,
        message_id=make_msgid(domain=get_message_id_fqdn()),
    )


def send(template: str, *, to: str, language: str, told: Mapping[str, object]) -> None:
    """Queue a mail: it is stored with what the caller's transaction writes, or not at all, and sent by a worker.

    Its parts are `<template>_subject.txt`, `<template>.txt` and `<template>.html`. It is written in the language of
    who gets it, whoever causes it; in the instance's own for none.
    """
    with translation.override(language or settings.LANGUAGE_CODE):
        _queue(template, to, dict(told))


def _queue(template: str, to: str, told: dict[str, object]) -> None:
    subject = render_to_string(f"{template}_subject.txt", told)
    made = EmailMultiAlternatives(
        subject=" ".join(subject.split()),  # a line break would end the header
        body=render_to_string(f"{template}.txt", told),
        to=[to],
    )
    made.attach_alternative(render_to_string(f"{template}.html", told), "text/html")
    made.send()


def send_waiting(*, now: datetime) -> int:
    """Send what waits, unless another worker does just now; return how many were sent."""
    with leases.turn(_TURN, lasts=_TURN_LASTS) as is_ours:
        if not is_ours:
            return 0
        sent: int = mail.send_queued(processes=1)[0]
        _forget_texts()  # those of a worker that was killed before it came to it, too
        _forget_old(now)
    return sent


def forget(addresses: Iterable[str]) -> None:
    """Delete what waits for, or was sent to, people who are no more, inside the caller's transaction."""
    for address in addresses:
        Email.objects.filter(to__iexact=address).delete()


def _forget_texts() -> None:
    """Remove the texts of what was sent: a copy of the database would have links that still work."""
    sent = Email.objects.filter(status=STATUS.sent).exclude(message="", html_message="")
    sent.update(message="", html_message="")


def _forget_old(now: datetime) -> None:
    """Delete some of what was sent long ago: it names people."""
    old = Email.objects.filter(created__lt=now - KEPT).exclude(status__in=[STATUS.queued, STATUS.requeued])
    Email.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_DELETED_AT_ONCE])).delete()
