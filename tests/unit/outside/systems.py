"""A tenant's system as a real HTTP and XML-RPC server on a thread, with every bad habit such systems have."""

import contextlib
import http.server
import json
import socket
import ssl
import threading
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

ROW = {"caller": "13800138000", "extension": "8001", "data": {"order": 7}}


@dataclass
class Seen:
    """What arrived at the system."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    "(method, path, headers, body) in order of arrival."
    inside: int = 0
    most_inside: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    release: threading.Event = field(default_factory=threading.Event)
    "Ends everything slow."
    connections: int = 0
    broken: bool = False
    "The path /moody answers 500 while this is set."

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: Seen

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = self.seen
        with seen.lock:
            seen.requests.append((self.command, self.path, dict(self.headers), body))
            seen.inside += 1
            seen.most_inside = max(seen.most_inside, seen.inside)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                self._answer(self.path.split("?")[0].strip("/").split("/")[0], body)
        finally:
            with seen.lock:
                seen.inside -= 1

    do_POST = do_GET

    def _answer(self, habit: str, body: bytes) -> None:
        match habit:
            case "row":
                self._send(200, json.dumps(ROW).encode())
            case "rpc":
                (question,), method = xmlrpc.client.loads(body)
                assert isinstance(question, dict)
                answer: Any = dict(ROW, data={"method": method, "sequence": question["sequence"]})
                if question["sequence"] == "000404":
                    answer = xmlrpc.client.Fault(404, "no such row")
                marshalled = answer if isinstance(answer, xmlrpc.client.Fault) else (answer,)
                self._send(200, xmlrpc.client.dumps(marshalled, methodresponse=True).encode())
            case "error":
                self._send(500, b"Traceback (most recent call last)")
            case "moody":
                self._send(500 if self.seen.broken else 200, b"{}")
            case "unknown":
                self._send(404, b"{}")
            case "moved":
                self.send_response(302)
                self.send_header("Location", "/row")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "garbage":
                self._send(200, b"<html>Welcome</html>")
            case "packed":
                self.send_response(200)
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            case "huge":
                self._send(200, b'{"data": "' + b"x" * 10_000_000 + b'"}')
            case "endless":
                self._stream(b"x" * 4096, pause=0.0)
            case "drip":
                self._stream(b" ", pause=0.005)
            case "drip-headers":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not self.seen.release.wait(0.005):
                    self.wfile.write(b"X: y\r\n")
            case "slow":
                self.seen.release.wait()
                self._send(200, json.dumps(ROW).encode())
            case "cookie":
                self.send_response(200)
                self.send_header("Set-Cookie", "session=of-one-tenant; Path=/")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            case "cut-off":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"{")
                self.close_connection = True
            case "hang-up":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, piece: bytes, pause: float) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not self.seen.release.wait(pause):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, handler: type[_Answers]) -> None:
        self.open: set[socket.socket] = set()
        self.seen = handler.seen
        super().__init__(("127.0.0.1", 0), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        self.seen.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End connections that are kept alive, which their threads would wait on for ever."""
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that left is what many of these tests are about


@dataclass(frozen=True)
class System:
    """Where the system listens and what it saw."""

    url: str
    port: int
    seen: Seen
    hang_up: Callable[[], None]
    "End all connections, those that are kept too."


@contextlib.contextmanager
def system(tls: ssl.SSLContext | None = None) -> Iterator[System]:
    """A running system; each first path segment is one habit (see `_answer`)."""
    seen = Seen()
    server = _Server(type("Answers", (_Answers,), {"seen": seen}))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="tenant's system")
    thread.start()
    port = server.server_address[1]
    try:
        yield System(f"{'https' if tls else 'http'}://127.0.0.1:{port}", port, seen, server.hang_up)
    finally:
        seen.release.set()
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()
