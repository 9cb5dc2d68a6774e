"""What is recorded for the collector, by OpenTelemetry's SDK; imported only where there is a collector.

Sampling is ours: the SDK sees what is sampled, and nothing else. Spans wait in a queue that is bounded and are sent by
a thread of their own, so that a collector which hangs costs spans, and never time.
"""

import os
import random
import re
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
)
from opentelemetry.trace.propagation import set_span_in_context

from core import VERSION, tracing
from core.metrics import PROCESS
from core.tracing import NOTHING, Told

log = structlog.get_logger(__name__)

SENT_EVERY_MS: Final = 1000
WAITING_AT_MOST: Final = 4096  # spans
ANSWERS_WITHIN_S: Final = 3.0
SAID_EVERY_S: Final = 60.0
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
# W3C Trace Context, level 2; of later versions what we know stands first.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?", re.ASCII
)
_SERVER_ERRORS: Final = 500


class Span:
    """A span under way; `trace_id` and `traceparent` as they are written."""

    __slots__ = ("_span", "trace_id", "traceparent")

    def __init__(self, span: Any) -> None:
        """Take one of the SDK's."""
        context = span.get_span_context()
        self._span = span
        self.trace_id = f"{context.trace_id:032x}"
        self.traceparent = f"00-{self.trace_id}-{context.span_id:016x}-01"

    @property
    def context(self) -> SpanContext:
        """Return who it is."""
        context: SpanContext = self._span.get_span_context()
        return context

    def tell(self, told: Told, *, name: str = "") -> None:
        """Say more of it."""
        if name:
            self._span.update_name(name)
        self._span.set_attributes(dict(told))

    def end(self, error: BaseException | str | None = None) -> None:
        """End it; of an error its kind is told, and not what it says: PostgreSQL quotes rows."""
        if error is not None:
            self._span.set_attribute("error.type", error if isinstance(error, str) else type(error).__name__)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class Asked:
    """A request under way, sampled or not: who has a server key may still want it to be."""

    __slots__ = ("began_ns", "route", "span")

    def __init__(self, span: Span | None) -> None:
        """Begin now."""
        self.began_ns = time.time_ns()
        self.span = span
        self.route = ""

    def end(self, method: str, kind: str, status: int) -> None:
        """End it, if it is sampled."""
        tracing.begin_here(None)
        if self.span is not None:
            told: dict[str, str | int] = {
                "http.request.method": method,
                "http.response.status_code": status,
                "laurel.class": kind,
            }
            if self.route:
                told["http.route"] = self.route
            self.span.tell(told, name=f"{method} {self.route or kind}")
            self.span.end(str(status) if status >= _SERVER_ERRORS else None)


class Recorder:
    """Everything that this process tells."""

    def __init__(self, *, ratio: float, hears_keys: int, exporter: SpanExporter | None = None) -> None:
        """Begin; a request is sampled by chance, or because a server key says so, which it may so often a second."""
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": PROCESS}
        resource = Resource.create({"service.namespace": "laurel", "service.version": VERSION, **named})
        exporter = exporter or OTLPSpanExporter(timeout=ANSWERS_WITHIN_S)
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                _Noticed(exporter), max_queue_size=WAITING_AT_MOST, schedule_delay_millis=SENT_EVERY_MS
            )
        )
        self._tracer = self._provider.get_tracer("laurel", VERSION)
        self._ratio = ratio
        self._hears_keys = hears_keys
        self._asked = threading.local()
        self._heard = 0
        self._heard_in = 0

    def close(self) -> None:
        """Send what waits, and end."""
        self._provider.shutdown()

    def begin_request(self) -> Asked:
        """Begin a request of this thread, sampled by chance."""
        span = self._start("request", kind=SpanKind.SERVER) if self.is_chosen() else None
        asked = self._asked.one = Asked(span)
        tracing.begin_here(span)
        return asked

    def is_chosen(self) -> bool:
        """Say of something that nothing led to whether it is sampled."""
        return random.random() < self._ratio  # noqa: S311 - no secret

    def hear_key(self, traceparent: str | None) -> None:
        """Take up the trace that a server key's request is part of; its sampling is the key's, within bounds."""
        asked: Asked | None = getattr(self._asked, "one", None)
        if traceparent is None or asked is None or not self._hears_keys:
            return
        found = _read(traceparent)
        if found is None:
            return
        wanted = int(found[3], 16) & TraceFlags.SAMPLED
        asked.span = None
        if wanted and self._has_room():
            asked.span = self._start("request", traceparent, kind=SpanKind.SERVER, at=asked.began_ns)
        tracing.begin_here(asked.span)

    def tell_route(self, route: str) -> None:
        """Say by which route this thread's request was answered: it names no one."""
        asked: Asked | None = getattr(self._asked, "one", None)
        if asked is not None:
            asked.route = route

    def start(self, name: str, parent: "str | Span" = "", told: Told = NOTHING) -> Span:
        """Start a span, of a trace of its own if it has no parent."""
        return self._start(name, parent, told=told)

    def start_sending(self, name: str, parent: str, told: Told = NOTHING) -> Span:
        """Start a span for something that another server is sent."""
        return self._start(name, parent, kind=SpanKind.CLIENT, told=told)

    def start_all(self, name: str, parents: Sequence["str | Span"], told: Told) -> list[Span]:
        """Start a span in each of some traces; the first and the others are linked to each other."""
        by_trace: dict[int, str | Span] = {}
        for parent in parents:
            by_trace.setdefault(_context(parent).trace_id, parent)
        leads, *others = list(by_trace.values())[: tracing.OF_ONE_BATCH]
        now = time.time_ns()
        first = self._start(name, leads, at=now, told=told, links=[_context(one) for one in others])
        rest = [self._start(name, one, at=now, told=told, links=[first.context]) for one in others]
        return [first, *rest]

    def _start(
        self,
        name: str,
        parent: "str | Span" = "",
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        at: int | None = None,
        told: Told = NOTHING,
        links: Sequence[SpanContext] = (),
    ) -> Span:
        context = set_span_in_context(NonRecordingSpan(_context(parent))) if parent else None
        linked = [Link(one) for one in links]
        return Span(
            self._tracer.start_span(
                name, context, kind=kind, attributes=dict(told), links=linked, start_time=at
            )
        )

    def _has_room(self) -> bool:
        """Say whether one more of the keys' own is recorded in this second; threads that meet here may get one more."""
        second = int(time.monotonic())
        if second != self._heard_in:
            self._heard_in, self._heard = second, 0
        self._heard += 1
        return self._heard <= self._hears_keys


def _read(traceparent: str) -> re.Match[str] | None:
    found = _TRACEPARENT.fullmatch(traceparent)
    is_too_long = found is not None and traceparent.startswith("00") and found.end(3) != len(traceparent)
    return None if is_too_long else found


class _Noticed(SpanExporter):
    """Says in the log, now and then, that nobody takes spans."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._said_at = float("-inf")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS and time.monotonic() - self._said_at > SAID_EVERY_S:
            self._said_at = time.monotonic()
            log.warning("traces are taken by nobody", spans=len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _context(parent: "str | Span") -> SpanContext:
    if isinstance(parent, Span):
        return parent.context
    found = _read(parent)
    if found is None:
        return INVALID_SPAN_CONTEXT
    return SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=_SAMPLED)
