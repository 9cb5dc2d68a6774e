"""Players as boards show them, finished as JSON: from Valkey, else from PostgreSQL.

A page of a board shows a hundred of them, and to look them up would cost it more than all the rest. What is kept may be
lost at any time. Whoever changes a player calls `forget` after the commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts import selectors
from accounts.models import PlayerIdentity
from core.metrics import caches
from core.redis import breaker, client
from core.rendering import dumps

KEPT_S = 300  # the longest that a change may be unseen, should Valkey be away just then
_CHANGED_S = 10  # longer than a request may take that read the player before the change
_CHANGED = b""
_MOST_KEPT = 200  # players of a page; longer ones are walks through a board, and nobody reads the same again
# No studios' ids: whose lists show no `external_id`.
_looks = caches.looks("players")
_EVERYBODY = 0
_FRIENDS = -1
_KEEP = "for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1], 'NX') end"


def as_json(
    ids: Iterable[int], *, studio_id: int | None = None, by_friends: bool = False
) -> dict[int, bytes]:
    """Return players by internal id as `selectors.players_on_boards` does, each as a JSON object."""
    wanted = list(ids)
    reader = studio_id or (_FRIENDS if by_friends else _EVERYBODY)
    found = _kept(wanted, reader)
    missing = [player_id for player_id in wanted if player_id not in found]
    if missing:
        fresh = selectors.players_on_boards(missing, studio_id=studio_id, by_friends=by_friends)
        texts = {player_id: dumps(player) for player_id, player in fresh.items()}
        if len(wanted) <= _MOST_KEPT:
            _keep({pk: texts[pk] for pk in fresh if _is_of(studio_id, fresh[pk])}, reader)
        found.update(texts)
    return found


def forget(player_id: int, of_studios: Iterable[int] = ()) -> None:
    """Let a player be looked up anew, once a change of him is committed; also by studios whose ids name another now.

    For a moment nothing is kept of him: somebody may have read him before, and be about to keep that.
    """
    studios = PlayerIdentity.objects.filter(player_id=player_id).values_list("studio_id", flat=True)
    pipeline = client("cache").pipeline(transaction=False)
    for studio in {_EVERYBODY, _FRIENDS, *studios, *of_studios}:
        pipeline.set(_key(studio, player_id), _CHANGED, ex=_CHANGED_S)
    breaker("cache").call(pipeline.execute, otherwise=list)


def _kept(ids: Sequence[int], studio: int) -> dict[int, bytes]:
    if not ids:
        return {}
    names = [_key(studio, player_id) for player_id in ids]
    valkey: Any = client("cache")  # its types name the asynchronous answers, too
    texts: list[bytes | None] = breaker("cache").call(lambda: valkey.mget(names), otherwise=list)
    found = {player_id: text for player_id, text in zip(ids, texts, strict=False) if text}
    _looks.note_all(wanted=len(ids), found=len(found), answered=bool(texts))
    return found


def _keep(texts: Mapping[int, bytes], studio: int) -> None:
    """Keep players of whom nothing is kept, in one command: a pipeline of a hundred costs as much as the page."""
    if texts:
        names = [_key(studio, player_id) for player_id in texts]
        breaker("cache").call(
            lambda: client("cache").eval(_KEEP, len(names), *names, KEPT_S, *texts.values()),
            otherwise=lambda: None,
        )


def _is_of(studio_id: int | None, player: Mapping[str, str | None]) -> bool:
    """Say whether a list's player may be kept for it: `forget` knows everybody's and the player's own studios' only."""
    return studio_id is None or "external_id" in player


def _key(studio: int, player_id: int) -> str:
    """Return the key of a player as lists show him.

    Type: string, JSON; empty for a moment after a change. TTL: KEPT_S. Rebuilt: as he is asked for.
    """
    return f"accounts:v1:shown:{studio}:{player_id}"
