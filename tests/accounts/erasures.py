"""People who are erased, and looking for what is left of them: in every column, key and file."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import selectors
from accounts.erasure import asking, finishing
from accounts.erasure.asking import ErasureInfo
from accounts.erasure.models import Erasure
from accounts.models import Studio
from core.redis import client
from tests.accounts import joins


def erase(owner: Studio, external_id: str, *, reason: str = "") -> ErasureInfo:
    """Erase whom a studio calls so."""
    info = selectors.player_of_studio(owner.pk, external_id)
    assert info is not None
    made = asking.erase(
        studio_id=owner.pk, player_id=info.id, reason=reason, actor="key:test", at=timezone.now()
    )
    assert made is not None
    return made


def settle(*, looks: int = 4) -> None:
    """Let listeners hear everything, and look as often as it takes until all erasures are done."""
    joins.drain()
    now: datetime = timezone.now()
    for number in range(1, looks + 1):
        finishing.finish_some(now=now + number * timedelta(seconds=30))
        joins.drain()
        if not Erasure.objects.filter(done_at=None).exists():
            return
    raise AssertionError(list(Erasure.objects.values("steps", "error")))


def left_of(names: Iterable[str]) -> list[str]:
    """Return where names are found: columns of tables, keys of Valkey, files of the archive."""
    wanted = sorted(names)
    return [*_in_tables(wanted), *_in_valkey(wanted), *_in_files(wanted)]


def _in_tables(names: list[str]) -> list[str]:
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name IN"
            " (SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition)"
        )
        for table, column, kind in cursor.fetchall():
            text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            for name in names:
                shown = json.dumps(name, ensure_ascii=False)[1:-1]
                cursor.execute(
                    f'SELECT {text} FROM "{table}" WHERE position(%s IN {text}) > 0'
                    f" OR position(%s IN {text}) > 0 LIMIT 1",
                    [name, shown],
                )
                found += [f"{table}.{column}: {name} in {row[0][:200]}" for row in cursor.fetchall()]
    return found


def _in_valkey(names: list[str]) -> list[str]:
    found = []
    for role in ("cache", "boards", "live"):
        server = client(role)
        for key in server.scan_iter(count=1000):
            value = _value(server, key)
            found += [f"{role} {key!r}" for name in names if name.encode() in key + b" " + value]
    return found


def _value(server: Any, key: bytes) -> bytes:
    return server.dump(key) or b"" if server.type(key) != b"string" else server.get(key) or b""


def _in_files(names: list[str]) -> list[str]:
    root = Path(settings.ARCHIVE_URL)
    found = []
    for path in root.rglob("*") if root.is_dir() else ():
        data = path.read_bytes() if path.is_file() else b""
        found += [str(path) for name in names if name.encode() in data]
    return found


def archived_rows_of(player_id: int) -> int:
    """Return how many rows of archived files are of a player."""
    files = Path(settings.ARCHIVE_URL).rglob("*.parquet")
    return sum(pq.read_table(path).column("player_id").to_pylist().count(player_id) for path in files)
