"""Traces: what became of a request, over all processes, told to a collector (docs/adr/0070-traces.md).

Off, which it is without OTEL_EXPORTER_OTLP_ENDPOINT, `recorder` is None, we import nothing of OpenTelemetry, and a
place that would tell something looks at that one name. On, a context is there for sampled work only: whatever is not
sampled costs a look at a context variable more.
"""

import threading
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from itertools import pairwise
from multiprocessing import util
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import psycopg
from django.conf import settings

if TYPE_CHECKING:
    from core.tracing.recording import Recorder, Span

Told = Mapping[str, str | int]
NOTHING: Told = MappingProxyType({})
OF_ONE_BATCH: Final = 16  # what follows from more of them is done, and recorded by nobody
ENDS_WITHIN_S: Final = 2.0
# The log's column `trace` has it for its default (migration 0016): no statement that appends a fact knows of traces.
_MARK: Final = "SELECT set_config('laurel.trace', $1, true)"
_APPENDS: Final = "INSERT INTO core_fact"
_AT_EXIT: Final = 10  # before multiprocessing's own

recorder: "Recorder | None" = None
_here: "ContextVar[Span | None]" = ContextVar("laurel_trace", default=None)


def begin() -> None:
    """Tell of this process from now on, if there is a collector; called once it will fork no more."""
    global recorder  # noqa: PLW0603 - what everybody looks at
    if not settings.TRACES_ENDPOINT or recorder is not None:
        return
    from core.tracing.recording import Recorder  # noqa: PLC0415 - a third of a second, for those who trace

    recorder = Recorder(ratio=settings.TRACES_RATIO, hears_keys=settings.TRACES_OF_KEYS)
    # Where atexit is not called, since it is a child of multiprocessing (granian's), this is.
    util.Finalize(None, end, exitpriority=_AT_EXIT)


def end() -> None:
    """Send what waits, for two seconds at most: a collector that hangs holds up nobody's end."""
    global recorder
    ended, recorder = recorder, None
    if ended is not None:
        thread = threading.Thread(target=ended.close, name="traces-end", daemon=True)
        thread.start()
        thread.join(ENDS_WITHIN_S)


def here() -> "Span | None":
    """Return the span that this thread or task works in; None where that is not sampled."""
    return _here.get()


@contextmanager
def within(span: "Span | None") -> Iterator[None]:
    """Let what is done meanwhile belong to a span, or to none."""
    token = _here.set(span)
    try:
        yield
    finally:
        _here.reset(token)


def begin_here(span: "Span | None") -> None:
    """Let what this thread does from now on belong to a span, or to none."""
    _here.set(span)


@contextmanager
def doing(name: str, parents: "Sequence[Span | str]", told: Told = NOTHING) -> Iterator[None]:
    """Record something that is done for several traces at once (`traceparent`s, or spans of this process).

    What is done meanwhile belongs to the first one's; each of the others gets a span of the same time, linked to it.
    """
    assert recorder is not None
    first, *others = recorder.start_all(name, parents, told)
    error: BaseException | None = None
    try:
        with within(first):
            yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        for span in (first, *others):
            span.end(error)


def following(follower: str, traces: Sequence[str]) -> AbstractContextManager[None]:
    """Record that a follower applies facts, whose traces these are."""
    if recorder is None or not traces:
        return nullcontext()
    return doing(f"follow {follower}", traces, {"laurel.facts": len(traces)})


def onward(trace: str) -> str:
    """Return the `traceparent` for what follows from a fact: the span that applies it, if it is of the fact's trace."""
    span = _here.get()
    return span.traceparent if trace and span is not None and span.trace_id in trace else trace


@contextmanager
def statement(sql: str, connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Record a statement of a sampled request, and let the facts that it appends know their trace."""
    span = _here.get()
    assert recorder is not None
    assert span is not None
    with doing("postgresql", [span], {"db.system.name": "postgresql", "db.query.summary": _summary(sql)}):
        if _APPENDS not in sql:
            yield
            return
        # One statement, one commit, was it; for its transaction to have a trace, it needs one around it.
        with connection.transaction() if connection.autocommit else nullcontext():
            mark(connection, span)
            yield


def mark(connection: "psycopg.Connection[Any]", span: "Span") -> None:
    """Let the facts of the running transaction know their trace."""
    psycopg.RawCursor(connection).execute(_MARK, [span.traceparent])


def name_it(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let a log line say of which trace it is."""
    span = _here.get()
    if span is not None:
        line["trace_id"] = span.trace_id
    return line


@lru_cache(maxsize=512)
def _summary(sql: str) -> str:
    """Return which tables a statement speaks of; it holds no values, but is long."""
    words = sql.replace("(", " ").split()
    said = [f"{a} {b}" for a, b in pairwise(words) if a in _VERBS and b[0].islower()]
    return ", ".join(dict.fromkeys(said))[:200]


_VERBS: Final = frozenset({"FROM", "INTO", "JOIN", "UPDATE"})
