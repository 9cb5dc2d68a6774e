"""Telling players' friends of unlocks: at once, and then at most once a minute for each player and game.

Whose friends are to hear something is noted with the follower's cursor; they are told after its commit, in transactions
of a few players each, so that nobody's own news waits for a crowd's (docs/adr/0030). Who was away reads the feed.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

import orjson
from django.db import transaction

from accounts.facts import PlayersJoined
from accounts.selectors import banned_players, hidden_players, joined_players, players_shown
from achievements.facts import AchievementsUnlocked
from achievements.selectors import unlocks
from core import clock, shifts
from core.clock import microseconds, rfc3339_us
from core.db import array_literal, run_prepared
from core.facts import Fact
from core.rendering import dumps
from social import joining, preferences, presence, services
from social.announcing import Told, languages_for, told_of
from social.events import FRIEND_UNLOCKED, id_prefix
from social.inbox import Notice
from stats.facts import PlaytimeAdded

FOLLOWER = "fanning"
KINDS = frozenset({AchievementsUnlocked.kind, PlaytimeAdded.kind, PlayersJoined.kind})
EVERY = timedelta(minutes=1)
NEWS = timedelta(minutes=10)  # what is older when it is read stands in the feed
ABOUT = timedelta(hours=1)  # since a friend was seen
_FORGOTTEN = timedelta(hours=1)  # longer than NEWS: until then a replayed fact is known
_AT_ONCE = 10  # players: with 500 friends each 5,000 rows, a tenth of a second
_LONGEST_RUN_S = 5.0
_DELETED_AT_ONCE = 5_000

Pair = tuple[int, int]  # player and game


class State(NamedTuple):
    """A row of FriendNews; times in microseconds since 1970, 0 for never."""

    player_id: int
    game_id: int
    studio_id: int
    achievement_id: int
    points: int
    unlocked_us: int
    at_us: int
    event: UUID | str
    waiting: int
    fact_tx: int
    fact_id: int
    told_us: int

    @property
    def pair(self) -> Pair:
        """The player and the game."""
        return self.player_id, self.game_id


def apply_facts(facts: Sequence[Fact]) -> None:
    """Note when players were seen in games, and which unlocks their friends are to be told of; tell after commit.

    A fact that is applied again changes nothing, nor does one that is too old to be news, or that nobody is to hear of.
    """
    now = clock.now()
    _join([fact for fact in facts if fact.kind == PlayersJoined.kind])
    facts = joining.as_they_are(facts)
    of_others = joining.with_nobody(facts, joining.erased(facts))
    presence.note_play(_seen(fact for fact in of_others if fact.kind == PlaytimeAdded.kind), before=now)
    heard = [
        fact
        for fact in facts
        if fact.kind == AchievementsUnlocked.kind and not fact.payload.get("silent") and fact.at > now - NEWS
    ]
    if _note(heard, now=now):
        transaction.on_commit(lambda: tell_friends(now=now), robust=True)


def _join(facts: Sequence[Fact]) -> None:
    """Let what was noted of players who were joined to others, after that was done, be told of the others."""
    gone = [row[0] for fact in facts for row in fact.payload["players"]]
    for player, into in joined_players(gone).items():
        run_prepared(joining.NEWS, [player, into])


def _seen(facts: Iterable[Fact]) -> dict[int, int]:
    seen: dict[int, int] = {}
    for fact in facts:
        for player, _, until_us, _ in fact.payload["played"]:
            seen[player] = max(until_us, seen.get(player, 0))
    return seen


def _note(facts: Sequence[Fact], *, now: datetime) -> bool:
    """Note whose friends are to be told; say whether there is anybody."""
    heard = _with_friends_about({unlock[0] for fact in facts for unlock in fact.payload["unlocks"]}, now=now)
    if not heard:
        return False
    told = told_of({unlock[1]: fact.payload["game"] for fact in facts for unlock in fact.payload["unlocks"]})
    pairs = {(unlock[0], fact.payload["game"]) for fact in facts for unlock in fact.payload["unlocks"]}
    states = _hold(pair for pair in pairs if pair[0] in heard)
    known = {pair: (state.fact_tx, state.fact_id) for pair, state in states.items()}
    for fact in facts:
        for state in _states(fact, heard, told):
            if (fact.tx, fact.id) > known.get(state.pair, (0, 0)):
                states[state.pair] = _follow(states.get(state.pair), state)
    _save([state for state in states.values() if state.waiting])
    return True


def _follow(before: State | None, latest: State) -> State:
    if before is None:
        return latest
    return latest._replace(waiting=before.waiting + 1, told_us=before.told_us)


def _states(fact: Fact, players: set[int], told: Mapping[int, Told]) -> Iterator[State]:
    """Return what each unlock of a fact comes to, if friends may know of it."""
    studio_id = cast("int", fact.studio_id)  # a game's fact is its studio's
    game, at_us = fact.payload["game"], microseconds(fact.at)
    seed = f"friends {fact.payload['unlocks'][0][5]}"
    prefix = id_prefix(fact_id=fact.id, seed=seed, at=fact.at)
    for place, (player, achievement, points, unlocked_us, *_) in enumerate(fact.payload["unlocks"]):
        about = told.get(achievement)
        if player in players and about is not None and about.is_published:
            event = f"{prefix}{place:05x}"
            known = (studio_id, achievement, points, unlocked_us, at_us, event)
            yield State(player, game, *known, 1, fact.tx, fact.id, 0)


def tell_friends(*, now: datetime) -> int:
    """Tell friends of all that is due, in short transactions, for a few seconds at most; return how many events."""
    started, told = time.monotonic(), 0
    while time.monotonic() - started < _LONGEST_RUN_S:
        count = _tell_some(now=now)
        if count is None:
            break
        told += count
    return told


def _tell_some(*, now: datetime) -> int | None:
    """Tell friends of a few players; return how many events, or None if nothing is due."""
    with transaction.atomic():
        due = [State(*row) for row in run_prepared(_DUE, [now, _AT_ONCE])]
        if not due:
            return None
        notices = _notices(due, now=now)
        choices = preferences.choices({notice.player_id for notice in notices}, at=now)
        wanted = choices.of(notices)
        services.tell(wanted, choices=choices)
        run_prepared(_TOLD, [*_columns([state.pair for state in due]), now])
    return len(wanted)


def _notices(due: Sequence[State], *, now: datetime) -> list[Notice]:
    """Return what the friends who are about are told, of those that may be spoken of."""
    players = {state.player_id for state in due}
    hidden, banned = hidden_players(players, part="feed"), banned_players(players)
    held = unlocks.heard_at({(state.player_id, state.achievement_id) for state in due})
    told = told_of({state.achievement_id: state.game_id for state in due})
    spoken_of = [
        state
        for state in due
        if state.player_id not in hidden
        and (state.studio_id, state.player_id) not in banned
        and (state.player_id, state.achievement_id) in held
        and (about := told.get(state.achievement_id)) is not None
        and about.is_published
    ]
    if not spoken_of:
        return []
    shown = players_shown(state.player_id for state in spoken_of)
    readers = _friends_about({state.player_id for state in spoken_of}, now=now)
    secret = {
        (reader, state.achievement_id)
        for state in spoken_of
        if not told[state.achievement_id].may_be_named
        for reader in readers.get(state.player_id, ())
    }
    knowing = unlocks.heard_at(secret)
    chosen = languages_for(told, {reader for circle in readers.values() for reader in circle})
    notices = []
    for state in spoken_of:
        about, player = told[state.achievement_id], dumps(shown[state.player_id]).decode()
        masked = _data(state, player, _masked(about.head), points=None)
        for reader in readers.get(state.player_id, ()):
            pair = (reader, state.achievement_id)
            is_masked = pair in secret and pair not in knowing
            plain = _data(state, player, about.head_in(chosen.get(reader)), points=state.points)
            notices.append(_notice(state, reader, masked if is_masked else plain))
    return notices


def _notice(state: State, reader: int, data: str) -> Notice:
    return Notice(
        reader, str(state.event), FRIEND_UNLOCKED, state.game_id, state.studio_id, state.at_us, data
    )


def _data(state: State, player: str, head: str, *, points: int | None) -> str:
    return (
        f'{{"player":{player},{head[1:]},"points":{"null" if points is None else points},'
        f'"unlocked_at":"{rfc3339_us(state.unlocked_us)}","count":{state.waiting}}}'
    )


def _masked(head: str) -> str:
    """Return what an event's data begins with where its reader may not know which achievement it is."""
    data = orjson.loads(head + "}")
    nothing = {"key": None, "name": None, "description": None, "icon_url": "", "hidden": True, "rarity": None}
    return dumps({**data, "achievement": nothing}).decode()[:-1]


def forget_old(*, now: datetime) -> int:
    """Delete what friends were told long ago, in short transactions; return how many rows."""
    deleted = 0
    while not shifts.is_over() and (
        batch := run_prepared(_FORGET, [now - _FORGOTTEN, _DELETED_AT_ONCE])[0][0]
    ):
        deleted += batch
    return deleted


_WITH_FRIENDS_ABOUT = """
SELECT w.player_id FROM unnest($1::bigint[]) AS w (player_id)
 WHERE EXISTS (SELECT FROM social_friendship f JOIN social_presence p ON p.player_id = f.friend_id
                WHERE f.player_id = w.player_id AND p.seen_at > $2::timestamptz)
"""
_FRIENDS_ABOUT = """
SELECT f.player_id, f.friend_id
  FROM unnest($1::bigint[]) AS w (player_id)
  JOIN social_friendship f ON f.player_id = w.player_id
  JOIN social_presence p ON p.player_id = f.friend_id AND p.seen_at > $2::timestamptz
 ORDER BY f.player_id, f.friend_id
"""
_SELECT = """
SELECT n.player_id, n.game_id, n.studio_id, n.achievement_id, n.points, n.unlocked_us,
       (extract(epoch FROM n.at) * 1000000)::bigint, n.event, n.waiting, n.fact_tx, n.fact_id,
       coalesce((extract(epoch FROM n.told_at) * 1000000)::bigint, 0)
"""
_HOLD = (
    _SELECT
    + """
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id) JOIN social_friendnews n USING (player_id, game_id)
 ORDER BY n.player_id, n.game_id FOR UPDATE OF n
"""
)
_DUE = (
    _SELECT
    + "  FROM social_friendnews n WHERE n.due_at <= $1::timestamptz ORDER BY n.due_at LIMIT $2 FOR UPDATE SKIP LOCKED"
)
# What waits is due a minute after friends were told last, which is long ago if they never were.
_SAVE = """
INSERT INTO social_friendnews AS n (player_id, game_id, studio_id, achievement_id, points, unlocked_us, at, event,
                                    waiting, fact_tx, fact_id, told_at, due_at)
SELECT player_id, game_id, studio_id, achievement_id, points, unlocked_us,
       'epoch'::timestamptz + at_us * interval '1 microsecond', event, waiting, fact_tx, fact_id, NULL,
       'epoch'::timestamptz + due_us * interval '1 microsecond'
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::uuid[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
       AS i (player_id, game_id, studio_id, achievement_id, points, unlocked_us, at_us, event, waiting, fact_tx,
             fact_id, due_us)
ON CONFLICT (player_id, game_id) DO UPDATE
   SET achievement_id = excluded.achievement_id, points = excluded.points, unlocked_us = excluded.unlocked_us,
       at = excluded.at, event = excluded.event, waiting = excluded.waiting, fact_tx = excluded.fact_tx,
       fact_id = excluded.fact_id, due_at = excluded.due_at
"""
_TOLD = """
UPDATE social_friendnews n SET told_at = $3::timestamptz, due_at = NULL, waiting = 0
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id)
 WHERE n.player_id = w.player_id AND n.game_id = w.game_id
"""
_FORGET = """
WITH gone AS (
    DELETE FROM social_friendnews WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM social_friendnews WHERE due_at IS NULL AND told_at < $1::timestamptz LIMIT $2))
    RETURNING 1
) SELECT count(*) FROM gone
"""


def _with_friends_about(players: set[int], *, now: datetime) -> set[int]:
    if not players:
        return set()
    return {row[0] for row in run_prepared(_WITH_FRIENDS_ABOUT, [array_literal(players), now - ABOUT])}


def _friends_about(players: set[int], *, now: datetime) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for player, friend in run_prepared(_FRIENDS_ABOUT, [array_literal(players), now - ABOUT]):
        found.setdefault(player, []).append(friend)
    return found


def _hold(pairs: Iterable[Pair]) -> dict[Pair, State]:
    wanted = sorted(pairs)
    rows = run_prepared(_HOLD, _columns(wanted)) if wanted else []
    return {(row[0], row[1]): State(*row) for row in rows}


def _save(states: Sequence[State]) -> None:
    if states:
        every_us = EVERY // timedelta(microseconds=1)
        rows = [(*state[:-1], state.told_us + every_us) for state in sorted(states, key=lambda one: one.pair)]
        run_prepared(_SAVE, _columns(rows))


def _columns(rows: Sequence[Sequence[object]]) -> list[str]:
    return [array_literal(column) for column in zip(*rows, strict=True)]
