"""Unlocks with what they complete: a meta achievement unlocks in the transaction of the last one that it needs.

Two transactions that each bring a player one of the last two don't miss each other: the statement that records unlocks
(achievements/unlocking.py) locks the player's totals of the game until commit, and what a player holds is counted by a
statement after it, which sees what the other one committed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from accounts import selectors as accounts
from achievements.models import State
from achievements.selectors import definitions
from achievements.selectors.definitions import GameCatalogue, Meta
from achievements.unlocking import Item, Outcome, record
from core.db import LostRace, array_literal, run_prepared, text_array_literal
from core.ids import new_id

Catalogues = Mapping[int, GameCatalogue]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A meta achievement that a player may have completed by an item."""

    player_id: int
    meta: Meta
    item: Item

    @property
    def pair(self) -> tuple[int, int]:
        return self.player_id, self.meta.definition.id


def record_and_complete(
    items: Sequence[Item], *, at: datetime, offline: bool = False, silent: bool = False
) -> list[Outcome]:
    """Record a batch as `unlocking.record` does, and the meta achievements that it completes, in one commit.

    The totals of an outcome count what was completed.

    Raises:
        LostRace: a catalogue changed meanwhile; the transaction is to be rolled back and run again.

    """
    catalogues = catalogues_of(items)
    if not any(catalogues[item.game_id].metas.get(item.achievement_id) for item in items):
        return record(items, offline=offline, silent=silent)
    with transaction.atomic():
        outcomes = record(items, offline=offline, silent=silent)
        totals: dict[tuple[int | None, int], Outcome] = {}
        news = _news(items, outcomes)
        while candidates := _candidates(news, catalogues, at=at):
            completed = [_item(each) for each in _reached(candidates)]
            results = record(completed, offline=offline, silent=silent)
            if any(outcome.outdated for outcome in results):
                raise LostRace("the catalogue changed meanwhile")
            news = _news(completed, results)
            totals |= {(outcome.player_id, item.game_id): outcome for item, outcome in news}
    return [
        _with_totals(outcome, totals.get((outcome.player_id, item.game_id)))
        for item, outcome in zip(items, outcomes, strict=True)
    ]


def catalogues_of(items: Sequence[Item]) -> Catalogues:
    """Return the catalogues that items were checked against: of an outdated one the statement takes nothing."""
    checked: dict[int, GameCatalogue] = {}
    for item in items:
        if item.game_id not in checked:
            kept = definitions.catalogue(item.game_id)
            is_same = kept.version == item.version
            checked[item.game_id] = kept if is_same else definitions.fresh_catalogue(item.game_id)
    return checked


def _news(items: Sequence[Item], outcomes: Sequence[Outcome]) -> list[tuple[Item, Outcome]]:
    return [(item, outcome) for item, outcome in zip(items, outcomes, strict=True) if outcome.recorded]


def _candidates(
    news: Iterable[tuple[Item, Outcome]], catalogues: Catalogues, *, at: datetime
) -> list[_Candidate]:
    """Return each meta achievement that may be complete by now, once a player, and open for him."""
    found: dict[tuple[int, int], _Candidate] = {}
    for item, outcome in news:
        for meta in catalogues[item.game_id].metas.get(item.achievement_id, ()):
            assert outcome.player_id is not None  # it was recorded
            candidate = _Candidate(outcome.player_id, meta, item)
            # A part of before the window that is told of within it: nobody looks for that again.
            if meta.definition.is_open(item.unlocked_at or at) or meta.definition.is_open(at):
                found.setdefault(candidate.pair, candidate)
    drafts = [each for each in found.values() if each.meta.definition.state == State.DRAFT]
    testers = (
        accounts.tests((each.item.game_id for each in drafts), (each.player_id for each in drafts))
        if drafts
        else set()
    )
    return [
        each
        for each in found.values()
        if each.meta.definition.state == State.PUBLISHED or (each.item.game_id, each.player_id) in testers
    ]


# Each list of what is needed is sent once, and looked for in a player's unlocks by one walk of their index: a list of
# hundreds for a batch of a thousand players would be hundreds of thousands of pairs.
_HELD = """
WITH needed AS MATERIALIZED (
    SELECT meta_id, needs::bigint[] AS needs FROM unnest($3::bigint[], $4::text[]) AS n (meta_id, needs)
)
SELECT w.player_id, w.meta_id, (SELECT count(*) FROM achievements_unlock u
                                 WHERE u.player_id = w.player_id AND u.achievement_id = ANY(n.needs))
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, meta_id) JOIN needed n USING (meta_id)
"""


def _reached(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return those whose player holds as many as are needed."""
    metas = {each.meta.definition.id: each.meta for each in candidates}
    params = [
        *(array_literal(column) for column in zip(*(each.pair for each in candidates), strict=True)),
        array_literal(metas),
        text_array_literal(array_literal(meta.needs) for meta in metas.values()),
    ]
    held = {(player_id, meta_id): count for player_id, meta_id, count in run_prepared(_HELD, params)}
    return [each for each in candidates if held[each.pair] >= each.meta.count]


def _item(candidate: _Candidate) -> Item:
    definition = candidate.meta.definition
    return replace(
        candidate.item,
        achievement_id=definition.id,
        points=definition.points,
        event_id=new_id(),
        first_heard_us=None,
    )


def _with_totals(outcome: Outcome, later: Outcome | None) -> Outcome:
    if later is None or not outcome.recorded:
        return outcome
    return replace(outcome, points=later.points, unlocked=later.unlocked)
