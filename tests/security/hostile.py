"""A studio and players whose every text is an attack on whoever looks at it, and those who look.

Each text says what it is of, as `~game.title~`, so that tests see which of them are shown at all. What is declared is
declared by services, and what is played is played by the API, so that every row that follows from it is hostile, too.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client, override_settings
from django.utils import timezone

from accounts import selectors, sessions
from accounts import services as accounts
from accounts.calls.models import Call
from accounts.models import Game, Member, PlayerAccount, PlayerIdentity, User
from accounts.portal import deeds
from accounts.selectors import GameInfo, fresh_game
from achievements.models import Achievement
from achievements.models.reports import PlayerReport
from achievements.selectors.versions import latest
from achievements.services import definitions, granting, reports, revokes
from achievements.services.versions import Author
from core import audit
from core.models import DeadLetter, ExportJob, Follower
from leaderboards.models import FlaggedScore
from tests import emptying, factories
from tests.accounts import calls, joins
from tests.accounts.entrance import PASSWORD, link, mails, user
from tests.accounts.visitors import BROWSER, Visitor, membership, visitor
from tests.achievements.editor_world import Editor
from tests.leaderboards import kept as boards
from tests.security.addresses import Address
from tests.social.people import befriend
from webhooks.models import Attempt, Delivery
from webhooks.services import deliveries, endpoints

# What each text holds: the end of whatever it may stand in, markup, what a template would run, what is markup once it
# was unescaped too often, the beginning of a comment, and signs that end a line of JavaScript or turn what is read.
BODY: Final = (
    "\"'></script></title></textarea><img src=x onerror=alert(1)>q{{7*7}}q&lt;i onload=x&gt;<!--\u2028\u202e"
)
# What an address may hold besides letters: one in quotes, which could hold more, is not taken (accounts/forms.py).
_EMAIL: Final = "{name}'q{{{{7*7}}}}q&#39@evil.example"


class Hostile:
    """All of it, with BODY in every text."""

    def __init__(self) -> None:
        """Build it; the mail back end and DEMO are as the caller has set them."""
        self.made: set[str] = set()
        self.at = timezone.now()
        self._people()
        self._declare()
        self._play()
        self._weigh()
        self._care()
        self._hooks()
        joins.drain()
        self._operate()

    def text(self, of: str, *, most: int = 200) -> str:
        """Return a hostile text that says what it is of."""
        self.made.add(of)
        return f"~{of}~{BODY}"[:most]

    def name(self, of: str) -> str:
        """Return one for what takes nothing that can't be seen: keys and ids."""
        return "".join(sign for sign in self.text(of) if sign.isprintable()).strip()

    def part(self, of: str) -> str:
        """Return one that may be a part of an address."""
        return self.name(of).replace("/", "|")

    def url(self, of: str) -> str:
        """Return an address of a picture, as hostile as one can be."""
        return f"https://evil.example/{self.name(of).replace(' ', '/')}"

    def email(self, of: str) -> str:
        """Return an e-mail address."""
        self.made.add(f"email.{of}")
        return _EMAIL.format(name=f"~email.{of}~")

    def _people(self) -> None:
        self.studio = accounts.create_studio(name=self.text("studio.name"), uuid=settings.DEMO_STUDIO)
        self.owner = Visitor(user(self.email("owner"), PASSWORD))
        Member.objects.create(studio=self.studio, user=self.owner.user, role="owner")
        self.other = visitor(self.email("analyst"))
        Member.objects.create(studio=self.studio, user=self.other.user, role="analyst")
        self.owner.user.first_name = self.text("user.first_name", most=150)
        self.owner.user.last_name = self.text("user.last_name", most=150)
        self.owner.user.save()
        self.players = {
            who: factories.player(
                self.studio,
                "demo" if who == "demo" else self.name(f"player.id.{who}"),
                display_name=self.text(f"player.name.{who}", most=128),
                avatar_url=self.url("player.avatar"),
                region="EU",
            )
            for who in ("me", "demo", "friend", "cheat", "banned", "asks")
        }
        PlayerAccount.objects.create(user=self.owner.user, player=self.players["me"], created_at=self.at)
        invited = self.email("invited")
        self.owner.post("members", self.studio.uuid, email=invited, role="analyst")
        self.invitation = self.studio.invitations.get()
        self.token = link(mails(invited)[0]).rsplit("/", 1)[1]

    def id(self, who: str) -> str:
        """Return what the studio calls a player."""
        return PlayerIdentity.objects.get(player=self.players[who]).external_id

    def _declare(self) -> None:
        self.game = factories.game(self.studio, title=self.text("game.title"))
        away = factories.game(self.studio, title=self.text("game.away"))
        Game.objects.filter(pk=away.pk).update(archived_at=self.at)
        self.stat = factories.stat(self.game, self.name("stat.key"), name=self.text("stat.name"))
        self.by = Author(self.owner.user.actor, self.at)
        for kind in ("first", "second", "steps", "driven", "goal", "meta", "hidden", "draft"):
            self._define(kind)
        self.board = factories.leaderboard(
            self.game,
            self.part("board.key"),
            name=self.text("board.name"),
            reset="daily",
            metadata={self.text("board.metadata.name"): self.text("board.metadata")},
        )
        factories.leaderboard(
            self.game,
            self.part("board.fed.key"),
            name=self.text("board.fed.name"),
            operator="sum",
            stat=self.stat.key,
        )
        factories.forget()
        key = accounts.issue_key(studio_id=self.studio.pk, name=self.text("key.name", most=100))
        self.server, self.key = factories.api(key[1]), key[0]
        first = self.achievement("first")
        changes = {"description": self.text("achievement.description.changed")}
        definitions.update(game=self.info, key=first.key, values=changes, by=self.by)
        version = latest(self.achievement("first").pk)
        assert version is not None
        self.version = version.id

    def _define(self, kind: str) -> None:
        values: dict[str, Any] = {
            "key": self.name(f"achievement.key.{kind}"),
            "name": self.text(f"achievement.name.{kind}"),
            "description": self.text(f"achievement.description.{kind}"),
            "points": 10,
            "group": self.name("achievement.group"),
            "icon_url": self.url("achievement.icon"),
            "icon_locked_url": self.url("achievement.icon_locked"),
            "translations": {
                "de": {
                    "name": self.text("translation.name"),
                    "description": self.text("translation.description"),
                }
            },
        }
        more: dict[str, dict[str, Any]] = {
            "steps": {"type": "incremental", "target": 10},
            "driven": {"type": "incremental", "target": 100, "stat": self.stat.key},
            "goal": {
                "type": "incremental",
                "goal": {"all": [{"stat": self.stat.key, "at_least": 50}]},
            },
            "meta": {"type": "meta", "requires": [self.name("achievement.key.first")]},
            "hidden": {"hidden": True},
            "draft": {"state": "draft"},
        }
        game = self.info
        definitions.create(game=game, values=values | more.get(kind, {}), by=self.by)

    @property
    def info(self) -> GameInfo:
        """The game as services take it."""
        found = fresh_game(self.game.uuid)
        assert found is not None
        return found

    def achievement(self, kind: str) -> Achievement:
        """Return one of the game's achievements."""
        return Achievement.objects.get(game=self.game, key=self.name(f"achievement.key.{kind}"))

    def _play(self) -> None:
        befriend(self.players["me"], self.players["friend"])
        self.send("/friend-requests", {"to": self.id("me")}, of="asks")
        me, game = self.id("me"), self.info
        for who in ("demo", "me", "friend", "cheat", "banned"):
            joins.unlock(game, self.id(who), self.achievement("first").key)
            self.post(
                "/stats/report",
                {
                    "game_id": str(game.uuid),
                    "player": self.id(who),
                    "stats": {self.stat.key: {"add": 3}},
                    "event_id": str(uuid4()),
                },
            )
            self._score(who, 5)
            joins.play(game, self.id(who))
        self.post("/achievements/progress", self._about("steps", player=me) | {"steps": 4})
        granting.grant(
            game=game,
            player=self.known("me"),
            key=self.achievement("second").key,
            reason=self.text("grant.reason"),
            actor=self.by.actor,
            at=self.at,
        )
        joins.unlock(game, self.id("friend"), self.achievement("second").key)
        revokes.revoke(
            game=game,
            player_id=self.players["friend"].pk,
            key=self.achievement("second").key,
            reason=self.text("revoke.reason"),
            actor=self.by.actor,
            at=self.at,
        )
        self.period = boards.final_period(self.board)
        self.snapshot = boards.snapshot(self.period, [(self.players["me"].pk, 1, -5)])
        self.post(
            f"/leaderboards/{game.uuid}/{quote(self.board.key, safe='')}/players/{self._in_path('friend')}/hide",
            {"reason": self.text("hide.reason")},
        )

    def _score(self, who: str, score: int) -> None:
        self.post(
            f"/leaderboards/{self.game.uuid}/{quote(self.board.key, safe='')}/scores",
            {
                "player": self.id(who),
                "score": score,
                "metadata": {self.text("score.metadata.name"): self.text("score.metadata")},
            },
        )

    def _weigh(self) -> None:
        """Let a cheat break rules, so that both kinds of evidence wait for somebody."""
        first, then = self.achievement("hidden").key, self.achievement("goal").key
        rules = {
            "order": [
                {"first": first, "then": self.achievement("second").key},
                {"first": then, "then": first},
            ]
        }
        assert self.server.put(f"/games/{self.game.uuid}/plausibility", rules).status_code == 200
        self.post("/achievements/unlock", self._about("second", player=self.id("cheat")))
        bound = {"bound": 100}
        path = f"/leaderboards/{self.game.uuid}/{quote(self.board.key, safe='')}/plausibility"
        assert self.server.put(path, bound).status_code == 200
        for who in ("cheat", "friend"):
            self._score(who, 5000)
        FlaggedScore.objects.filter(player_id=self.players["friend"].pk).update(
            state="rejected", reason=self.text("flag.score.reason"), actor=self.by.actor, decided_at=self.at
        )
        factories.flagged_unlock(
            self.game,
            self.achievement("meta").key,
            self.id("cheat"),
            state="rejected",
            reason=self.text("flag.reason"),
            actor=self.by.actor,
            decided_at=self.at,
        )
        self.flagged = factories.flagged_unlock(self.game, self.achievement("driven").key, self.id("cheat"))

    def _care(self) -> None:
        report = {"game_id": str(self.game.uuid), "achievement": self.achievement("goal").key}
        for who in ("me", "friend"):
            self.send("/reports", {**report, "message": self.name("report.message")}, of=who)
        self.report = PlayerReport.objects.get(player_id=self.players["me"].pk)
        reports.answer(
            studio_id=self.studio.pk,
            uuid=self.report.uuid,
            text=self.text("report.answer"),
            actor=self.by.actor,
            at=self.at,
        )
        accounts.ban_player(
            studio_id=self.studio.pk,
            player=self.known("banned"),
            banned=True,
            reason=self.text("ban.reason"),
            actor=self.by.actor,
            at=self.at,
        )
        Editor(self.game, self.achievement("first").key, client=self.owner.client).open().keep(
            name=self.text("draft.name"), description=self.text("draft.description")
        )
        for name in sorted(deeds.DEEDS):
            self._deed(name, name.partition(".")[0])
        sessions.begin(
            player_id=self.players["me"].pk,
            studio_id=self.studio.pk,
            user_agent=self.text("session.agent"),
            at=self.at,
        )
        self.server.post(f"/players/{self._in_path('asks')}/link", {"code": "AAAA-AAAA"})
        self.server.put(f"/players/{self._in_path('me')}", {self.name("call.field"): self.text("call.body")})
        self.server.get(f"/games/{self.game.uuid}/achievements/{quote(self.name('call.path'), safe='')}")
        self.server.get(f"/games?{quote(self.name('call.query'))}=1")
        self.post("/games", {"title": self.text("game.third")}, Idempotency_Key=self.ascii("idempotency.key"))
        calls.write()

    def _deed(self, action: str, kind: str) -> None:
        audit.record(
            studio_id=self.studio.pk,
            actor=f"user:{self.text('audit.actor')}",
            action=action,
            kind=kind,
            object_id=self.game.uuid if kind == "achievement" else self.text("audit.object"),
            reason=self.text("audit.reason"),
            at=self.at,
            details={
                "key": self.text("audit.key"),
                "keys": [self.text("audit.keys")],
                self.text("audit.detail"): self.text("audit.value"),
            },
        )

    def _hooks(self) -> None:
        self.made.add("hook.url")
        self.hook, _ = endpoints.create(
            studio_id=self.studio.pk,
            game_id=None,
            # Quotes are all that an address of a receiver may hold (webhooks/rules/targets.py).
            url="https://hooks.example.com/~hook.url~'onfocus=alert(1)'",
            events=["player.created", "achievement.unlocked", "achievement.revoked"],
            description=self.text("hook.description"),
            actor=self.by.actor,
            at=self.at,
        )
        factories.player(
            self.studio, self.name("player.id.late"), display_name=self.text("player.name.late", most=128)
        )
        joins.unlock(self.info, self.id("asks"), self.achievement("first").key)
        joins.drain()
        self.delivery = deliveries.send_test(self.hook, at=self.at)
        Delivery.objects.update(
            state="parked", attempts=1, last_status=500, last_error=self.text("delivery.error")
        )
        for sent in Delivery.objects.all():
            Attempt.objects.create(
                delivery=sent,
                number=1,
                at=self.at,
                duration_ms=5,
                status=500,
                error=f"refused: {self.text('attempt.error')}",
                url=self.hook.url,
                request_headers=json.dumps({"content-type": self.text("attempt.sent")}),
                response_headers=json.dumps({self.text("attempt.header"): self.text("attempt.value")}),
                response_body=self.text("attempt.body"),
            )

    def _operate(self) -> None:
        """Let an operator find all of it, and what failed."""
        self.operator = visitor(self.email("operator"))
        User.objects.filter(pk=self.operator.user.pk).update(is_staff=True, is_superuser=True)
        DeadLetter.objects.create(
            follower="webhooks",
            fact_id=1,
            fact_tx=1,
            fact_at=self.at,
            kind="players_changed",
            studio_id=self.studio.pk,
            payload={self.text("letter.name"): self.text("letter.value")},
            error=self.text("letter.error"),
        )
        Follower.objects.filter(name="webhooks").update(error=self.text("follower.error"))
        LogEntry.objects.create(
            user=self.operator.user,
            content_type=ContentType.objects.get_for_model(Game),
            object_id=str(Game.objects.order_by("-pk")[0].pk),
            object_repr=self.text("log.object"),
            action_flag=CHANGE,
            change_message=self.text("log.message"),
        )
        self.export = ExportJob.objects.create(
            uuid=uuid4(),
            studio_id=self.studio.pk,
            kind="facts",
            title=self.text("export.title"),
            file_name="facts.ndjson",
            actor=self.by.actor,
            state=ExportJob.State.DONE,
            percent=100,
            created_at=self.at,
            finished_at=self.at,
            expires_at=self.at + timedelta(days=1),
        )
        self.passkeys = Visitor(user(self.email("passkeys"), PASSWORD))
        self.passkey = Authenticator.objects.create(
            user=self.passkeys.user,
            type="webauthn",
            data={"name": self.text("passkey.name", most=100), "credential": {}},
        )

    def path(self, address: Address, **others: object) -> str:
        """Return an address with everything named in it; `others` instead of what is meant by it else."""
        named = self._named(address) | others
        unknown = address.parts - set(named)
        assert not unknown, f"Say in Hostile what {unknown} of {address.route} is."
        return address.path(named)

    def paths(self, address: Address) -> list[str]:
        """Return every address to look at, where one shows different things of different things."""
        paths = [self.path(address)]
        if "player" in address.parts:
            paths += [
                self.path(address, player=self.players[who].uuid)
                for who in ("friend", "cheat", "banned", "demo")
            ]
        if "achievement" in address.parts:
            paths += [
                self.path(address, achievement=self.achievement(kind).uuid) for kind in ("goal", "meta")
            ]
        if address.name == "achievement-page":
            paths += [
                self.path(address, key=self.achievement(kind).key) for kind in ("goal", "meta", "hidden")
            ]
        if "call" in address.parts:
            paths += [self.path(address, call=pk) for pk in Call.objects.values_list("pk", flat=True)]
        if address.name == "review-entry":
            paths.append(
                self.path(address, kind="score", flagged=FlaggedScore.objects.get(state="open").uuid)
            )
        queries = QUERIES.get(address.name, ())
        named = {"game": self.game.uuid, "key": quote(self.achievement("goal").key, safe="")}
        return [*paths, *(f"{paths[0]}?{query.format(**named)}" for query in queries)]

    def lookers(self, address: Address) -> list[Client]:
        """Return browsers of those who look at an address: somebody of the studio who plays, too, and anybody."""
        if address.route.startswith("admin/"):
            return [browser(self.operator)]
        if address.name in ("mfa_list_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn"):
            return [browser(self.passkeys)]
        return [browser(self.owner), nobody()]

    def _named(self, address: Address) -> dict[str, object]:
        named: dict[str, object] = {
            "studio": self.studio.uuid,
            "game": self.game.uuid,
            "achievement": self.achievement("first").uuid,
            "version": self.version,
            "stat": self.stat.uuid,
            "board": self.board.key,
            "period": self.period.name,
            "snapshot": self.snapshot.uuid,
            "player": self.players["me"].uuid,
            "member": membership(self.studio, self.other),
            "invitation": self.invitation.uuid,
            "token": self.token,
            "export": self.export.uuid,
            "report": self.report.uuid,
            "call": Call.objects.order_by("-pk")[0].pk,
            "kind": "unlock",
            "flagged": self.flagged.uuid,
            "hook": self.hook.uuid,
            "uuid": self.delivery,
            "table": "achievements",
            "key": self._key(address),
            "player_id": self.players["friend"].uuid,
            "other_id": self.players["me"].uuid,
            "game_id": self.game.uuid,
            "year": self.at.year,
            "slug": "not-found",
            "pk": self.passkey.pk,
            "uidb36": "1",
            "url": "nothing/",
            "app_label": "accounts",
            "content_type_id": ContentType.objects.get_for_model(Game).pk,
            "object_id": self.game.pk,
            "content_id": "none",
            "id": self.owner.user.pk,
        }
        app, _, rest = address.name.partition("_")
        for model in admin.site._registry:
            if app == model._meta.app_label and rest.rpartition("_")[0] == model._meta.model_name:
                first = model._default_manager.order_by("-pk").first()
                named["object_id"] = getattr(first, "pk", 0)
        return named

    def _key(self, address: Address) -> object:
        if address.route.startswith("portal/"):
            return self.key.uuid
        return self.achievement("first").key if address.route.startswith("games/") else "x"

    def ascii(self, of: str) -> str:
        """Return one for a header."""
        return "".join(sign for sign in self.name(of) if " " <= sign <= "~")

    def known(self, who: str) -> Any:
        """Return a player as services take him."""
        found = selectors.player_of_studio(self.studio.pk, self.id(who))
        assert found is not None
        return found

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        """Let the studio's server send something that has to be taken."""
        answer = self.server.post(path, body, **headers)
        assert answer.status_code in (200, 201, 202, 204), (path, answer.content)
        return answer

    def send(self, path: str, body: dict[str, Any], *, of: str) -> Any:
        """Let it send something below a player's address."""
        return self.post(f"/players/{self._in_path(of)}{path}", body)

    def _in_path(self, who: str) -> str:
        return f"id:{self.players[who].uuid}"

    def _about(self, kind: str, *, player: str) -> dict[str, Any]:
        return {"game_id": str(self.game.uuid), "player": player, "achievement": self.achievement(kind).key}


# What else is asked of addresses, so that everything which they may show is shown.
QUERIES: Final = {
    "player-search": ("q=alert", "q=alert&kind=games", "q=alert&kind=players"),
    "portal-search": ("q=alert", "q=~achievement"),
    "portal-suggestions": ("q=alert", "q=~player"),
    "players": ("q=~player", "q=zzz%3Cimg"),
    "friends": ("q=~player",),
    "game-page": ("lang=de", "show=locked"),
    "achievement-page": ("lang=de",),
    "compare": ("game={game}",),
    "portal-player": ("game={game}", "game={game}&why={key}"),
    "player-achievements": ("game={game}", "game={game}&why={key}"),
    "my-page": ("games=all&span=365",),
    "export-file": ("format=csv",),
    "portal-requests": ("kind=refused",),
    "portal-achievements": ("q=alert", "state=draft"),
    "analytics-funnel": ("achievements={key}",),
}


def nobody() -> Client:
    """Return the browser of somebody who is not signed in; a page that fails is a page that answers 500."""
    return Client(headers=BROWSER, raise_request_exception=False)


def browser(of: Visitor) -> Client:
    """Return another window of somebody's browser: what is looked at there changes no other one."""
    client = nobody()
    client.cookies["sessionid"] = of.client.cookies["sessionid"].value
    return client


@contextmanager
def hostile() -> Iterator[Hostile]:
    """Build it for the tests of a module, each of which takes back what it changes."""
    with override_settings(DEMO=True, EMAIL_BACKEND="core.mail.Queue"):
        factories.forget()
        ContentType.objects.clear_cache()
        joins.begin()
        try:
            made = Hostile()
            for one in (made.owner, made.passkeys):
                one.client.post("/account/reauthenticate/", {"password": PASSWORD})
            yield made
        finally:
            emptying.empty()
