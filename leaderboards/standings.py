"""A final period's standings as a file: the same bytes whenever they are asked for, so that a hash speaks for them."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from core.clock import from_microseconds
from core.db import run_prepared
from leaderboards.rules import scores as rules
from leaderboards.rules.ranks import TieBreak, rank_of
from leaderboards.rules.scores import Sort

HEADER = ("rank", "player_id", "region", "score", "reached_at", "metadata")
_CHUNK = 2000

# From each place on to the next by the index: no transaction is held open, since what is final does not change. Who was
# joined to another is called what he was called then.
_PAGE = """
    SELECT s.player_id, coalesce(p.uuid, j.uuid), s.region, s.sort_value,
           (extract(epoch FROM s.reached_at) * 1000000)::bigint, s.metadata
      FROM leaderboards_score s LEFT JOIN accounts_player p ON p.id = s.player_id
      LEFT JOIN accounts_joinedplayer j ON j.player_id = s.player_id
     WHERE s.period_id = $1 AND s.hidden_at IS NULL AND s.excluded_at IS NULL
       AND (s.sort_value, s.reached_at, s.player_id)
         > ($2, 'epoch'::timestamptz + $3 * interval '1 microsecond', $4)
     ORDER BY s.sort_value, s.reached_at, s.player_id LIMIT $5
"""


class Line(NamedTuple):
    """A player in the final standings; `units` is the score in the board's smallest step."""

    rank: int
    player_id: int
    uuid: UUID
    region: str
    units: int
    reached_us: int
    metadata: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What final standings come to: how many players, the hash of their file, and the first lines."""

    players: int
    sha256: bytes
    top: list[Line]


def lines(period_id: int, *, tie_break: TieBreak, sort: Sort) -> Iterator[Line]:
    """Yield everybody in a period's order with his rank."""
    position, place, before, scores_before = (-rules.LARGEST - 1, 0, 0), 0, 0, -1
    last: int | None = None
    while rows := run_prepared(_PAGE, [period_id, *position, _CHUNK]):
        for player_id, uuid, region, sort_value, reached_us, metadata in rows:
            if sort_value != last:
                last, before, scores_before = sort_value, place, scores_before + 1
            rank = rank_of(tie_break, place=place, before=before, scores_before=scores_before)
            units = rules.sort_value(sort_value, sort=sort)
            yield Line(rank, player_id, uuid, region, units, reached_us, metadata)
            place += 1
        position = (rows[-1][3], rows[-1][4], rows[-1][0])


def as_csv(listed: Iterable[Line], *, decimals: int) -> Iterator[bytes]:
    """Yield lines as a CSV file (RFC 4180), in pieces; scores with all their decimals, times with microseconds."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    for number, line in enumerate(listed, start=1):
        writer.writerow(
            (
                line.rank,
                line.uuid,
                # A spreadsheet would take a leading sign for a formula.
                f"'{line.region}" if line.region.startswith("-") else line.region,
                f"{rules.exact(line.units, decimals=decimals):f}",
                f"{from_microseconds(line.reached_us):%Y-%m-%dT%H:%M:%S.%fZ}",
                line.metadata or "",
            )
        )
        if number % _CHUNK == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def summary(period_id: int, *, tie_break: TieBreak, sort: Sort, decimals: int, top: int = 0) -> Summary:
    """Return what a period's standings come to, by going through all of them once."""
    first: list[Line] = []
    players = 0

    def counted() -> Iterator[Line]:
        nonlocal players
        for line in lines(period_id, tie_break=tie_break, sort=sort):
            players += 1
            if len(first) < top:
                first.append(line)
            yield line

    sha256 = hashlib.sha256()
    for piece in as_csv(counted(), decimals=decimals):
        sha256.update(piece)
    return Summary(players, sha256.digest(), first)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
