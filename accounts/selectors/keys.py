"""Server keys; whom one stands for is kept in the process for a few seconds."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import ServerKey
from core import clock, deadlines
from core.metrics import caches

# A revoked key stops working everywhere within 5 s.
KEY_SECONDS = 4.0
KEY_REFRESH_SECONDS = 2.0
_KEPT_KEYS = 10_000
MOST_KEYS = 500


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom a server key stands for."""

    key_id: int
    key_uuid: UUID
    studio_id: int
    game_id: int | None
    game_uuid: UUID | None
    scopes: frozenset[str]
    expires_at: datetime | None
    rotated_at: datetime | None = None
    writes_per_s: int | None = None
    reads_per_s: int | None = None

    @property
    def caller(self) -> str:
        """The owner of idempotency keys."""
        return f"studio:{self.studio_id}"

    @property
    def actor(self) -> str:
        """Who did it, in the audit log."""
        return f"key:{self.key_uuid}"

    def has_expired(self, at: datetime) -> bool:
        """Say whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= at


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A server key as its studio sees it."""

    id: int
    uuid: UUID
    name: str
    hint: str
    game_id: int | None
    scopes: tuple[str, ...]
    is_active: bool


_looks = caches.looks("keys")
_keys: dict[bytes, tuple[float, KeyHolder | None]] = {}
_key_loading = threading.Lock()


def keys_of(studio_id: int) -> list[KeyInfo]:
    """Return a studio's keys, the newest first."""
    now = clock.now()
    rows = ServerKey.objects.filter(studio_id=studio_id).order_by("-id")[:MOST_KEYS]
    return [
        KeyInfo(
            row.pk,
            row.uuid,
            row.name,
            row.hint,
            row.game_id,
            tuple(row.scopes),
            row.revoked_at is None and (row.expires_at is None or row.expires_at > now),
        )
        for row in rows
    ]


def key_holder(digest: bytes) -> KeyHolder | None:
    """Return whom the key with this hash stands for, at most KEY_SECONDS old; None if unknown, revoked or expired."""
    holder = issued_key(digest)
    return None if holder is None or holder.has_expired(clock.now()) else holder


def issued_key(digest: bytes) -> KeyHolder | None:
    """Return `key_holder`, and of an expired key whom it stood for."""
    loaded_at, holder = _keys.get(digest, (float("-inf"), None))
    age = time.monotonic() - loaded_at
    # One thread looks again in time while the others go on: at its end all would ask at once.
    if age > KEY_SECONDS or (age > KEY_REFRESH_SECONDS and not _key_loading.locked()):
        _looks.misses += 1
        with deadlines.holding(_key_loading):
            holder = _reload_key(digest)
    else:
        _looks.hits += 1
    return holder


def _reload_key(digest: bytes) -> KeyHolder | None:
    loaded_at, holder = _keys.get(digest, (float("-inf"), None))
    if time.monotonic() - loaded_at > KEY_REFRESH_SECONDS:  # else another thread was quicker
        now = time.monotonic()
        holder = _load_key(digest)
        if len(_keys) >= _KEPT_KEYS:
            _keys.clear()
        _keys[digest] = (now, holder)
    return holder


def _load_key(digest: bytes) -> KeyHolder | None:
    key = ServerKey.objects.select_related("game").filter(hash=digest, revoked_at=None).first()
    if key is None:
        return None
    return KeyHolder(
        key_id=key.pk,
        key_uuid=key.uuid,
        studio_id=key.studio_id,
        game_id=key.game_id,
        game_uuid=key.game.uuid if key.game else None,
        scopes=frozenset(key.scopes),
        expires_at=key.expires_at,
        rotated_at=key.rotated_at,
        writes_per_s=key.writes_per_s,
        reads_per_s=key.reads_per_s,
    )


def forget_keys() -> None:
    """Empty this process's kept keys (after a revocation here, and between tests)."""
    _keys.clear()
