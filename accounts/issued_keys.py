"""A studio's server keys, as its members see them: never the key, nor its hash."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from accounts.keys import SCOPES
from accounts.models import ServerKey

MOST_LIVE = 200  # there are fewer: keyring.MOST_KEYS, what rotations add, and those of operators
MOST_ENDED = 50
LIVE, ENDING, EXPIRED, REVOKED = "live", "ending", "expired", "revoked"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key.

    Attributes:
        game_title: of the one game that it is for; None: all of the studio's.
        created_by: the e-mail address of who issued it; empty: an operator, or somebody who is gone.
        state: `live`; `ending`, once rotated; `expired`; `revoked`.
        writes_per_s: what it may do in a second; None: as much as the instance allows.

    """

    uuid: UUID
    name: str
    hint: str
    game_title: str | None
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated_at: datetime | None
    replaced_by: str
    state: str
    writes_per_s: int | None
    reads_per_s: int | None

    @property
    def works(self) -> bool:
        """Say whether requests with it are answered."""
        return self.state in (LIVE, ENDING)

    @property
    def may_be_rotated(self) -> bool:
        """Say whether it has no follower yet, and may get one."""
        return self.state == LIVE

    @property
    def shown(self) -> str:
        """The key as it may be shown."""
        return f"lrl_sk_…{self.hint}"


def live(studio_id: int, *, at: datetime) -> list[IssuedKey]:
    """Return the keys that work, newest first."""
    return _read(_works(at), studio_id, at=at, most=MOST_LIVE)


def ended(studio_id: int, *, at: datetime) -> list[IssuedKey]:
    """Return the newest of those that work no more."""
    return _read(~_works(at), studio_id, at=at, most=MOST_ENDED)


def key(studio_id: int, uuid: UUID, *, at: datetime) -> IssuedKey | None:
    """Return one of a studio's keys."""
    return next(iter(_read(Q(uuid=uuid), studio_id, at=at, most=1)), None)


def ending(studio_id: int, *, at: datetime, before: datetime) -> list[tuple[str, datetime]]:
    """Return name and end of the keys that work and end before a time, the next one first."""
    rows = ServerKey.objects.filter(
        studio_id=studio_id, revoked_at=None, expires_at__gt=at, expires_at__lte=before
    )
    found = rows.order_by("expires_at", "id").values_list("name", "expires_at")[:MOST_LIVE]
    return [(name, expires_at) for name, expires_at in found if expires_at is not None]


def working_for(game_id: int, *, at: datetime) -> int:
    """Return how many keys work for one game only."""
    return ServerKey.objects.filter(_works(at), game_id=game_id).count()


def _works(at: datetime) -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))


def _read(which: Q, studio_id: int, *, at: datetime, most: int) -> list[IssuedKey]:
    rows: Iterable[ServerKey] = (
        ServerKey.objects.filter(which, studio_id=studio_id)
        .select_related("game", "created_by", "replaced_by")
        .order_by("-id")[:most]
    )
    return [_issued(row, at=at) for row in rows]


def _issued(row: ServerKey, *, at: datetime) -> IssuedKey:
    return IssuedKey(
        uuid=row.uuid,
        name=row.name,
        hint=row.hint,
        game_title=row.game.title if row.game else None,
        scopes=tuple(scope for scope in SCOPES if scope in row.scopes),
        created_at=row.created_at,
        created_by=row.created_by.email if row.created_by else "",
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        rotated_at=row.rotated_at,
        replaced_by=row.replaced_by.hint if row.replaced_by else "",
        state=_state(row, at=at),
        writes_per_s=row.writes_per_s,
        reads_per_s=row.reads_per_s,
    )


def _state(row: ServerKey, *, at: datetime) -> str:
    if row.revoked_at is not None:
        return REVOKED
    if row.expires_at is not None and row.expires_at <= at:
        return EXPIRED
    return LIVE if row.rotated_at is None else ENDING
