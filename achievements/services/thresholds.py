"""What a report of stats unlocks, in its own transaction (ADR 0017).

A condition that holds since this report may bring a goal about; nothing else can. Where a goal asks for several stats,
the player's row is locked before it is reckoned, and values are read by a statement after that: of two reports that
each bring one of the last two, the second one sees the first. Reports that are recorded together are gone through one
after the other, so that what rises and falls among them counts as it would if each came alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import groupby

from accounts import selectors as accounts
from achievements import goals, nearing, pacing
from achievements.goals import Condition, Goal
from achievements.models import State
from achievements.nearing import Step
from achievements.pacing import Growth
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.unlocking import Item
from achievements.weighing import record_weighed
from core import clock
from core.clock import from_microseconds
from core.db import LostRace, array_literal, run_prepared, text_array_literal
from core.ids import new_id
from stats.facts import ValueMoved
from stats.selectors import values as stats

Pair = tuple[int, int]  # player and achievement
Turn = tuple[Pair, int]  # and which move brought it, by its identity
Values = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class _Chance:
    """A move that may have brought a player an achievement."""

    move: ValueMoved
    definition: Definition
    goal: Goal

    @property
    def pair(self) -> Pair:
        return self.move.player_id, self.definition.id

    @property
    def turn(self) -> Turn:
        return self.pair, id(self.move)


@dataclass(frozen=True, slots=True)
class _Met:
    """A condition that began to hold, with what decided it."""

    pair: Pair
    condition: Condition
    value: Decimal
    move: ValueMoved


def follow(moves: Sequence[ValueMoved]) -> None:
    """Unlock what players reached by values that moved, once, inside the caller's transaction.

    Raises:
        LostRace: a catalogue changed meanwhile.

    Publishes:
        AchievementsUnlocked; ProgressChanged of who came nearer.

    """
    catalogues = {
        game_id: definitions.fresh_catalogue(game_id) for game_id in {move.game_id for move in moves}
    }
    chances = [
        _Chance(move, definition, catalogues[move.game_id].goals[definition.id])
        for move in moves
        for definition in catalogues[move.game_id].by_stat.get(move.stat, ())
    ]
    if not chances:
        return
    aggregations = {game_id: stats.aggregations(game_id) for game_id in catalogues}
    met = [one for chance in chances for one in _began(chance, aggregations[chance.move.game_id])]
    turns = {(one.pair, id(one.move)) for one in met}
    reached = [chance for chance in chances if isinstance(chance.goal, Condition) and chance.turn in turns]
    joint = [chance for chance in chances if not _is_single(chance.goal) and _may_turn(chance, turns)]
    steps = [_step(chance, aggregations) for chance in chances if _is_single(chance.goal)]
    if joint:
        more, joint_reached, joint_steps = _reckon_joint(joint, moves, met, aggregations)
        met, reached, steps = [*met, *more], [*reached, *joint_reached], [*steps, *joint_steps]
    _note(met)
    nearing.announce(steps)
    pacing.follow(_growths(steps, catalogues))
    _unlock(reached, catalogues)


def _is_single(goal: Goal) -> bool:
    """Say whether a goal is one condition about one stat, so that a move alone decides."""
    return isinstance(goal, Condition) and len(goal.factors) == 1


def _began(chance: _Chance, aggregations: dict[str, str]) -> list[_Met]:
    """Return the conditions about the moved stat alone that hold since the move.

    Those of an achievement whose window opens some day count as long as they hold: they may have begun before it.
    """
    move = chance.move
    before = {} if move.before is None else {move.stat: move.before}
    after = {move.stat: move.after}
    return [
        _Met(chance.pair, condition, condition.reckon(after) or Decimal(0), move)
        for condition in goals.conditions(chance.goal)
        if condition.stats == (move.stat,)
        and condition.holds(after, aggregations)
        and (chance.definition.available_from is not None or not condition.holds(before, aggregations))
    ]


def _may_turn(chance: _Chance, turns: set[Turn]) -> bool:
    """Say whether a move may bring a goal of several stats about: a condition began to hold, or a sum moved."""
    about_sums = any(
        len(condition.factors) > 1 and chance.move.stat in condition.stats
        for condition in goals.conditions(chance.goal)
    )
    return about_sums or chance.turn in turns


def _step(chance: _Chance, aggregations: dict[int, dict[str, str]]) -> Step:
    """Return how a move alone brings its player on towards a single stat's threshold."""
    move, goal, kinds = chance.move, chance.goal, aggregations[chance.move.game_id]

    def reckoned(value: Decimal | None) -> tuple[int, int]:
        values = {} if value is None else {move.stat: value}
        return goals.steps(goal, values, kinds, lambda condition: condition.holds(values, kinds))

    return Step(move, chance.definition.id, reckoned(move.before)[0], *reckoned(move.after))


def _growths(steps: Sequence[Step], catalogues: dict[int, GameCatalogue]) -> list[Growth]:
    """Return what a rule judges of the way to thresholds; who is past one already is on no way any more."""
    found = []
    for step in steps:
        a_minute = catalogues[step.move.game_id].pace_of(step.achievement_id)
        if a_minute is not None and step.previous != step.current and step.previous < step.target:
            pair, since_us = (step.move.player_id, step.achievement_id), step.move.since_us
            at_us = step.move.at_us
            found.append(Growth(pair, a_minute, step.previous, step.current, at_us, since_us))
    return found


def _reckon_joint(
    chances: Sequence[_Chance],
    moves: Sequence[ValueMoved],
    met: Sequence[_Met],
    aggregations: dict[int, dict[str, str]],
) -> tuple[list[_Met], list[_Chance], list[Step]]:
    """Return the sums that began to hold, each goal of several stats whenever it was reached, and the way to it."""
    players = {chance.move.player_id for chance in chances}
    _hold_players(players)
    noted = _noted(chance.pair for chance in chances)
    began: dict[int, set[tuple[int, int, str]]] = defaultdict(set)
    for one in met:
        began[id(one.move)].add((*one.pair, one.condition.name))
    by_move: dict[int, list[_Chance]] = defaultdict(list)
    for chance in chances:
        by_move[id(chance.move)].append(chance)
    more, reached, steps = [], [], []
    for report, before, values in _one_by_one([move for move in moves if move.player_id in players]):
        due = {chance.pair: chance for move in report for chance in by_move[id(move)]}
        previous = {
            pair: _joint_steps(chance, before, aggregations[chance.move.game_id], noted)[0]
            for pair, chance in due.items()
        }
        noted.update(*(began[id(move)] for move in report))
        for pair, chance in due.items():
            kinds = aggregations[chance.move.game_id]
            holds = partial(_holds, pair=pair, values=values, kinds=kinds, noted=noted)
            sums = [
                _Met(pair, condition, condition.reckon(values) or Decimal(0), chance.move)
                for condition in goals.conditions(chance.goal)
                if len(condition.factors) > 1
                and (*pair, condition.name) not in noted
                and condition.holds(values, kinds)
            ]
            noted.update((*pair, one.condition.name) for one in sums)
            more += sums
            if goals.reached(chance.goal, holds):
                reached.append(chance)
            now = _joint_steps(chance, values, kinds, noted)
            steps.append(Step(chance.move, chance.definition.id, previous[pair], *now))
    return more, reached, steps


def _joint_steps(
    chance: _Chance, values: Values, kinds: dict[str, str], noted: set[tuple[int, int, str]]
) -> tuple[int, int]:
    holds = partial(_holds, pair=chance.pair, values=values, kinds=kinds, noted=noted)
    return goals.steps(chance.goal, values, kinds, holds)


def _one_by_one(moves: Sequence[ValueMoved]) -> Iterator[tuple[list[ValueMoved], Values, Values]]:
    """Yield report by report what it moved, and what its player held before and after it."""
    held = stats.values_of((move.player_id, move.game_id) for move in moves)
    for move in reversed(moves):
        values = held[move.player_id, move.game_id]
        before = stats.defaults(move.game_id).get(move.stat) if move.before is None else move.before
        if before is None:
            del values[move.stat]
        else:
            values[move.stat] = before
    for (player_id, game_id, _), group in groupby(
        moves, key=lambda move: (move.player_id, move.game_id, move.event_id)
    ):
        report, values = list(group), held[player_id, game_id]
        earlier = dict(values)
        values |= {move.stat: move.after for move in report}
        yield report, earlier, values


def _holds(
    condition: Condition,
    *,
    pair: Pair,
    values: Values,
    kinds: dict[str, str],
    noted: set[tuple[int, int, str]],
) -> bool:
    if goals.latches(condition, kinds) and (*pair, condition.name) in noted:
        return True
    return condition.holds(values, kinds)


_HOLD = "SELECT FROM accounts_player WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"


def _hold_players(player_ids: Iterable[int]) -> None:
    run_prepared(_HOLD, [array_literal(sorted(set(player_ids)))])


_NOTED = """
SELECT m.player_id, m.achievement_id, m.condition
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, achievement_id)
  JOIN achievements_conditionmet m USING (player_id, achievement_id)
"""


def _noted(pairs: Iterable[Pair]) -> set[tuple[int, int, str]]:
    """Return the conditions that held before, as `(player, achievement, name)`."""
    columns = [array_literal(column) for column in zip(*sorted(set(pairs)), strict=True)]
    return {(row[0], row[1], row[2]) for row in run_prepared(_NOTED, columns)}


_NOTE = """
INSERT INTO achievements_conditionmet (player_id, achievement_id, condition, value, event_id, met_at)
SELECT DISTINCT ON (1, 2, 3) player_id, achievement_id, condition, value, event_id,
       'epoch'::timestamptz + at_us * interval '1 microsecond'
  FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::numeric[], $5::uuid[], $6::bigint[])
    WITH ORDINALITY AS i (player_id, achievement_id, condition, value, event_id, at_us, place)
 ORDER BY 1, 2, 3, place
ON CONFLICT DO NOTHING
"""


def _note(met: Sequence[_Met]) -> None:
    """Keep by which event conditions held first."""
    if not met:
        return
    run_prepared(
        _NOTE,
        [
            array_literal(one.pair[0] for one in met),
            array_literal(one.pair[1] for one in met),
            text_array_literal(one.condition.name for one in met),
            array_literal(one.value for one in met),
            array_literal(one.move.event_id for one in met),
            array_literal(one.move.reached_us for one in met),
        ],
    )


def _unlock(reached: Sequence[_Chance], catalogues: dict[int, GameCatalogue]) -> None:
    """Record the unlocks of those who may have them, as any unlock is recorded."""
    drafts = [chance for chance in reached if chance.definition.state == State.DRAFT]
    testers = (
        accounts.tests((each.move.game_id for each in drafts), (each.move.player_id for each in drafts))
        if drafts
        else set()
    )
    items = [
        _item(chance, catalogues[chance.move.game_id])
        for chance in {chance.pair: chance for chance in reversed(reached) if _is_open(chance)}.values()
        if chance.definition.state == State.PUBLISHED
        or (chance.move.game_id, chance.move.player_id) in testers
    ]
    if not items:
        return
    outcomes = record_weighed(items, at=clock.now())
    if any(outcome.unlocked_at is None for outcome in outcomes):
        raise LostRace("a player or a catalogue changed meanwhile")


def _is_open(chance: _Chance) -> bool:
    return chance.definition.is_open(from_microseconds(chance.move.reached_us))


def _item(chance: _Chance, catalogue: GameCatalogue) -> Item:
    return Item(
        studio_id=chance.move.studio_id,
        external_id=chance.move.external_id,
        game_id=chance.move.game_id,
        version=catalogue.version,
        achievement_id=chance.definition.id,
        points=chance.definition.points,
        unlocked_at=from_microseconds(chance.move.reached_us),
        event_id=new_id(),
        is_of_device=chance.move.is_of_device,
    )
