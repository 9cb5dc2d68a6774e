"""Who was erased: asked by whoever finds nobody, and by listeners, whose facts may be older than an erasure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from accounts.erasure import ledger
from core.db import array_literal, run_prepared
from core.facts import Fact
from core.ids import parse_id

# Who was joined to somebody who was erased is that one. Begun from the few who were erased or joined, not from the
# thousands who are asked about: each listener asks about everybody in its facts.
_ERASED = """
SELECT e.player_id, e.is_whole, e.studio_id, e.until_tx FROM accounts_erasure e
 WHERE e.player_id = ANY($1::bigint[])
   AND NOT EXISTS (SELECT FROM accounts_joinedplayer j WHERE j.player_id = e.player_id)
 UNION ALL
SELECT j.player_id, e.is_whole, e.studio_id, e.until_tx
  FROM accounts_joinedplayer j JOIN accounts_erasure e ON e.player_id = j.into_id
 WHERE j.player_id = ANY($1::bigint[])
"""


def was_erased(studio_id: int, name: str) -> bool:
    """Say whether a studio erased whom it called so, by its id or by `id:<uuid>`: for names that nobody has."""
    if name.startswith("id:"):
        uuid = parse_id(name[3:])
        return uuid is not None and bool(ledger.erased(studio_id, [f"id:{uuid}"]))
    return name.isprintable() and bool(ledger.erased(studio_id, [name]))


def erased_players(ids: Iterable[int]) -> set[int]:
    """Return which of the players no studio has any more, since they were erased; in one query."""
    wanted = set(ids)
    rows = run_prepared(_ERASED, [array_literal(wanted)]) if wanted else []
    return {row[0] for row in rows if row[1]}


def without_erased(facts: Sequence[Fact], rows: Mapping[str, Sequence[str]]) -> list[Fact]:
    """Return facts without what they say of players who were erased; in one query, which mostly finds nobody.

    `rows` names the lists of each kind whose rows begin with a player. Of somebody whom one of several studios erased
    what that studio's facts said until then is left out.
    """
    found: dict[int, list[tuple[bool, int, int]]] = {}
    wanted = {row[0] for fact in facts for name in rows.get(fact.kind, ()) for row in fact.payload[name]}
    for player_id, *erasure in run_prepared(_ERASED, [array_literal(wanted)]) if wanted else ():
        found.setdefault(player_id, []).append((erasure[0], erasure[1], erasure[2]))
    if not found:
        return list(facts)
    return [_stripped(fact, rows.get(fact.kind, ()), found) for fact in facts]


def _stripped(fact: Fact, names: Sequence[str], found: Mapping[int, list[tuple[bool, int, int]]]) -> Fact:
    def is_left_out(row: Sequence[Any]) -> bool:
        return any(
            is_whole or (fact.studio_id == studio_id and fact.tx < until_tx)
            for is_whole, studio_id, until_tx in found.get(row[0], ())
        )

    if not any(is_left_out(row) for name in names for row in fact.payload[name]):
        return fact
    kept = {name: [row for row in fact.payload[name] if not is_left_out(row)] for name in names}
    return replace(fact, payload={**fact.payload, **kept})
