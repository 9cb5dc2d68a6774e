"""One open socket or stream: how far its player's inbox was told on it, and what waits to be written.

Nothing here is a task while nothing happens: a writer lives as long as something waits. What does not fit into the
queue stays in the inbox and is read once the reader has caught up, so a burst costs a fast reader nothing and a slow
one no memory.
"""

import asyncio
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from core import tracing
from social.events import Event
from social.live import codes, metrics, server
from social.live.answers import Send
from social.live.door import Guest
from social.live.wires import Message, Wire
from social.selectors import News

if TYPE_CHECKING:
    from core.tracing.recording import Span
    from social.live.hub import Hub

NOWHERE = UUID(int=0)  # an event's id that no inbox holds: from the beginning
_FELL_BEHIND = "The reader fell behind. Connect again and resume."


class Connection:
    """A connection as the hub knows it.

    Attributes:
        player_id: whose events it gets.
        guest: who came in, and by what.
        after: where to begin: behind this event of the inbox, or None for what comes.
        given: the last number of the inbox that was queued on it; None until `after` is looked up.
        known: the highest number that is known to be in the inbox. All in (given, known] is owed.
        reading: the loader is reading for it or will when the queue is empty; nothing is pushed past that.
        turn: counts resumes, so that what was read for an earlier one is not taken for the next.

    """

    __slots__ = (
        "_buffered",
        "_farewell",
        "_hub",
        "_in_hand_since",
        "_send",
        "_timer",
        "_unanswered",
        "_waiting",
        "_writer",
        "after",
        "closing",
        "given",
        "greeted",
        "guest",
        "known",
        "player_id",
        "reading",
        "slot",
        "turn",
        "wire",
    )

    def __init__(self, hub: "Hub", send: Send, wire: Wire) -> None:
        """Open, for nobody yet."""
        self._hub = hub
        self._send = send
        self.wire = wire
        self.player_id = 0
        self.guest: Guest | None = None
        self.after: UUID | None = None
        self.given: int | None = None
        self.known = 0
        self.reading = False
        self.turn = 0
        self.greeted = False
        self.slot = 0
        self.closing = False
        self._unanswered = 0
        self._waiting: deque[tuple[float, int, Message, float, Span | None]] | None = None
        self._buffered = 0
        self._in_hand_since = 0.0
        self._writer: asyncio.Task[None] | None = None
        self._farewell: Message | None = None
        self._timer: asyncio.TimerHandle | None = None

    def let_in(self, guest: Guest, *, at: datetime) -> None:
        """Belong to a player until his token ends, and begin to read. Raises Refused when he has too many."""
        self.player_id, self.guest = guest.player_id, guest
        self._hub.attach(self)
        over = "The session has ended." if guest.session_id else "The player token has expired."
        self.close_in((guest.expires_at - at).total_seconds(), codes.UNAUTHENTICATED, over)

    # What the hub and the loader call.

    def hear(self, event: Event) -> None:
        """Take an event that was just added to the inbox: queue it if it is the next one and there is room."""
        self.known = max(self.known, event.seq)
        if self.given is None or self.reading or event.seq <= self.given:
            return
        if event.seq == self.given + 1 and self.has_room:
            self.tell(event, fact_written_at=metrics.written_at(event))
        else:
            self._hub.catch_up(self)

    def learn(self, last_seq: int) -> None:
        """Take note of how far the inbox has got."""
        self.known = max(self.known, last_seq)
        if self.given is not None and self.given < self.known and not self.reading:
            self._hub.catch_up(self)

    def tell(self, event: Event, *, fact_written_at: float = 0.0) -> None:
        """Queue an event; of one that is news, it is measured how old it gets."""
        self.given = event.seq
        span = None
        if event.trace and tracing.recorder is not None:
            span = tracing.recorder.start("push", event.trace, {"laurel.event": event.kind})
        size = _memory(event.data)
        self.write(self.wire.event(event), size=size, fact_written_at=fact_written_at, span=span)

    @property
    def has_room(self) -> bool:
        """Say whether more may be queued."""
        return self._buffered < self._hub.limits.queue_bytes

    @property
    def is_idle(self) -> bool:
        """Say whether everything was written."""
        return self._writer is None

    def located(self, position: int, *, last_seq: int) -> None:
        """Begin behind a number of the inbox, which has got to `last_seq`; the first time the client is answered."""
        self.given, self.reading = position, False
        if not self.greeted and self.guest is not None:
            self.greeted = True
            self.write(self.wire.ready(self.guest.player_uuid))
        self.learn(last_seq)

    def loaded(self, news: News, *, limit: int, known: int) -> None:
        """Take what was read of the inbox; `known` is what was known of it when the reading began."""
        for event in news.events:
            if not self.has_room:
                break
            self.tell(event)
        else:
            if len(news.events) < limit:
                # Nothing else is there, whatever a message said: numbers may be left out.
                self.given = max(self.given or 0, news.last_seq)
                if self.known == known:
                    self.known = self.given
        self.reading = False
        self.learn(news.last_seq)

    def resume(self, after: UUID) -> None:
        """Begin again behind an event: what waits is not sent, what follows `after` is read from the inbox."""
        self.turn += 1
        self.given, self.after = None, after
        if self._waiting:
            self._waiting = deque(waiting for waiting in self._waiting if not waiting[1])
            self._buffered = 0
        self._hub.catch_up(self)

    # Signs of life.

    def alive(self) -> None:
        """Take note that the client sent something."""
        self._unanswered = 0

    def beat(self) -> None:
        """Send a sign of life; close whoever reads nothing or answers nothing."""
        if self.has_stalled():
            self.close(codes.FELL_BEHIND, _FELL_BEHIND)
        elif self.wire.answers_pings and self._unanswered >= self._hub.limits.missed_pings:
            self.close(codes.NO_ANSWER, "Pings were not answered.")
        elif self.is_idle:
            self._unanswered += 1
            self.write(self.wire.beat())

    def has_stalled(self) -> bool:
        """Say whether a frame has waited for its reader longer than anybody is waited for."""
        waited = asyncio.get_running_loop().time() - self._in_hand_since
        return self._writer is not None and waited > self._hub.limits.patience_s

    def close_in(self, seconds: float, code: int, reason: str) -> None:
        """Close after a time, unless that is set anew or cancelled by the end."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.close, code, reason)

    # Writing.

    def write(
        self, message: Message, *, size: int = 0, fact_written_at: float = 0.0, span: "Span | None" = None
    ) -> None:
        """Queue a message, `size` being that of an event; whoever has fallen behind is closed instead."""
        if self.closing:
            return
        if self.has_stalled():
            self.close(codes.FELL_BEHIND, _FELL_BEHIND)
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((asyncio.get_running_loop().time(), size, message, fact_written_at, span))
        self._buffered += size
        self._start_writer()

    def _start_writer(self) -> None:
        if self._writer is None:
            self._in_hand_since = asyncio.get_running_loop().time()
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Write what waits, then be gone."""
        try:
            while self._waiting:
                self._in_hand_since, size, message, fact_written_at, span = self._waiting.popleft()
                await self._send(message)
                if size:
                    metrics.pushed(fact_written_at)
                if span is not None:
                    span.end()
                self._buffered = max(0, self._buffered - size)
            if self._farewell is not None:
                await self._send(self._farewell)
        except (OSError, RuntimeError):
            # The client went away, or the server closed the socket on a frame that breaks the protocol.
            self._hub.detach(self)
        finally:
            self._writer, self._waiting = None, None
        if self.reading and not self.closing:
            self._hub.loader.want(self)

    def close(self, code: int, reason: str) -> None:
        """Say why and end; what waits is not sent, and a client that does not read is cut off after a while."""
        if self.closing:
            return
        self.closing = True
        metrics.dropped(code)
        self._hub.detach(self)
        if self._waiting:
            self._waiting.clear()
        self._farewell = self.wire.farewell(code, reason)
        self._start_writer()
        asyncio.get_running_loop().call_later(self._hub.limits.farewell_s, self._cut)

    def ended(self) -> None:
        """Let go of everything; the connection is no more."""
        self.closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        server.cut(self._send)


def _memory(text: str) -> int:
    """Return about how many bytes a text takes, here or in UTF-8, without looking at each character."""
    return len(text) if text.isascii() else 4 * len(text)
