"""What one connection may take, and how patient the process is with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a live connection, and what a reader may cost; tests shorten the waits.

    Attributes:
        authenticate_s: until the first message must be there.
        ping_s: between two of the server's pings; a socket that leaves `missed_pings` unanswered is closed.
        heartbeat_s: between two comments in an event stream, under the 30 s after which proxies give up.
        patience_s: how long a frame may wait for its reader; then he has fallen behind (4008).
        farewell_s: how long a close frame may wait; then the connection is cut.
        frame_bytes, frames_a_second: what a client may send.
        connections_a_player: sockets and streams together, in this process.
        queue_bytes: what waits for a reader here; the rest stays in the inbox. With the transport's own 64 KiB it is
            under the 256 KiB that a reader may cost.
        page: events read from an inbox at a time.
        sweep_s: between two looks at the inboxes of all who are connected: the delay of an event whose message was
            lost. While Valkey is away it is `sweep_alone_s`.
        dismiss_s: between two looks at who may not listen any more; they are closed within 5 s.
        attendance_s: between two notes of who came and left.

    """

    authenticate_s: float = 5.0
    ping_s: float = 20.0
    missed_pings: int = 2
    heartbeat_s: float = 15.0
    patience_s: float = 10.0
    farewell_s: float = 5.0
    frame_bytes: int = 4096
    frames_a_second: int = 10
    connections_a_player: int = 10
    queue_bytes: int = 128 * 1024
    page: int = 100
    sweep_s: float = 4.0
    sweep_alone_s: float = 1.0
    dismiss_s: float = 2.0
    attendance_s: float = 1.0


DEFAULT = Limits()
