"""What the members of a studio may do. Pure: pages and the API ask the same table (docs/adr/0034-the-portal.md)."""

from enum import StrEnum
from typing import Final


class Act(StrEnum):
    """Something that not every member may do."""

    OWN_STUDIO = "change who owns the studio"
    MANAGE_STUDIO = "change the studio and its members, and put games away"
    READ_AUDIT = "read the audit log"
    MANAGE_KEYS = "make, rotate and revoke API keys and webhooks"
    WRITE_DEFINITIONS = "change games, achievements, stats and leaderboards"
    ERASE_PLAYERS = "erase players"
    CARE_FOR_PLAYERS = "grant, revoke, ban and answer"
    SEE_PLAYERS = "look players up"
    SEE_ANALYTICS = "see what is defined and how games are played"


_ALL: Final = frozenset(Act)
MAY: Final[dict[str, frozenset[Act]]] = {
    "owner": _ALL,
    "admin": _ALL - {Act.OWN_STUDIO},
    "developer": frozenset(
        {Act.MANAGE_KEYS, Act.WRITE_DEFINITIONS, Act.CARE_FOR_PLAYERS, Act.SEE_PLAYERS, Act.SEE_ANALYTICS}
    ),
    "support": frozenset({Act.CARE_FOR_PLAYERS, Act.SEE_PLAYERS, Act.SEE_ANALYTICS}),
    "analyst": frozenset({Act.SEE_ANALYTICS}),
}


def may(role: str, act: Act) -> bool:
    """Say whether a role may do something; an unknown one may nothing."""
    return act in MAY.get(role, frozenset())


def manageable_by(role: str) -> tuple[str, ...]:
    """Return the roles that a member may give and take: only owners make owners, from most to least."""
    if not may(role, Act.MANAGE_STUDIO):
        return ()
    return tuple(one for one in MAY if one != "owner" or may(role, Act.OWN_STUDIO))
