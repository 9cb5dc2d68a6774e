"""Cross-site scripting: no text that a studio or a player can set becomes markup, wherever it is shown (threats: I12).

Fields are read from the models and addresses from the URL conf: a new one fails here until it is said what it holds.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.test import Client
from post_office.models import Email

from accounts.models import Player
from achievements.models import Achievement
from tests.security import documents
from tests.security.addresses import Address, pages, parameters
from tests.security.hostile import BODY, Hostile, hostile
from webhooks.models import Endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ROOMS: Final = (
    *("core", "accounts", "stats", "achievements", "leaderboards", "social", "history", "analytics"),
    *("webhooks", "care"),
)
WORDS, IDS, OURS = "one of a few words", "ids and numbers", "written by the platform"
LETTERS = "letters, digits, - and _ (accounts/services.py: clean_region)"
TRACE = "hexadecimal digits and hyphens (W3C Trace Context)"
ZONE, LANGUAGE = "a name of the time zone database", "a tag of letters and digits (BCP 47)"
# Fields that hold no markup, whatever somebody sends, and why; every other one holds some in this world.
HARMLESS: Final = {
    "accounts.Avatar.digest": IDS,
    "accounts.Call.address": "a network",
    "accounts.Call.method": WORDS,
    "accounts.Call.request_id": "letters, digits and a few signs (core/middleware.py)",
    "accounts.Call.route": "as the URL conf spells it",
    "accounts.Call.slug": WORDS,
    "accounts.CallCount.ending": WORDS,
    "accounts.Dismissal.kind": WORDS,
    "accounts.Erasure.error": OURS,
    "accounts.Erasure.steps": OURS,
    "accounts.Erasure.wanted": "names of who was erased, which no page shows and no field outlives",
    "accounts.Game.regions": LETTERS,
    "accounts.Invitation.role": WORDS,
    "accounts.JoinedPlayer.time_zone": ZONE,
    "accounts.Member.role": WORDS,
    "accounts.Player.feed_visibility": WORDS,
    "accounts.Player.games_visibility": WORDS,
    "accounts.Player.language": LANGUAGE,
    "accounts.Player.presence_visibility": WORDS,
    "accounts.Player.region": LETTERS,
    "accounts.Player.time_zone": ZONE,
    "accounts.Player.visibility": WORDS,
    "accounts.PlayerAccount.chosen": WORDS,
    "accounts.ServerKey.hint": "a key's last letters and digits",
    "accounts.ServerKey.scopes": WORDS,
    "accounts.User.language": WORDS,
    "accounts.User.password": "a hash",
    "achievements.Achievement.authority": WORDS,
    "achievements.Achievement.state": WORDS,
    "achievements.Achievement.type": WORDS,
    "achievements.AchievementTranslation.language": LANGUAGE,
    "achievements.Backfill.state": WORDS,
    "achievements.Catalogue.stores": WORDS,
    "achievements.ConditionMet.condition": "a number of a condition",
    "achievements.DefinitionVersion.source": WORDS,
    "achievements.FlaggedUnlock.rules": WORDS,
    "achievements.FlaggedUnlock.state": WORDS,
    "achievements.Icon.digest": IDS,
    "achievements.PlayerGame.region": LETTERS,
    "achievements.PlayerReport.state": WORDS,
    "achievements.PlayerTotal.region": LETTERS,
    "analytics.ActiveDay.region": LETTERS,
    "analytics.Distributions.figures": IDS,
    "analytics.GameDay.region": LETTERS,
    "analytics.Usage.kind": WORDS,
    "core.AuditEntry.action": OURS,
    "core.AuditEntry.object_kind": OURS,
    "core.Backup.name": OURS,
    "core.DeadLetter.follower": OURS,
    "core.DeadLetter.kind": OURS,
    "core.ExportJob.about": IDS,
    "core.ExportJob.after": IDS,
    "core.ExportJob.error": OURS,
    "core.ExportJob.file_name": OURS,
    "core.ExportJob.kind": WORDS,
    "core.ExportJob.state": WORDS,
    "core.Fact.kind": OURS,
    "core.Fact.trace": TRACE,
    "core.Follower.hears": OURS,
    "core.Follower.name": OURS,
    "core.IdempotencyKey.caller": IDS,
    "core.Job.error": "what an exception says, which `manage.py status` shows and no page",
    "core.Job.name": OURS,
    "core.Lease.name": OURS,
    "core.Reopening.restored": OURS,
    "leaderboards.BoardSketch.name": IDS,
    "leaderboards.FlaggedScore.evidence": IDS,
    "leaderboards.FlaggedScore.period": OURS,
    "leaderboards.FlaggedScore.rules": WORDS,
    "leaderboards.FlaggedScore.state": WORDS,
    "leaderboards.Leaderboard.authority": WORDS,
    "leaderboards.Leaderboard.cron": "numbers and a few signs (leaderboards/rules/periods.py)",
    "leaderboards.Leaderboard.format": WORDS,
    "leaderboards.Leaderboard.operator": WORDS,
    "leaderboards.Leaderboard.reset": WORDS,
    "leaderboards.Leaderboard.sort": WORDS,
    "leaderboards.Leaderboard.spans": WORDS,
    "leaderboards.Leaderboard.tie_break": WORDS,
    "leaderboards.Leaderboard.time_zone": ZONE,
    "leaderboards.Mending.board": IDS,
    "leaderboards.Period.name": OURS,
    "leaderboards.Period.span": WORDS,
    "leaderboards.Period.state": WORDS,
    "leaderboards.RankSample.board": IDS,
    "leaderboards.Score.region": LETTERS,
    "leaderboards.Snapshot.board": IDS,
    "leaderboards.Snapshot.period": OURS,
    "leaderboards.Snapshot.top": IDS,
    "social.Notification.kind": WORDS,
    "social.NotificationPreference.not_pushed": WORDS,
    "social.NotificationPreference.not_told": WORDS,
    "stats.Stat.aggregation": WORDS,
    "stats.Stat.authority": WORDS,
    "webhooks.Delivery.event": WORDS,
    "webhooks.Delivery.state": WORDS,
    "webhooks.Delivery.trace": TRACE,
    "webhooks.Endpoint.disabled": WORDS,
    "webhooks.Endpoint.events": WORDS,
}
# Texts that no page shows to anybody.
UNSEEN: Final = {
    "delivery.error": "each attempt says its own",
    "flag.score.reason": "beside the deed in the audit log, which shows it",
    "idempotency.key": "known to who sent it",
    "session.agent": "a browser is called by its name (accounts/devices.py)",
}
# Addresses that show nothing by themselves: they lead on, or say that there is nothing (yet) of what they are for.
NOTHING_TO_SEE: Final = frozenset(
    {
        *("favicon.ico", "readyz", "portal/", "portal/<uuid:studio>/games/<uuid:game>/"),
        *("account/sessions/", "account/password/set/", "account/login/code/confirm/"),
        *("account/confirm-email/<key>/", "account/password/reset/key/<uidb36>-<key>/"),
        *("account/2fa/authenticate/", "account/2fa/reauthenticate/", "account/2fa/totp/deactivate/"),
        *(
            "account/2fa/recovery-codes/",
            "account/2fa/recovery-codes/download/",
            "account/2fa/webauthn/login/",
        ),
        *(
            "account/2fa/webauthn/reauthenticate/",
            "account/3rdparty/login/error/",
            "account/3rdparty/signup/",
        ),
        *("account/social/login/cancelled/", "account/social/login/error/", "account/social/signup/"),
        "account/social/connections/",
        "portal/second-factor",  # which says nothing of anybody, and is shown where the instance asks for one
    }
)
_TEXTS = (models.CharField, models.TextField, models.JSONField)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[Hostile]:
    with django_db_blocker.unblock(), hostile() as made:
        yield made


def text_fields() -> "dict[str, models.Field[Any, Any]]":
    """Return every field of ours that may hold a text, by its name."""
    return {
        f"{label}.{model.__name__}.{field.name}": field
        for label in ROOMS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.concrete_fields
        if isinstance(field.base_field if isinstance(field, ArrayField) else field, _TEXTS)
        and not isinstance(field, models.ForeignKey)
    }


def test_every_field_says_whether_it_can_hold_markup(world: Hostile) -> None:
    fields = text_fields()
    assert set(HARMLESS) <= set(fields)
    wrong = []
    for name, field in fields.items():
        rows = field.model._default_manager.values_list(field.name, flat=True)
        holds = any("~" in str(value) and re.search(r"[<'\"&]", str(value)) for value in rows)
        if holds == (name in HARMLESS):
            wrong.append(f"{name} holds {'a' if holds else 'no'} text of this world")
    assert not wrong, "\n".join(wrong)


def examine(answer: Any) -> tuple[str, list[str]]:
    """Return what an answer says, and what is wrong with it."""
    body = answer.getvalue()
    documents.let_go(answer)
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if answer.status_code == 500:
        return "", ["fails"]
    if kind == "text/html":
        return _of_html(re.sub(r'name="csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"', "", body.decode()))
    if kind in ("image/svg+xml", "application/atom+xml"):
        return body.decode(), documents.xml_faults(body)
    if body and answer.headers.get("X-Content-Type-Options") != "nosniff":
        return "", [f"is {kind}, and may be taken for a page"]
    return body.decode(errors="replace") if kind != "application/zip" else "", []


@lru_cache(maxsize=2_000)
def _of_html(text: str) -> tuple[str, list[str]]:
    """Parse a page, once: many look alike to everybody."""
    root = documents.html(text)
    return documents.said(root), documents.faults(root) + (["a template was run"] if "q49q" in text else [])


def test_no_page_takes_a_text_for_markup(world: Hostile) -> None:
    wrong, seen, unseen = [], "", []
    for address in pages():
        statuses = set()
        for path in world.paths(address):
            for client in world.lookers(address):
                answer = client.get(path)
                statuses.add(answer.status_code)
                text, faults = examine(answer)
                seen += text
                wrong += [f"{address.route} ({path[:80]}): {fault}" for fault in faults]
        if not statuses & {200, 405} and address.route not in NOTHING_TO_SEE and "admin" not in address.route:
            unseen.append(f"{address.route} answers {statuses}")
    assert not wrong, "\n".join(sorted(set(wrong)))
    assert not unseen, "\n".join(unseen)
    told = set(re.findall(r"~([a-z_.]+)~", seen))
    assert world.made - told == set(UNSEEN), "what this world holds is shown somewhere, or nothing was tried"


def test_no_mail_takes_a_text_for_markup(world: Hostile) -> None:
    sent = list(Email.objects.exclude(html_message=""))
    assert sent
    for mail in sent:
        assert "\n" not in mail.subject
        assert documents.faults(documents.html(mail.html_message)) == []


def of_our_own() -> list[Address]:
    """Return addresses whose forms and queries are ours, not those of Django's admin."""
    return [one for one in pages() if not one.route.startswith("admin/")]


def test_no_form_shows_what_was_typed_as_markup(world: Hostile) -> None:
    """Each form is sent with an attack in every field; what is answered, and where that leads, is looked at."""
    wrong, sent = [], set()
    for address in of_our_own():
        for client in world.lookers(address):
            path = world.path(address)
            answer = client.get(path)
            if not answer.headers.get("Content-Type", "").startswith("text/html"):
                continue
            for form in documents.forms(documents.html(answer.content.decode())):
                action = form.action or path
                if (key := f"{form.method} {action.partition('?')[0]} {sorted(form.fields)}") in sent:
                    continue
                sent.add(key)
                wrong += [f"{action}: {fault}" for fault in _typed(client, form, action, BODY)]
    assert len(sent) > 100
    assert not wrong, "\n".join(wrong)


def _typed(client: Client, form: documents.Form, action: str, text: str) -> list[str]:
    fields = {name: text if name in form.typed else value for name, value in form.fields.items()}
    cookies = {name: one.value for name, one in client.cookies.items()}
    with transaction.atomic():
        answer = getattr(client, form.method)(action, fields, follow=True)
        found = examine(answer)[1]
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(cookies)
    return found


def test_no_address_shows_what_it_was_asked_for_as_markup(world: Hostile) -> None:
    everything = dict.fromkeys(parameters(), BODY)
    # Who asks for a page behind a forged cursor is told nothing else.
    most = {name: value for name, value in everything.items() if name != "cursor"}
    wrong = []
    for address in of_our_own():
        for client in world.lookers(address):
            for asked in (everything, most):
                found = examine(client.get(world.path(address), asked))[1]
                wrong += [f"{address.route}: {fault}" for fault in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "script",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://evil.example",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "vbscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "blob:https://evil.example/x",
        "//evil.example/x.png",
    ],
)
def test_no_address_of_a_script_is_taken(world: Hostile, script: str) -> None:
    players, achievements, hooks = (one.objects.count() for one in (Player, Achievement, Endpoint))
    new = {"key": "new", "name": "New"}
    game = f"/games/{world.game.uuid}/achievements"
    answers = [
        world.server.put("/players/new", {"avatar_url": script}),
        world.server.post(game, new | {"icon_url": script}),
        world.server.post(game, new | {"icon_locked_url": script}),
        world.server.post("/webhooks", {"url": script}),
    ]
    assert {answer.status_code for answer in answers} <= {400, 422}
    assert players == Player.objects.count()
    assert achievements == Achievement.objects.count()
    assert hooks == Endpoint.objects.count()
