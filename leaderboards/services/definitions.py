"""Every write of what studios declare of their boards."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.selectors import GameInfo
from core.refusals import Conflict, Invalid, NotFound
from core.texts import quoted
from leaderboards import locking
from leaderboards.models import FlaggedScore, Leaderboard, Period, Score
from leaderboards.rules import definitions as rules
from leaderboards.rules import scores
from leaderboards.selectors import definitions
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import periods
from stats.selectors import definitions as stats

MOST_BOARDS = 200  # a game
_BOUNDS = {"min_score": "min_units", "max_score": "max_units"}


def create(*, game: GameInfo, values: Mapping[str, Any], at: datetime) -> BoardInfo:
    """Create a board from raw values by field name (`key` and `name` at least).

    Raises:
        Invalid: values that can't be, or that contradict each other.
        Conflict: the key is taken or the platform's own, or the game has as many boards as it may.

    """
    errors: list[dict[str, str]] = []
    key = _clean_key(values.get("key"), errors)
    clean = _clean({name: value for name, value in values.items() if name != "key"}, errors)
    if "name" not in values:
        errors.append({"pointer": "/name", "detail": "A new leaderboard needs a name."})
    board = {**rules.DEFAULTS, **clean}
    _require_none(errors or rules.contradictions(board))
    with transaction.atomic():
        _require_stat(game, board)
        _lock(game)
        _require_free(game, key)
        row = Leaderboard.objects.create(
            studio_id=game.studio_id, game_id=game.id, key=key, **_columns(board, at=at)
        )
    definitions.forget()
    return definitions.info_of(row)


def update(*, game: GameInfo, key: str, values: Mapping[str, Any], at: datetime) -> BoardInfo:
    """Change fields of a board; what is left out stays.

    Raises:
        NotFound: the game has no such board.
        Invalid: values that can't be, or that contradict each other or what is stored.
        Conflict: how scores are weighed, ranked or filed can't change while there are any; or it is the built-in
            board of points.

    """
    errors: list[dict[str, str]] = []
    clean = _clean(values, errors)
    _require_none(errors)
    with transaction.atomic():
        row = locked(game, key)
        before = as_values(definitions.info_of(row))
        board = {**before, **clean}
        _require_none(rules.contradictions(board))
        changed = {name for name, value in clean.items() if before[name] != value}
        if changed & {"stat", "operator"}:
            _require_stat(game, board)
        if fixed := sorted(changed.intersection(rules.FIXED_BY_SCORES)):
            _begin_anew(row, fixed, at=at)
        if changed:
            if "decimals" in changed and row.flag_units is not None:
                row.flag_units = round(
                    scores.exact(row.flag_units, decimals=row.decimals).scaleb(board["decimals"])
                )
            for name, value in _columns(board, at=row.archived_at or at).items():
                setattr(row, name, value)
            row.version += 1
            row.save()
    definitions.forget()
    return definitions.info_of(row)


def delete(*, game: GameInfo, key: str) -> None:
    """Delete a board that nobody has scored on.

    Raises:
        NotFound: the game has no such board.
        Conflict: there are scores, or it is the built-in board of points.

    """
    with transaction.atomic():
        row = locked(game, key)
        # Scores on their way are waited for and found; later ones find their periods gone.
        locking.take_alone(Period.objects.filter(leaderboard_id=row.pk).values_list("pk", flat=True))
        if has_scores(row.pk):
            raise Conflict(
                "There are scores on this leaderboard: send PATCH with `archived` set to true instead."
            )
        row.delete()
    definitions.forget()


def has_scores(board_id: int) -> bool:
    """Say whether anybody ever scored on a board, also before it was reset, or a score waits to be looked at."""
    return (
        Score.objects.filter(period__leaderboard_id=board_id).exists()
        or FlaggedScore.objects.filter(leaderboard_id=board_id, state=FlaggedScore.State.OPEN).exists()
    )


def as_values(info: BoardInfo) -> dict[str, Any]:
    """Return a board by field name, as rules have it; bounds as numbers of its own decimals."""
    values = {
        name: getattr(info, name) for name in rules.CLEAN if name not in (*_BOUNDS, "spans", "archived")
    }
    bounds = {
        name: None if units is None else scores.exact(units, decimals=info.decimals)
        for name, units in (("min_score", info.min_units), ("max_score", info.max_units))
    }
    return {**values, **bounds, "spans": info.extra_spans, "archived": info.archived}


def _columns(board: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Return a board's clean values as they are stored; `at` is when it is archived, if it is."""
    columns = {name: value for name, value in board.items() if name not in (*_BOUNDS, "archived", "key")}
    for name, column in _BOUNDS.items():
        value = board[name]
        columns[column] = None if value is None else scores.to_units(value, decimals=board["decimals"])
    return {**columns, "spans": list(board["spans"]), "archived_at": at if board["archived"] else None}


def _clean_key(value: object, errors: list[dict[str, str]]) -> str:
    try:
        key = rules.clean_key(value)
    except ValueError as error:
        errors.append({"pointer": "/key", "detail": str(error)})
        return ""
    if (own := rules.reserved_as(key)) is not None:
        raise Conflict(
            f"The key {quoted(key)} would be taken for the platform's own {quoted(own)}: give another."
        )
    return key


def _clean(values: Mapping[str, Any], errors: list[dict[str, str]]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    for name, value in values.items():
        try:
            clean[name] = rules.CLEAN[name](value)
        except ValueError as error:
            errors.append({"pointer": f"/{name}", "detail": str(error)})
    return clean


def _require_none(errors: list[dict[str, str]]) -> None:
    if errors:
        raise Invalid("A value of the request can't be.", errors=errors)


def _require_stat(game: GameInfo, board: Mapping[str, Any]) -> None:
    """Raise Invalid for a board that is to be fed by a stat that there is not, or that can't feed it."""
    if board["stat"] is None:
        return
    stat = stats.fresh_stat(game.id, board["stat"])
    if stat is None or (stat.archived and not board["archived"]):
        raise Invalid.value("/stat", f"The game has no stat {quoted(board['stat'])} that takes reports.")
    if board["operator"] == "sum" and stat.rule.aggregation != "sum":
        raise Invalid.value(
            "/operator",
            f"The stat {quoted(stat.key)} keeps the {stat.rule.aggregation}, which is not summed: use best or last.",
        )


def _lock(game: GameInfo) -> None:
    """Make creations of boards of one game wait for each other until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_game WHERE id = %s FOR NO KEY UPDATE", [game.id])


def _require_free(game: GameInfo, key: str) -> None:
    taken = list(Leaderboard.objects.filter(game_id=game.id).values_list("key", flat=True))
    same = next((other for other in taken if rules.folded(other) == rules.folded(key)), None)
    if same == key:
        raise Conflict(f"The game has a leaderboard with the key {quoted(key)} already.")
    if same is not None:
        raise Conflict(
            f"The key {quoted(key)} would be taken for {quoted(same)}: give one that differs more."
        )
    if len(taken) >= MOST_BOARDS:
        raise Conflict(f"A game has at most {MOST_BOARDS} leaderboards.")


def _begin_anew(row: Leaderboard, fixed: Sequence[str], *, at: datetime) -> None:
    """Discard a board's periods, which are empty: another time zone cuts time elsewhere under the same names.

    Raises:
        Conflict: they are not empty.

    """
    detail = (
        f"There are scores on this leaderboard, and {', '.join(fixed)} can't change under them: "
        "make another leaderboard."
    )
    refused = Conflict(detail, errors=[{"pointer": f"/{name}", "detail": detail} for name in fixed])
    if has_scores(row.pk):  # asked first, so that a busy board is not held up for a no
        raise refused
    periods.discard(row.pk, at=at)
    if has_scores(row.pk):
        raise refused
    row.refresh_from_db(fields=["epoch", "version"])


def locked(game: GameInfo, key: str) -> Leaderboard:
    """Lock a board, however its key is composed, for a change of what is declared. Raises NotFound, Conflict."""
    if key == definitions.POINTS:
        raise Conflict("The `points` board is built in: it can't be changed or deleted.")
    # Its key stays free: a score that names its event refers to the board while it is waited for.
    rows = Leaderboard.objects.select_for_update(no_key=True).filter(game_id=game.id)
    # What PostgreSQL can't be asked for is nobody's key.
    row = None if "\0" in key else rows.filter(key=unicodedata.normalize("NFC", key)).first()
    if row is None:
        raise NotFound("The game has no such leaderboard.")
    return row
