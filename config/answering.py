"""How the processes that answer somebody who waits meet PostgreSQL: few connections, in a pool, and short patience."""

import os


def answers_soon(kind: str, *, connections: int) -> dict[str, str]:
    """Return what a process of this kind adds to its environment before it reads settings; what is named there stays.

    `connections` is the size of its pool, and `WEB_DATABASE_POOL_SIZE` or `LIVE_DATABASE_POOL_SIZE` another one
    (docs/operations/postgresql.md).
    """
    named = os.environ
    size = named.get(f"{kind.upper()}_DATABASE_POOL_SIZE") or str(connections)
    # Where PgBouncer stands before PostgreSQL, the short time-outs are those of another database of PgBouncer's.
    url = named.get("DATABASE_ANSWERING_URL")
    return {
        "DATABASE_POOL_SIZE": named.get("DATABASE_POOL_SIZE", size),
        "DATABASE_STATEMENT_TIMEOUT_MS": named.get("DATABASE_STATEMENT_TIMEOUT_MS", "2000"),
        "DATABASE_IDLE_TIMEOUT_MS": named.get("DATABASE_IDLE_TIMEOUT_MS", "10000"),
        "LAUREL_PROCESS": named.get("LAUREL_PROCESS", f"laurel-{kind}"),
        **({"DATABASE_URL": url} if url else {}),
    }
