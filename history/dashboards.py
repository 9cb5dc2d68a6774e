"""Dashboards as Valkey keeps them: finished answers, each with what it was built at. Losing them costs time only."""

import random
import struct
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from core import clock
from core.redis import WORKER_TIMEOUT_S, client
from history import keys
from history.selectors.showing import Audience

KEPT_S: Final = 86_400  # who comes once a day meets an old one, and has the new one a moment later
FRESH_S: Final = (300, 900)  # by chance between them: what was built together does not age together
UNSETTLED_S: Final = 15
BUILDS_WITHIN_S: Final = 5
LOOKED_S: Final = 900
_MOST_WAITING: Final = 200_000
_HEAD = struct.Struct(">dH")  # until when it is fresh; how long the text is that it was built at


@dataclass(frozen=True, slots=True)
class Kept:
    """A dashboard that is kept: the answer's bytes, and whether nothing has changed since."""

    body: bytes
    is_fresh: bool


def read(player_id: int, audience: Audience) -> Kept | None:
    """Return what is kept, and note that somebody looks. Raises redis.RedisError."""
    pipeline = _valkey().pipeline(transaction=False)
    pipeline.mget(keys.dashboard(player_id, audience), keys.changed(player_id))
    pipeline.set(keys.looked(player_id), b"1", ex=LOOKED_S)
    (value, changed), _ = pipeline.execute()
    if value is None:
        return None
    fresh_until, length = _HEAD.unpack_from(value)
    built_at = value[_HEAD.size : _HEAD.size + length]
    is_fresh = changed == built_at and clock.now().timestamp() < fresh_until
    return Kept(zlib.decompress(value[_HEAD.size + length :]), is_fresh)


def begin(player_id: int) -> bytes:
    """Return what a dashboard that is built from now on is built at. Raises redis.RedisError."""
    mark = uuid4().hex.encode()
    pipeline = _valkey().pipeline(transaction=False)
    pipeline.set(keys.changed(player_id), mark, nx=True, get=True)
    pipeline.expire(keys.changed(player_id), KEPT_S + 3600)
    known: bytes | None = pipeline.execute()[0]
    return mark if known is None else known


def keep(player_id: int, audience: Audience, body: bytes, *, built_at: bytes, is_settled: bool) -> None:
    """Keep a dashboard. Raises redis.RedisError."""
    fresh_s = random.uniform(*FRESH_S) if is_settled else UNSETTLED_S  # noqa: S311 - no secret
    head = _HEAD.pack(clock.now().timestamp() + fresh_s, len(built_at))
    _valkey().set(keys.dashboard(player_id, audience), head + built_at + zlib.compress(body, 1), ex=KEPT_S)


def claim(player_id: int, audience: Audience) -> bool:
    """Say whether we are to build what is not there; else somebody does already. Raises redis.RedisError."""
    return bool(_valkey().set(keys.building(player_id, audience), b"1", nx=True, ex=BUILDS_WITHIN_S))


def release(player_id: int, audience: Audience) -> None:
    """Let others build. Raises redis.RedisError."""
    _valkey().delete(keys.building(player_id, audience))


def want(player_id: int, audience: Audience) -> None:
    """Ask for a dashboard to be built by a worker. Raises redis.RedisError."""
    member = f"{player_id}:{audience.studio_id or 0}:{audience.game_id or 0}"
    _valkey().zadd(keys.wanted(), {member: clock.now().timestamp()}, nx=True)


def mark(changed: Collection[int], active: Collection[int], *, by: str, due_in_s: float) -> None:
    """Note whose dashboards a change has made stale, and who is active and has none. Raises redis.RedisError.

    What is kept and was looked at lately is built again `due_in_s` from now: whatever else follows the change needs
    its moment. What nobody looks at is built when somebody does.
    """
    both, valkey = list({*changed, *active}), client("cache", timeout_s=WORKER_TIMEOUT_S)
    # Few are kept. Whoever begins to build one after this question finds what the change has written.
    marks = valkey.mget([keys.changed(player_id) for player_id in both])
    kept = {player_id for player_id, mark in zip(both, marks, strict=True) if mark is not None}
    outdated = _outdate([player_id for player_id in changed if player_id in kept], by=by)
    now = clock.now().timestamp()
    pipeline = valkey.pipeline(transaction=False)
    _line_up(pipeline, keys.outdated(), outdated, at=now + due_in_s)
    _line_up(pipeline, keys.cold(), [one for one in active if one not in kept], at=now)
    pipeline.execute()


def _outdate(player_ids: Sequence[int], *, by: str) -> list[int]:
    """Make stale what is kept of players; return those of whom somebody looked at it lately."""
    if not player_ids:
        return []
    pipeline = client("cache", timeout_s=WORKER_TIMEOUT_S).pipeline(transaction=False)
    for player_id in player_ids:
        pipeline.set(keys.changed(player_id), by, xx=True, keepttl=True)
    pipeline.mget([keys.looked(player_id) for player_id in player_ids])
    *_, looked = pipeline.execute()
    return [player_id for player_id, at in zip(player_ids, looked, strict=True) if at is not None]


def _line_up(pipeline: Any, key: str, player_ids: Sequence[int], *, at: float) -> None:
    if player_ids:
        pipeline.zadd(key, dict.fromkeys(player_ids, at), nx=True)
        pipeline.zremrangebyrank(key, _MOST_WAITING, -1)


def next_wanted() -> tuple[int, Audience] | None:
    """Take the dashboard that somebody has waited for longest. Raises redis.RedisError."""
    found = _valkey().zpopmin(keys.wanted())
    if not found:
        return None
    player_id, studio_id, game_id = (int(part) for part in found[0][0].split(b":"))
    return player_id, Audience(studio_id or None, game_id or None)


def next_outdated() -> int | None:
    """Take a player whose dashboards are to be built anew by now. Raises redis.RedisError."""
    found = _valkey().zrange(keys.outdated(), "-inf", clock.now().timestamp(), byscore=True, offset=0, num=1)
    if not found or not _valkey().zrem(keys.outdated(), found[0]):
        return None
    return int(found[0])


def next_cold() -> int | None:
    """Take an active player of whom no dashboard is kept. Raises redis.RedisError."""
    found = _valkey().zpopmin(keys.cold())
    return int(found[0][0]) if found else None


def which_are_kept(player_id: int, audiences: Sequence[Audience]) -> list[Audience]:
    """Return those audiences for whom a player's dashboard is kept. Raises redis.RedisError."""
    pipeline = _valkey().pipeline(transaction=False)
    for audience in audiences:
        pipeline.exists(keys.dashboard(player_id, audience))
    return [audience for audience, there in zip(audiences, pipeline.execute(), strict=True) if there]


def forget(player_id: int, audiences: Sequence[Audience]) -> int:
    """Let nothing be kept of a player for audiences; return how many dashboards that were. Raises redis.RedisError."""
    pipeline = _valkey().pipeline(transaction=False)
    for audience in audiences:
        pipeline.delete(keys.dashboard(player_id, audience))
    gone: list[int] = pipeline.execute()
    return sum(gone)


def leave_lists(player_id: int) -> None:
    """Take a player off the lists of whom to build for, and forget that he was looked at. Raises redis.RedisError."""
    pipeline = _valkey().pipeline(transaction=False)
    for listed in (keys.outdated(), keys.cold()):
        pipeline.zrem(listed, player_id)
    pipeline.delete(keys.changed(player_id), keys.looked(player_id))
    pipeline.execute()


def _valkey() -> Any:
    """Return the client for requests; redis-py's types know answers in text only, and these are bytes."""
    return client("cache")
