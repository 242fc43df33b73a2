"""What one client may cost the API: sizes, times, numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are seconds, sizes bytes."""

    body_within: float = 20.0
    "A client has to send the whole body in this time."
    small_body: int = 64 * 1024
    "Any body but that of a bulk request: it is read on the loop that carries the calls."
    commas: int = 50_000
    "Commas in the body of a bulk request: values are read on that loop too, and 300,000 empty ones take 0.1 s."
    upload: int = 256 * 1024 * 1024
    "A file of contacts or of a do-not-call list: it goes to disk as it comes."
    upload_within: float = 900.0
    check_key: float = 30.0
    "Time between two looks whether the key of a long connection is still valid."
    connections: int = 1000
    "Connections at once; a further one is closed when it is made."
    head_within: float = 15.0
    "Time a connection may stay without a whole request head, whatever drips in."
    read_within: float = 30.0
    "Time a peer may read nothing of what we sent before it is dropped; no ASGI application can know this."
    look_every: float = 1.0
    "Time between two looks at all connections."
