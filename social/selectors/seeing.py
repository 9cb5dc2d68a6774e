"""Who may see whom: the one place that answers it, for every operation (docs/adr/0028-who-sees-whom.md)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from accounts.people import FRIENDS, PUBLIC, Part, people, visibility
from accounts.selectors import PlayerInfo
from core.db import array_literal, run_prepared
from social import selectors


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a player, in a game of the studio; or (`player_id` None) the studio itself.

    Attributes:
        studio_id: whose ids and bans count; None where a player asks of all studios' games, for his dashboard.
        game_id: the only game that is shown; None: to a studio all of its own, to a player all.

    """

    studio_id: int | None
    player_id: int | None = None
    game_id: int | None = None

    @property
    def is_studio(self) -> bool:
        """Whether a studio asks: it sees its own ids, and what its games hide from players."""
        return self.player_id is None

    @property
    def only_studio_id(self) -> int | None:
        """The only studio whose games are shown; None for all."""
        return self.studio_id if self.is_studio else None


_BETWEEN = """
SELECT EXISTS (SELECT FROM social_friendship WHERE player_id = $1 AND friend_id = $2),
       EXISTS (SELECT FROM social_block WHERE (player_id, blocked_id) IN (($1, $2), ($2, $1)))
"""


def sees(info: PlayerInfo, *, by: int | None, part: Part = Part.PROFILE) -> bool:
    """Say whether (a part of) a player may be seen by another, or (None) by the studio whose id for him `info` holds.

    A page for anybody asks as a studio that has no id for him. A studio sees its own players, and of others those who
    are public. A player sees himself and, unless one of both blocks the other, who is public, and friends who are seen
    by friends. One query at most.
    """
    if info.erased:
        return False
    if by is None:
        return info.external_id is not None or visibility(info, part) == PUBLIC
    if info.id == by:
        return True
    seen_by = visibility(info, part)
    if seen_by not in (PUBLIC, FRIENDS):
        return False
    is_friend, is_blocked = run_prepared(_BETWEEN, [by, info.id])[0]
    return not is_blocked and (is_friend or seen_by == PUBLIC)


def parts_seen(info: PlayerInfo, *, by: int | None) -> frozenset[Part]:
    """Return which parts of a player another one may see, or (None) anybody; none of who hides. One query at most."""
    if info.erased:
        return frozenset()
    if info.id == by:
        return frozenset(Part)
    is_friend = False
    if by is not None:
        is_friend, is_blocked = run_prepared(_BETWEEN, [by, info.id])[0]
        if is_blocked:
            return frozenset()
    return parts_for(info, friend=is_friend)


def parts_for(info: PlayerInfo, *, friend: bool) -> frozenset[Part]:
    """Return which parts of himself a player shows anybody, or a friend."""
    audience = (PUBLIC, FRIENDS) if friend else (PUBLIC,)
    return frozenset(part for part in Part if visibility(info, part) in audience)


def friends_seen(
    friend_ids: Iterable[int], *, of: int, asker: Asker, part: Part = Part.PROFILE
) -> dict[int, PlayerInfo]:
    """Return a player himself and those friends of whom the asker may see (a part) and whom his studio has not banned.

    In one query. Friends block each other never: a block ends the friendship.
    """
    return {
        info.id: info
        for info in people([of, *friend_ids], studio_id=asker.studio_id).values()
        if info.id == of or (not info.banned and _sees_friend(info, part, by_studio=asker.is_studio))
    }


def friends_listed(player_id: int, *, asker: Asker) -> dict[int, PlayerInfo]:
    """Return those friends whom a list of them names to an asker, but for whom his studio has banned; in two queries.

    To the player himself everybody, who hides only by name; to a studio whom it may see.
    """
    infos = people(selectors.friend_ids(player_id), studio_id=asker.studio_id)
    return {
        info.id: info
        for info in infos.values()
        if not info.banned and (sees(info, by=None) if asker.is_studio else not info.erased)
    }


def attending(infos: Iterable[PlayerInfo], *, asker: Asker) -> list[int]:
    """Return those friends of a list of whom an asker may hear whether they are there; who hides it is told as away."""
    return [info.id for info in infos if not asker.is_studio or sees(info, by=None, part=Part.PRESENCE)]


def named(player_ids: Iterable[int], *, asker: Asker) -> set[int]:
    """Return whom a list names to an asker who is no friend of theirs: who is public, to a studio its own players, too.

    In one query. Of the others a list has the id, by which they are let go.
    """
    infos = people(player_ids, studio_id=asker.only_studio_id)
    return {info.id for info in infos.values() if sees(info, by=None)}


def _sees_friend(info: PlayerInfo, part: Part, *, by_studio: bool) -> bool:
    if by_studio:
        return sees(info, by=None, part=part)
    return not info.erased and visibility(info, part) in (PUBLIC, FRIENDS)


_BLOCKED = """
SELECT CASE WHEN player_id = $1 THEN blocked_id ELSE player_id END FROM social_block
 WHERE (player_id = $1 AND blocked_id = ANY($2::bigint[])) OR (blocked_id = $1 AND player_id = ANY($2::bigint[]))
"""
_BEFRIENDED = "SELECT friend_id FROM social_friendship WHERE player_id = $1 AND friend_id = ANY($2::bigint[])"


def seen(infos: Collection[PlayerInfo], *, by: int | None, part: Part = Part.PROFILE) -> set[int]:
    """Return which of some players another one may see, or (None) anybody: `sees` of many, in two queries at most."""
    public = {info.id for info in infos if not info.erased and visibility(info, part) == PUBLIC}
    if by is None:
        return public
    ids = array_literal(info.id for info in infos)
    blocked = {row[0] for row in run_prepared(_BLOCKED, [by, ids])}
    befriended = {row[0] for row in run_prepared(_BEFRIENDED, [by, ids])}
    friends = {
        info.id
        for info in infos
        if not info.erased
        and (info.id == by or (visibility(info, part) == FRIENDS and info.id in befriended))
    }
    return (public - blocked) | (friends - blocked)


def friends_of(player_id: int) -> dict[int, PlayerInfo]:
    """Return a player's friends whom he may see, by internal id, in two queries (PLAYER_FRIENDS)."""
    found = friends_seen(
        selectors.friend_ids(player_id), of=player_id, asker=Asker(studio_id=None, player_id=player_id)
    )
    found.pop(player_id, None)
    return found
