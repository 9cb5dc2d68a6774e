"""Setting the rules by which a board's scores are looked at before they count."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from core import audit
from core.refusals import Invalid
from leaderboards.rules import plausibility
from leaderboards.rules import scores as rules
from leaderboards.selectors import definitions
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services.definitions import locked


def set_rules(
    *, game: GameInfo, key: str, values: Mapping[str, Any], actor: str, at: datetime, keeps: bool = False
) -> tuple[BoardInfo, bool]:
    """Set a board's rules from raw values (`bound`, `z_score`).

    What is left out is no rule, or with `keeps` stays as it is.

    Returns:
        The board, and whether anything is other than before.

    Raises:
        NotFound: the game has no such board.
        Conflict: the built-in board of points.
        Invalid: values that can't be.

    """
    with transaction.atomic():
        row = locked(game, key)
        units, most_z = _clean(values, decimals=row.decimals, operator=row.operator)
        before = row.flag_units, row.flag_z
        if keeps:
            units = units if "bound" in values else row.flag_units
            most_z = most_z if "z_score" in values else row.flag_z
        if before != (units, most_z):
            row.flag_units, row.flag_z = units, most_z
            row.version += 1  # no submission that is on its way is weighed by the old ones
            row.save()
            audit.record(
                studio_id=game.studio_id,
                actor=actor,
                action="plausibility.change",
                kind="game",
                object_id=game.uuid,
                reason="",
                at=at,
                details={"leaderboard": row.key, **shown(definitions.info_of(row))},
            )
    definitions.forget()
    return definitions.info_of(row), before != (units, most_z)


def shown(board: BoardInfo) -> dict[str, Any]:
    """Return a board's rules as the API shows them."""
    bound = None if board.flag_units is None else rules.to_number(board.flag_units, decimals=board.decimals)
    return {"bound": bound, "z_score": board.flag_z}


def _clean(values: Mapping[str, Any], *, decimals: int, operator: str) -> tuple[int | None, float | None]:
    errors: list[dict[str, str]] = []
    units = most_z = None
    try:
        bound = values.get("bound")
        units = None if bound is None else rules.to_units(bound, decimals=decimals)
    except ValueError as error:
        errors.append({"pointer": "/bound", "detail": str(error)})
    try:
        most_z = plausibility.clean_z(values.get("z_score"))
        if most_z is not None and operator == "sum":
            raise ValueError(
                "This board adds submissions up: one of them says nothing beside the sums of others."
            )
    except ValueError as error:
        errors.append({"pointer": "/z_score", "detail": str(error)})
    if errors:
        raise Invalid("A value of the request can't be.", errors=errors)
    return units, most_z
