"""The program of `TenantSystem`: a tenant's services as real servers, HTTP/JSON (uvicorn) and XML-RPC (xmlrpc.server).

`python -m tests.peers.tenant_child HTTP_PORT RPC_PORT`.  Each service is `/{role}` over HTTP, and over XML-RPC a method
of that name.  `POST /control` says what each answers, and which bad habit it has; `GET /control` tells what was asked.
"""

import asyncio
import json
import sys
import threading
import time
import xmlrpc.client
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn
from typing import Any
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

import uvicorn

HUGE = b"x" * 5_000_000
PAUSE = 0.02
"Seconds between two bytes of a service that drips."


@dataclass
class State:
    """What the services answer and what they were asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    habits: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    "Ends everything slow."

    def note(self, role: str, question: Any, transport: str) -> str:
        """Take down a question; the habit it meets."""
        self.asked.append({"role": role, "question": question, "transport": transport, "at": time.time()})
        return self.habits.get(role, "")

    def told(self, news: dict[str, Any]) -> None:
        self.release.set()
        self.release = threading.Event()
        self.answers, self.habits = news.get("answers", {}), news.get("habits", {})
        self.asked = []


STATE = State()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The HTTP side."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    role = scope["path"].strip("/").split("/")[0]
    if role == "control":
        if scope["method"] == "POST":
            STATE.told(json.loads(body))
        await _send(send, 200, json.dumps({"asked": STATE.asked}).encode())
        return
    question = json.loads(body) if body else {"path": scope["path"], "query": scope["query_string"].decode()}
    match STATE.note(role, question, "json"):
        case "slow":
            release = STATE.release
            while not release.is_set():
                await asyncio.sleep(PAUSE)
            await _send(send, 200, b"{}")
        case "error":
            await _send(send, 500, b"Traceback")
        case "garbage":
            await _send(send, 200, b"<html>Welcome</html>")
        case "shape":
            await _send(send, 200, b'{"members": 7, "orders": "x", "campaigns": {}, "states": [1], "goal": 1}')
        case "huge":
            await _send(send, 200, HUGE)
        case "drip":
            release = STATE.release
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not release.is_set():
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(PAUSE)
            await send({"type": "http.response.body", "body": b""})
        case "later":
            await _send(send, 202, b"")
        case _:
            await _send(send, 200, json.dumps(STATE.answers.get(role, {})).encode())


async def _send(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Rpc(SimpleXMLRPCRequestHandler):
    """The XML-RPC side; a bad habit leaves the protocol behind."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        (question,), role = xmlrpc.client.loads(body)
        release = STATE.release
        match STATE.note(str(role), question, "xmlrpc"):
            case "slow":
                release.wait(30)
                self._reply(200, b"")
            case "error":
                self._reply(500, b"Traceback")
            case "garbage":
                self._reply(200, b"<html>Welcome</html>")
            case "shape":
                self._reply(200, xmlrpc.client.dumps(({"members": 7, "states": [1]},), methodresponse=True).encode())
            case "huge":
                self._reply(200, HUGE)
            case "drip":
                self.send_response(200)
                self.end_headers()
                while not release.wait(PAUSE):
                    self.wfile.write(b" ")
            case _:
                answer = STATE.answers.get(str(role), {})
                self._reply(200, xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True).encode())

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        try:
            BaseHTTPRequestHandler.handle(self)
        except OSError:
            pass  # whoever asked has gone: that is what a time limit is for


class RpcServer(ThreadingMixIn, SimpleXMLRPCServer):
    """One thread a connection."""

    daemon_threads = True


def main() -> None:
    """Serve both until the process is ended."""
    http_port, rpc_port = int(sys.argv[1]), int(sys.argv[2])
    rpc = RpcServer(("127.0.0.1", rpc_port), requestHandler=Rpc, logRequests=False)
    threading.Thread(target=rpc.serve_forever, daemon=True, name="xmlrpc").start()
    uvicorn.run(app, host="127.0.0.1", port=http_port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main()
