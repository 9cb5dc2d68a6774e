"""Creates what the demo lacks: a second run finds everything there and changes nothing."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from time import monotonic, sleep
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection, transaction

from accounts import selectors as accounts
from accounts.facts import PlayersChanged
from accounts.keys import SCOPES, key_hash
from accounts.models import Game, Member, Player, PlayerIdentity, Role, Studio, User
from accounts.selectors import GameInfo
from accounts.services import create_game, create_players, create_studio, issue_key
from achievements.models import Achievement, Unlock
from achievements.services.importing import import_file
from achievements.services.unlocks import Caller, UnlockRequest, unlock_many
from config.demo import credentials, playing
from config.demo.credentials import EMAIL, Credentials
from config.demo.games import GAMES, REGIONS, DemoGame
from config.demo.past import deeds
from config.demo.players import MARENOK, others
from config.demo.scores import BOARDS, Try, tries
from core import clock, facts, followers
from core.clock import rfc3339
from core.facts import publish
from core.redis import AWAY
from core.refusals import Unavailable
from leaderboards.models import Leaderboard
from leaderboards.selectors import definitions as boards
from leaderboards.services import scores
from leaderboards.services.definitions import has_scores
from leaderboards.services.scores import ScoreRequest, submit_many
from leaderboards.services.turning import turn_periods
from social import selectors as social
from social.selectors.inboxes import Inbox
from social.services import mark_read
from stats.models import Stat

STUDIO_NAME: Final = "Northlight Games"
_KEY_NAME: Final = "Demo"
_LATE: Final = Caller(offline=True)  # ties are ranked by when it happened, not by when it is told
_LATE_SCORES: Final = scores.Caller(offline=True)
_CATCH_UP_S: Final = 5.0
_PAUSE_S: Final = 0.02
_INBOX: Final = 1000  # more than the demo player has ever unlocked


def create() -> None:
    """Create the studio, its developer, games, players, their past and a server key, as far as they are missing.

    All in one transaction, the file of secrets last: a run that is broken off leaves nothing behind. Afterwards the
    followers have read the past, so that ranks and rarity are there when the first page is opened.
    """
    with transaction.atomic():
        _one_at_a_time()
        known = credentials.kept()
        developer, password = _developer(known)
        studio = _studio(developer)
        games = [(_game(studio, demo), demo) for demo in GAMES]
        _players(studio)
        begun = _record_past(games, until=studio.created_at)
        if begun:
            playing.record_ways(games, at=clock.now())
        played = playing.record(games, until=studio.created_at, at=clock.now())
        scored = _record_scores([info for info, _ in games], at=clock.now())
        now = Credentials(password=password, server_key=_server_key(studio, known))
        if now != known:
            credentials.keep(now)
    if scored:
        turn_periods(now=clock.now())
    if begun or played or scored:
        _catch_up()
    _read_old_news(studio, is_all_old=begun)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('config.demo', 0))")


def _developer(known: Credentials) -> tuple[User, str]:
    """Return the developer and the password; one that nobody knows any more is replaced."""
    user = User.objects.filter(email__iexact=EMAIL).first()
    password = known.password or credentials.new_password()
    if user is None:
        user = User.objects.create_superuser(EMAIL, password)
    elif not known.password:
        user.set_password(password)
        user.save(update_fields=["password"])
    return user, password


def _studio(developer: User) -> Studio:
    studio = Studio.objects.filter(uuid=settings.DEMO_STUDIO).first()
    if studio is None:
        studio = create_studio(name=STUDIO_NAME, owner=developer, uuid=settings.DEMO_STUDIO)
    Member.objects.get_or_create(studio=studio, user=developer, defaults={"role": Role.OWNER})
    return studio


def _game(studio: Studio, demo: DemoGame) -> GameInfo:
    """Return a game. Its definitions are imported once; afterwards they belong to whoever edits them."""
    if not Game.objects.filter(uuid=demo.uuid).exists():
        create_game(studio_id=studio.pk, title=demo.title, regions=REGIONS, uuid=demo.uuid)
    game = accounts.fresh_game(demo.uuid)
    assert game is not None  # it is there, or was made a moment ago
    for part, model in (("achievements", Achievement), ("stats", Stat), ("leaderboards", Leaderboard)):
        if not model.objects.filter(game_id=game.id).exists():
            _import(game, demo, part)
    return game


def _import(game: GameInfo, demo: DemoGame, part: str) -> None:
    body = demo.part(part)
    imported = import_file(
        game=game, format="laurel", body=body, dry_run=False, actor="platform", at=clock.now()
    )
    if imported.errors:
        wrong = imported.errors[0]
        raise ValueError(f"{demo.file}, {part}, row {wrong.row}: {wrong.detail}")


def _players(studio: Studio) -> None:
    """Create the players who are missing, all at once: one by one they would take most of the time."""
    known = set(PlayerIdentity.objects.filter(studio=studio).values_list("external_id", flat=True))
    missing = {
        player.external_id: player for player in (MARENOK, *others()) if player.external_id not in known
    }
    if not missing:
        return
    create_players(studio_id=studio.pk, external_ids=missing)
    identities = PlayerIdentity.objects.select_related("player")
    made = []
    for identity in identities.filter(studio=studio, external_id__in=missing):
        about, player = missing[identity.external_id], identity.player
        player.display_name, player.region = about.display_name, about.region
        made.append(player)
    Player.objects.bulk_update(made, ["display_name", "region"])
    changed = PlayersChanged([[player.pk, player.region] for player in made])
    publish(changed, studio_id=studio.pk, size=len(made))


def _record_past(games: Iterable[tuple[GameInfo, DemoGame]], *, until: datetime) -> bool:
    """Record the past of games that have none, week by week as it happened; say whether there were any."""
    empty = [(info, demo) for info, demo in games if not Unlock.objects.filter(game_id=info.id).exists()]
    weeks: defaultdict[tuple[int, int, int], list[UnlockRequest]] = defaultdict(list)
    for info, demo in empty:
        for deed in deeds(demo, until=until):
            year, week, _ = deed.at.isocalendar()
            weeks[year, week, info.id].append(UnlockRequest(deed.player, deed.achievement, deed.at))
    by_id = {info.id: info for info, _ in empty}
    for (_, _, game_id), requests in sorted(weeks.items(), key=lambda item: item[0]):
        # What is refused (archived since, say) stays locked.
        unlock_many(game=by_id[game_id], requests=requests, by=_LATE, at=clock.now())
    return bool(empty)


def _record_scores(games: Iterable[GameInfo], *, at: datetime) -> bool:
    """Let the players score on boards that nobody ever scored on, day by day; say whether there were any."""
    by_uuid = {game.uuid: game for game in games}
    has_begun = False
    for board in BOARDS:
        game = by_uuid[board.game.uuid]
        declared = boards.fresh_boards(game.id).get(board.key)
        if declared is None or has_scores(declared.id):
            continue
        for day, played in groupby(tries(board, until=at), key=lambda one: one.at.date()):
            # What is refused (archived since, say) is on no board.
            midnight = datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
            submit_many(
                game=game,
                key=board.key,
                requests=[_request(one) for one in played],
                by=_LATE_SCORES,
                at=min(midnight - timedelta(microseconds=1), at),
            )
        has_begun = True
    return has_begun


def _request(one: Try) -> ScoreRequest:
    metadata = None if one.boat is None else {"boat": one.boat}
    return ScoreRequest(one.player, one.score, metadata, achieved_at=one.at)


def _server_key(studio: Studio, known: Credentials) -> str:
    """Return the kept key if it still may do everything, else a new one."""
    holder = accounts.key_holder(key_hash(known.server_key))
    if (
        holder
        and (holder.studio_id, holder.game_id) == (studio.pk, None)
        and holder.scopes.issuperset(SCOPES)
    ):
        return known.server_key
    return issue_key(studio_id=studio.pk, name=_KEY_NAME)[1]


def _catch_up() -> None:
    """Apply the past to boards, rarity and inboxes; what can't be applied now the workers apply later."""
    followers.ensure_rows()
    deadline = monotonic() + _CATCH_UP_S
    with suppress(OperationalError, Unavailable, *AWAY):
        for subscription in facts.subscriptions().values():
            while monotonic() < deadline:
                step = followers.step(subscription)
                if step is None:  # a worker has it right now
                    sleep(_PAUSE_S)
                elif not step.more:
                    break


def _read_old_news(studio: Studio, *, is_all_old: bool) -> None:
    """Mark as read what the demo player unlocked before the demo began, or all of it: nobody waits for news of it."""
    player = accounts.player_of_studio(studio.pk, MARENOK.external_id)
    assert player is not None  # created above
    begun = rfc3339(studio.created_at)
    unread = social.notifications(Inbox(player.id), unread=True, limit=_INBOX)
    old = [news.uuid for news in unread if is_all_old or news.data.get("unlocked_at", begun) < begun]
    if old:
        mark_read(Inbox(player.id), uuids=old, at=clock.now())
