"""What is known of an installation, as plain values."""

from dataclasses import asdict, dataclass, field
from typing import Any

from core.dependencies import Found


@dataclass(frozen=True, slots=True)
class Running:
    """One kind of process.

    Attributes:
        seen: how many have said lately that they live; None where nobody could hear them.
        since: when the youngest of them began, in seconds since 1970.
        sessions: their connections to PostgreSQL; None where it can't be asked.

    """

    process: str
    seen: int | None
    since: float | None
    sessions: int | None


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a follower is behind."""

    follower: str
    facts: int
    seconds: float
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong; `at` in seconds since 1970, `is_over` if it went well since."""

    at: float
    what: str
    error: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """One of the statements that take most of PostgreSQL's time."""

    calls: int
    mean_ms: float
    total_s: float
    sql: str


@dataclass
class Status:
    """Everything; a part that can't be known is None, and `troubles` says what is wrong, in sentences.

    Attributes:
        rates: how much there is of something a second, over the last minute and all processes.
        webhooks: `due`, how many, and `oldest_due_s`.
        backup: `last_success`, in seconds since 1970, and `wal_lag_s`.
        job_succeeded_at: when any scheduled job succeeded last.

    """

    at: float
    dependencies: dict[str, Found]
    processes: list[Running]
    rates: dict[str, float] | None = None
    followers: list[Lag] | None = None
    queues: dict[str, int] | None = None
    webhooks: dict[str, float] | None = None
    backup: dict[str, float] | None = None
    job_succeeded_at: float | None = None
    failures: list[Failure] | None = None
    statements: list[Statement] | None = None
    troubles: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        dependencies = {
            name: {**each.told(), **({"error": each.error} if each.error else {})}
            for name, each in self.dependencies.items()
        }
        return {
            "status": "trouble" if self.troubles else "ok",
            **asdict(self),
            "dependencies": dependencies,
        }
