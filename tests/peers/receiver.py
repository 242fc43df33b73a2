"""An HTTP server that takes what the server under test sends: a listener, a reporting server, an SMS gateway."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from tests.peers.waiting import eventually


@dataclass(frozen=True)
class Got:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    "Names in lower case."
    body: bytes
    status: int
    "What it was answered."

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """`answer` decides the status of each request; it may wait, as a slow system does."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], int] = lambda got: 200
        self.text = "OK"
        self.released = threading.Event()
        "Wait for it in `answer` to be slow; set when the receiver closes."
        self._lock = threading.Lock()
        self._server: http.server.ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def taken(self) -> list[Got]:
        """Requests that were answered 200."""
        with self._lock:
            return [got for got in self.got if got.status == 200]

    async def expect(self, count: int, within: float | None = None) -> list[Got]:
        """Wait until so many requests were taken."""
        await eventually(lambda: len(self.taken) >= count, f"{count} requests were taken of {self!r}", within)
        return self.taken

    def open(self) -> None:
        """Listen, on the same port as before."""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="receiver", daemon=True).start()

    def close(self) -> None:
        """Stop listening: connections are refused."""
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Receiver {len(self.got)} requests, {[got.status for got in self.got[-20:]]}>"

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Got(self.command, self.path, headers, body, 0)
                status = receiver.answer(asked)
                with receiver._lock:
                    receiver.got.append(Got(self.command, self.path, headers, body, status))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(receiver.text)))
                    self.end_headers()
                    self.wfile.write(receiver.text.encode())

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that listens inside the block."""
    with Receiver() as made:
        yield made
