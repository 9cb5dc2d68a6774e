"""The facts of a game as NDJSON: what the log keeps of it until the file was begun (docs/facts.md)."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from analytics.exports import game_of
from analytics.stream import reading
from analytics.stream.positions import Position
from core import facts
from core.exports.kinds import Chunk, Export

AT_ONCE: Final = 2_000
STEP_S: Final = 0.5


def read(studio_id: int, about: Mapping[str, Any], after: Any) -> Chunk:
    """Return some facts of the game `about["game"]`."""
    game = game_of(studio_id, about)
    if after is None:
        after = {"begun": 0, "until": list(facts.head()), "at": None}
    since = None if after["at"] is None else Position(*after["at"])
    part = reading.read(game, since, limit=AT_ONCE, budget_s=STEP_S)
    until = tuple(after["until"])
    place = [part.after.tx, part.after.fact_id, part.after.place]
    return Chunk(
        data=b"".join(part.lines),
        rows=len(part.lines),
        after={**after, "begun": after["begun"] or part.after.tx, "at": place},
        percent=_percent(after["begun"] or part.after.tx, part.after.tx, until[0]),
        is_end=not part.has_more or part.after.before >= until,
    )


def _percent(begun: int, at: int, until: int) -> int:
    return min(100, 100 * (at - begun) // max(1, until - begun))


FACTS: Final = Export(
    kind="facts",
    label=_("Raw facts"),
    explanation=_("NDJSON: everything that happened in the last days, a line each, as the API tells it."),
    suffix="ndjson",
    content_type="application/x-ndjson",
    read=read,
)
