"""Every Valkey key that history owns. The keys of one player share a hash tag: one node of a cluster holds them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from history.selectors.showing import Audience


def dashboard(player_id: int, audience: "Audience") -> str:
    """Return the key of a dashboard as an audience sees it.

    Type: string, as history/dashboards.py packs it. TTL: KEPT_S. Rebuilt: as it is asked for, and by
    `history.build_dashboards` after a change.
    """
    return f"history:v1:{{player:{player_id}}}:dashboard:{_name(audience)}"


def changed(player_id: int) -> str:
    """Return the key of what a player's dashboards were changed by last; it is there while one of them is kept.

    Type: string, any text; a dashboard that was built at another text is stale. TTL: longer than the dashboards'.
    """
    return f"history:v1:{{player:{player_id}}}:changed"


def looked(player_id: int) -> str:
    """Return the key that is there while a player's dashboards are looked at now and then.

    Type: string. TTL: LOOKED_S. Rebuilt: with the next look.
    """
    return f"history:v1:{{player:{player_id}}}:looked"


def building(player_id: int, audience: "Audience") -> str:
    """Return the key of whoever builds a dashboard that is not there, so that others wait for it.

    Type: string. TTL: BUILDS_WITHIN_S.
    """
    return f"history:v1:{{player:{player_id}}}:building:{_name(audience)}"


def wanted() -> str:
    """Return the key of the dashboards that were served stale and are to be built.

    Type: sorted set. Member: `player:studio:game`, 0 for None. Score: since when, in seconds. TTL: none.
    """
    return "history:v1:wanted"


def outdated() -> str:
    """Return the key of the players whose dashboards are looked at, and that a change has made stale.

    Type: sorted set. Member: the player's internal id. Score: when it is to be built, in seconds. TTL: none.
    """
    return "history:v1:outdated"


def cold() -> str:
    """Return the key of the players who are active and of whom no dashboard is kept.

    Type: sorted set. Member: the player's internal id. Score: since when, in seconds. TTL: none.
    """
    return "history:v1:cold"


def _name(audience: "Audience") -> str:
    return f"{audience.studio_id or 0}:{audience.game_id or 0}"
