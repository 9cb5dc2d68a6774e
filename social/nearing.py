"""Telling players how far they are with an achievement: at most once a second, and always at each quarter of the way.

What is told is an inbox row like any other, but of an achievement at most one waits unread: the newest. What must wait
for its second is told by `tell_due`, every second.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from achievements.facts import AchievementsRevoked, AchievementsUnlocked, ProgressChanged, UnlocksJoined
from achievements.selectors import unlocks
from core.clock import from_microseconds, microseconds
from core.db import array_literal, run_prepared
from core.facts import Fact
from core.ids import new_id
from core.rendering import dumps
from social.announcing import Told, languages_for, told_of
from social.events import ACHIEVEMENT_PROGRESS
from social.inbox import Notice

EVERY = timedelta(seconds=1)
QUARTERS = 4
_AT_ONCE = 1_000
_DELETED_AT_ONCE = 5_000

Pair = tuple[int, int]  # player and achievement


class State(NamedTuple):
    """A row of ToldProgress."""

    player_id: int
    achievement_id: int
    game_id: int
    studio_id: int
    current: int
    target: int
    version: int
    told: int
    told_seq: int
    told_us: int

    @property
    def pair(self) -> Pair:
        """The player and the achievement."""
        return self.player_id, self.achievement_id

    @property
    def is_over(self) -> bool:
        """Whether the achievement is unlocked."""
        return self.current >= self.target


@dataclass
class Batch:
    """What a batch of facts has to tell, reckoned one after the other.

    Attributes:
        states: what is known of those whom the batch is about.
        languages: of the players who chose one.
        notices: in the order of the log; the last of a pair stays in the inbox, the others are pushed only.

    """

    now: datetime
    states: dict[Pair, State] = field(default_factory=dict)
    languages: Mapping[int, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    _pairs: list[Pair] = field(default_factory=list)  # of the notices
    _forgotten: set[Pair] = field(default_factory=set)

    def take(self, change: State, about: Told) -> None:
        """Note how far a player is by now, and tell it if it is time; what is older than is known changes nothing."""
        known = self.states.get(change.pair)
        if known is None:
            self.tell(change, about)
        elif known.version < change.version and not known.is_over:
            follows = known._replace(current=change.current, target=change.target, version=change.version)
            self.states[change.pair] = follows
            is_time = from_microseconds(known.told_us) <= self.now - EVERY
            if is_time or _quarter(change) > _quarter(known._replace(target=change.target)):
                self.tell(follows, about)

    def tell(self, state: State, about: Told) -> None:
        """Tell a player how far he is."""
        now_us = microseconds(self.now)
        progress = dumps({"current": state.current, "target": state.target}).decode()
        player_id, _, game_id, studio_id, *_ = state
        data = f'{about.head_in(self.languages.get(player_id))},"progress":{progress}}}'
        self.notices.append(
            Notice(player_id, str(new_id()), ACHIEVEMENT_PROGRESS, game_id, studio_id, now_us, data)
        )
        self._pairs.append(state.pair)
        self.states[state.pair] = state._replace(told=state.current, told_us=now_us)

    def end(self, pair: Pair) -> None:
        """Note that an achievement is unlocked: nothing more is told of the way to it."""
        if (state := self.states.get(pair)) is not None:
            self.states[pair] = state._replace(current=state.target, told=state.target)

    def forget(self, pair: Pair) -> None:
        """Note that an unlock was taken back: the way to it begins anew."""
        if self.states.pop(pair, None) is not None:
            self._forgotten.add(pair)

    def save(self, seqs: Sequence[int]) -> None:
        """Write what is known from now on; the numbers are the notices' in their inboxes.

        What they replace leaves the inbox if it is unread, and so does what is told of the way to what is unlocked.
        """
        replaced = []
        for pair, seq in zip(self._pairs, seqs, strict=True):
            state = self.states.get(pair)
            if state is None:
                replaced.append((pair[0], seq))
            else:
                replaced.append((pair[0], state.told_seq))
                self.states[pair] = state._replace(told_seq=seq)
        for pair, state in self.states.items():
            if state.is_over:
                replaced.append((pair[0], state.told_seq))
                self.states[pair] = state._replace(told_seq=0)
        _take_away([one for one in replaced if one[1]])
        _forget(self._forgotten - self.states.keys())
        _save(self.states.values())


def hear(facts: Sequence[Fact], *, now: datetime) -> Batch:
    """Return what facts of progress, unlocks and revokes have to tell, inside the caller's transaction."""
    games = {row[1]: fact.payload["game"] for fact in facts for row in _rows(fact)}
    told = {pk: about for pk, about in told_of(games).items() if about.is_incremental}
    pairs = {(row[0], row[1]) for fact in facts for row in _rows(fact) if row[1] in told}
    if not pairs:
        return Batch(now)
    batch = Batch(now, _hold(pairs), languages_for(told, (player for player, _ in pairs)))
    heard = unlocks.heard_at(pairs - batch.states.keys())
    for fact in facts:
        for player, achievement, *rest in _rows(fact):
            about = told.get(achievement)
            if about is None:
                continue
            if fact.kind in (AchievementsUnlocked.kind, UnlocksJoined.kind):
                batch.end((player, achievement))
            elif fact.kind == AchievementsRevoked.kind:
                batch.forget((player, achievement))
            elif about.may_be_named and not _is_late(rest[3], heard.get((player, achievement))):
                batch.take(_state(fact, player, achievement, *rest), about)
    return batch


def _is_late(version: int, unlocked_at: datetime | None) -> bool:
    """Say whether progress is told of what was unlocked before."""
    return unlocked_at is not None and unlocked_at < from_microseconds(version)


def _state(
    fact: Fact, player_id: int, achievement_id: int, _: int, current: int, target: int, version: int
) -> State:
    studio_id = cast("int", fact.studio_id)  # a game's fact is its studio's
    return State(
        player_id, achievement_id, fact.payload["game"], studio_id, current, target, version, current, 0, 0
    )


def due(*, now: datetime) -> Batch:
    """Return what has waited for its second, inside the caller's transaction; what another worker holds is left."""
    waiting = [State(*row) for row in run_prepared(_DUE, [now - EVERY, _AT_ONCE])]
    told = told_of({state.achievement_id: state.game_id for state in waiting})
    batch = Batch(now, languages=languages_for(told, (state.player_id for state in waiting)))
    for state in waiting:
        about = told.get(state.achievement_id)
        if about is not None and about.may_be_named:
            batch.tell(state, about)
        else:
            batch.states[state.pair] = state._replace(told=state.current)
    return batch


def forget_some(*, before: datetime) -> int:
    """Delete some of what was told before a time; return how many, 0 when none is left."""
    deleted: int = run_prepared(_FORGET_OLD, [before, _DELETED_AT_ONCE])[0][0]
    return deleted


def _rows(fact: Fact) -> list[list[int]]:
    return cast("list[list[int]]", fact.payload[_LISTED[fact.kind]])


_LISTED = {
    ProgressChanged.kind: "changes",
    AchievementsUnlocked.kind: "unlocks",
    AchievementsRevoked.kind: "revokes",
    UnlocksJoined.kind: "come",
}
KINDS = frozenset(_LISTED)


def _quarter(state: State) -> int:
    return QUARTERS * state.current // state.target


_SELECT = """
SELECT t.player_id, t.achievement_id, t.game_id, t.studio_id, t.current, t.target, t.version, t.told, t.told_seq,
       (extract(epoch FROM t.told_at) * 1000000)::bigint
"""
_HOLD = (
    _SELECT
    + """
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, achievement_id)
  JOIN social_toldprogress t USING (player_id, achievement_id)
 ORDER BY t.player_id, t.achievement_id FOR UPDATE OF t
"""
)
_DUE = (
    _SELECT
    + """
  FROM social_toldprogress t WHERE t.told <> t.current AND t.told_at <= $1
 ORDER BY t.told_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
)
_SAVE = """
INSERT INTO social_toldprogress AS t
       (player_id, achievement_id, game_id, studio_id, current, target, version, told, told_seq, told_at)
SELECT player_id, achievement_id, game_id, studio_id, current, target, version, told, told_seq,
       'epoch'::timestamptz + told_us * interval '1 microsecond'
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::bigint[], $9::bigint[], $10::bigint[])
       AS i (player_id, achievement_id, game_id, studio_id, current, target, version, told, told_seq, told_us)
ON CONFLICT (player_id, achievement_id) DO UPDATE
   SET current = excluded.current, target = excluded.target, version = excluded.version, told = excluded.told,
       told_seq = excluded.told_seq, told_at = excluded.told_at
"""
_TAKE_AWAY = """
DELETE FROM social_notification n USING unnest($1::bigint[], $2::bigint[]) AS old (player_id, seq)
 WHERE n.player_id = old.player_id AND n.seq = old.seq AND n.read_at IS NULL
"""
_FORGET = """
DELETE FROM social_toldprogress t USING unnest($1::bigint[], $2::bigint[]) AS w (player_id, achievement_id)
 WHERE t.player_id = w.player_id AND t.achievement_id = w.achievement_id
"""
_FORGET_OLD = """
WITH gone AS (
    DELETE FROM social_toldprogress WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM social_toldprogress WHERE told_at < $1::timestamptz LIMIT $2))
    RETURNING 1
) SELECT count(*) FROM gone
"""


def _hold(pairs: Iterable[Pair]) -> dict[Pair, State]:
    states = [State(*row) for row in run_prepared(_HOLD, _columns(sorted(pairs)))]
    return {state.pair: state for state in states}


def _save(states: Iterable[State]) -> None:
    if ordered := sorted(states):
        run_prepared(_SAVE, _columns(ordered))


def _take_away(replaced: Sequence[tuple[int, int]]) -> None:
    if replaced:
        run_prepared(_TAKE_AWAY, _columns(sorted(replaced)))


def _forget(pairs: Iterable[Pair]) -> None:
    if ordered := sorted(pairs):
        run_prepared(_FORGET, _columns(ordered))


def _columns(rows: Sequence[Sequence[int]]) -> list[str]:
    return [array_literal(column) for column in zip(*rows, strict=True)]
