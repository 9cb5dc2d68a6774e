"""A person is erased: what history added up of him goes, also from archived files and kept dashboards (ADR 0047)."""

from collections.abc import Iterable
from functools import partial

import pyarrow.compute as pc
from django.conf import settings
from django.db import connection

from accounts import selectors as accounts
from core.db import run_prepared
from core.persons import Person, Taken, Takes
from history import dashboards, outgoing, rollups
from history.archive import Archive
from history.selectors.showing import Audience

_FOLDER = "history"
_GAMES = "SELECT id FROM accounts_game WHERE studio_id = $1"
_STATS = "SELECT id FROM stats_stat WHERE studio_id = $1"
_MOST_GAMES = 10_000


def look(person: Person) -> Takes:
    """Return what forgets what was added up of a person, which keys find at once, and dashboards that show him."""
    return partial(_forget, person)


def _forget(person: Person) -> Taken:
    rows = rollups.erase(person.player_ids, studio_id=person.only_studio)
    _forget_dashboards([*person.player_ids, *person.near])
    return Taken(rows)


def _forget_dashboards(player_ids: Iterable[int]) -> None:
    for player_id in player_ids:
        dashboards.forget(player_id, _audiences(player_id))
        dashboards.leave_lists(player_id)


def _audiences(player_id: int) -> list[Audience]:
    found = [Audience()]
    for studio_id in accounts.studio_ids_of(player_id):
        found.append(Audience(studio_id))
        games = accounts.games_of(studio_id, limit=_MOST_GAMES)
        found += [Audience(studio_id, game.id) for game in games]
    return found


def look_into_archive(person: Person) -> Takes:
    """Return what writes archived files that hold rows of a person anew without them.

    Nothing else writes there meanwhile. Its transaction has no id until files are written.

    Raises (what is returned):
        history.archive.Unavailable, history.outgoing.Busy: it has to be tried again.

    """
    return partial(_leave_archive, person)


def _leave_archive(person: Person) -> Taken:
    archive = Archive(settings.ARCHIVE_URL, endpoint=settings.ARCHIVE_S3_ENDPOINT)
    keys = [key for key in archive.keys(_FOLDER) if ".parquet" in key]
    if not keys:
        return Taken()
    his = {family: _rows_of(person, family) for family in rollups.FAMILIES}
    gone: dict[str, int] = {}
    with outgoing.alone():
        for key in keys:
            family = key.split("/")[1]
            columns = rollups.COLUMNS[family][:2] if family in his else ()
            if columns and (rows := archive.leave_out(key, his[family], columns=columns)):
                gone[key] = rows
        for key, rows in gone.items():
            _note(key, rows, archive.size(key) or 0)
    return Taken(sum(gone.values()))


def _rows_of(person: Person, family: str) -> pc.Expression:
    mine = pc.field("player_id").isin(list(person.player_ids))
    if person.is_whole:
        return mine
    name, sql = ("game_id", _GAMES) if family == "activity" else ("stat_id", _STATS)
    return mine & pc.field(name).isin([row[0] for row in run_prepared(sql, [person.studio_id])])


def _note(key: str, gone: int, size: int) -> None:
    """Let the list of files say what one holds by now."""
    _, family, level, name = key.split("/")
    begin, *part = name.removesuffix(".parquet").split(".")
    if name.endswith(".parquet"):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE history_archive SET rows = rows - %s, bytes = %s"
                " WHERE family = %s AND level = %s AND begin = %s AND part = %s",
                [gone, size, family, level, begin, int(part[0]) if part else 0],
            )
