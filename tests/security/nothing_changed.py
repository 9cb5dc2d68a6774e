"""That nothing changed: no row, no key of Valkey, no mail. What only says that somebody came may differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis
from django.conf import settings
from django.core import mail
from django.db import connection

# What is written of a call that is refused, too: the audit log, the request log, how often a code was wrong, and how
# far listeners have read.
_OF_CALLERS: Final = frozenset(
    {
        "accounts_accountlinkfailure",
        "accounts_call",
        "accounts_callcount",
        "accounts_linkfailure",
        "core_auditentry",
        "core_audithead",
        "core_follower",
    }
)
# What counts how often somebody did something, and holds nothing else; and which processes say that they live.
_LIMITS: Final = (b"core:v1:bucket:", b"cache:1:allauth:rl:", b"core:v1:process")
_TABLES: Final = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
# A key that is refused for what it may not do was used all the same, and a browser's session tells where it was last.
_ROW: Final = {"accounts_serverkey": "to_jsonb(t) - 'last_used_at'", "django_session": "t.session_key"}
_EACH: Final = (
    "SELECT '{table}', count(*), coalesce(sum(hashtextextended(({row})::text, 0)), 0) FROM public.{table} t"
)

State = dict[str, object]


def state() -> State:
    """Return all that is kept anywhere, as a number of rows and a checksum for each table, and a value for each key."""
    return {**_tables(), **_keys(), "mail": len(getattr(mail, "outbox", ()))}


@contextmanager
def nothing_changed(*what: object) -> Iterator[None]:
    """Fail if anything is other than before at the block's end; `what` is said then."""
    before = state()
    yield
    changed = differences(before, state())
    assert not changed, (*what, changed)


def differences(before: State, after: State) -> dict[str, tuple[object, object]]:
    """Return what differs, with both values."""
    names = before.keys() | after.keys()
    pairs = {name: (before.get(name), after.get(name)) for name in sorted(names)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _tables() -> State:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        names = [name for (name,) in cursor.fetchall() if name not in _OF_CALLERS]
        each = (_EACH.format(table=name, row=_ROW.get(name, "t.*")) for name in names)
        cursor.execute(" UNION ALL ".join(each))
        return {f"table {name}": (count, checksum) for name, count, checksum in cursor.fetchall()}


def _keys() -> State:
    found: State = {}
    for url in set(settings.VALKEY_URLS.values()):
        with redis.Redis.from_url(url) as client:
            there: Any = client.scan_iter(count=1000)
            names = [name for name in there if not name.startswith(_LIMITS)]
            found |= {f"key {name!r} of {url}": client.dump(name) for name in names}
    return found
