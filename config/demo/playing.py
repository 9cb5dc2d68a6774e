"""Records when the demo's players played and what their games counted meanwhile, as far as that is missing."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from accounts.models import PlayerIdentity
from accounts.selectors import GameInfo
from achievements.services import progress
from achievements.services.progress import ProgressRequest
from achievements.services.unlocks import SERVER as BY_SERVER
from config.demo.evenings import Evening, evenings
from config.demo.games import EMBERWAKE, HOLLOW_ORCHARD, DemoGame
from config.demo.players import MARENOK
from core.clock import microseconds
from core.ids import new_id
from core.refusals import Refused
from stats import playing
from stats.facts import PlaytimeAdded
from stats.models import Playtime, StatValue
from stats.rules.sessions import Playing
from stats.services.reports import SERVER, ReportRequest, report_many

# What a game counts: the stat, and how much of it an hour of play is worth.
_COUNTED: Final[Mapping[str, tuple[str, float]]] = {
    EMBERWAKE.title: ("leagues-sailed", 9.0),
    HOLLOW_ORCHARD.title: ("apples-picked", 140.0),
}


# How far the demo player is with what takes many steps.
_WAYS: Final[Mapping[str, Mapping[str, int]]] = {
    EMBERWAKE.title: {"featherfall": 28, "what-the-tide-owes": 93, "the-drowned-choir": 5},
    HOLLOW_ORCHARD.title: {"the-fox-pays": 7},
}


def record_ways(games: Iterable[tuple[GameInfo, DemoGame]], *, at: datetime) -> None:
    """Record how far the demo player is with what he has not unlocked yet; what is refused (archived, say) is left."""
    for info, demo in games:
        for key, steps in _WAYS[demo.title].items():
            with suppress(Refused):
                request = ProgressRequest(MARENOK.external_id, key, steps)
                progress.report(game=info, request=request, by=BY_SERVER, at=at)


def record(games: Iterable[tuple[GameInfo, DemoGame]], *, until: datetime, at: datetime) -> bool:
    """Record the evenings of games that nobody ever played; say whether there were any."""
    has_begun = False
    for info, demo in games:
        if Playtime.objects.filter(game_id=info.id).exists():
            continue
        played = evenings(demo, until=until)
        _sessions(info, played)
        if not StatValue.objects.filter(stat__game_id=info.id).exists():
            _report(info, demo, played, at=at)
        has_begun = True
    return has_begun


def _sessions(game: GameInfo, played: Mapping[str, list[Evening]]) -> None:
    """Keep each player's last session and playtime, and tell of all of them, week by week."""
    ids = _player_ids(game)
    weeks: defaultdict[tuple[int, int], list[list[int]]] = defaultdict(list)
    rows = []
    for player, listed in played.items():
        total_ms = 0
        for evening in listed:
            begun, ended = microseconds(evening.begun), microseconds(evening.ended)
            lasted_ms = (ended - begun) // 1000
            total_ms += lasted_ms
            year, week, _ = evening.begun.isocalendar()
            weeks[year, week].append([ids[player], begun, begun + lasted_ms * 1000, total_ms])
        last = Playing(new_id(), begun, begun + lasted_ms * 1000, True, lasted_ms, total_ms, len(listed))
        rows.append(((ids[player], game.id), game.studio_id, last, True))
    told = [(game.studio_id, PlaytimeAdded(game.id, intervals)) for _, intervals in sorted(weeks.items())]
    playing.write(rows, told)


def _player_ids(game: GameInfo) -> dict[str, int]:
    rows = PlayerIdentity.objects.filter(studio_id=game.studio_id)
    return dict(rows.values_list("external_id", "player_id"))


def _report(game: GameInfo, demo: DemoGame, played: Mapping[str, list[Evening]], *, at: datetime) -> None:
    """Report what each player's hours came to, as of the last evening."""
    rng = random.Random(f"stats of {demo.title}")  # noqa: S311 - the same for everybody, and no secret
    key, an_hour = _COUNTED[demo.title]
    requests = []
    for player, listed in played.items():
        hours = sum((one.ended - one.begun for one in listed), timedelta()) / timedelta(hours=1)
        amount = Decimal(max(1, round(hours * an_hour * rng.uniform(0.5, 1.5))))
        requests.append(
            ReportRequest(
                game, player, {key: ("add", amount)}, event_id=new_id(), reported_at=listed[-1].ended
            )
        )
    # What is refused (archived since, say) is counted for nobody.
    report_many(requests=requests, by=SERVER, at=at)
