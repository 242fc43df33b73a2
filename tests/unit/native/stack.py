"""The end point under test as a child process, and a peer that says raw bytes to it and reads what comes back."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.peers.native_build import environment

PATIENCE = 10.0
"Seconds to wait for a fact before the test fails."


class Stack:
    """The child; `facts` holds everything it has told."""

    def __init__(self, preload: Path | None = None) -> None:
        """`preload`: a shared library whose functions stand before all others."""
        environ = {**os.environ, **environment()}
        if preload is not None:
            environ["LD_PRELOAD"] = f"{environ.get('LD_PRELOAD', '')} {preload}".strip()
        self._child = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("stack_child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
        )
        self.facts: list[dict[str, Any]] = []
        self._pending = b""
        self.ready = self.wait(lambda fact: fact["fact"] == "ready")
        self.udp, self.tcp = self.ready["ports"]

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait(self, wanted: Callable[[dict[str, Any]], bool], since: int = 0) -> dict[str, Any]:
        """The first fact from number `since` on that is wanted."""
        assert self._child.stdout is not None
        end = time.monotonic() + PATIENCE
        looked = since
        while True:
            for fact in self.facts[looked:]:
                if wanted(fact):
                    return fact
            looked = len(self.facts)
            left = end - time.monotonic()
            assert left > 0, f"the fact did not come; there were {self.facts[-5:]}"
            if select.select([self._child.stdout], [], [], left)[0]:
                data = os.read(self._child.stdout.fileno(), 65536)
                assert data, f"the stack died: {self._child.wait()}"
                *lines, self._pending = (self._pending + data).split(b"\n")
                self.facts += [json.loads(line) for line in lines if line.startswith(b"{")]

    def do(self, what: str, **details: object) -> Any:
        """A command and its result."""
        assert self._child.stdin is not None
        since = len(self.facts)
        self._child.stdin.write(json.dumps({"do": what, **details}).encode() + b"\n")
        self._child.stdin.flush()
        return self.wait(lambda fact: fact["fact"] == "done", since)["result"]

    def counted(self, before: dict[str, int]) -> dict[str, int]:
        """Which counters have moved since `before`, and by how much."""
        return {name: n - before[name] for name, n in self.do("counters").items() if n != before[name]}

    def passed_up(self, call_id: str) -> list[tuple[bool, str, bytes]]:
        """What Python got from the queue for one call: we are the UAS, method, message."""
        self.do("legs")  # what was passed up before this answer has been told before it
        return [
            (fact["uas"], fact["method"], base64.b64decode(fact["message"]))
            for fact in self.facts
            if fact["fact"] == "passed up" and fact["sip_call_id"] == call_id
        ]

    def close(self) -> int:
        """Ends the child; its exit status (negative: the signal that killed it)."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(b'{"do": "quit"}\n')
            self._child.stdin.close()
            self._child.stdout.read()
        except BrokenPipeError:
            pass
        self._child.stdout.close()
        return self._child.wait(PATIENCE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A SIP message that came back."""

    raw: bytes

    @classmethod
    def of(cls, raw: bytes) -> Self:
        return cls(raw)

    @property
    def start(self) -> str:
        return self.raw.split(b"\r\n", 1)[0].decode()

    @property
    def status(self) -> int:
        return int(self.start.split()[1]) if self.start.startswith("SIP/") else 0

    def all(self, name: str) -> list[str]:
        head = self.raw.split(b"\r\n\r\n", 1)[0].decode("utf-8", "surrogateescape")
        return [value.strip() for value in re.findall(rf"(?im)^{name}[ \t]*:(.*)$", head)]

    def one(self, name: str) -> str:
        values = self.all(name)
        assert len(values) == 1, f"{len(values)} {name} in\n{self.raw.decode('utf-8', 'replace')}"
        return values[0]

    @property
    def tag(self) -> str:
        found = re.search(r";tag=([^;>\s]+)", self.one("To"))
        return found[1] if found else ""


SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)

EMPTY_PART = (
    b"--b\r\nContent-Type: application/sdp\r\n\r\n\r\n\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"
)
"A multipart body whose SDP part is nothing but line ends."

_numbers = itertools.count(1)


class Peer:
    """A UDP socket that says anything; one Call-ID and From tag until `fresh()`."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.connect(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.fresh()

    def fresh(self) -> None:
        """Another call."""
        self.number = next(_numbers)
        self.call_id = f"call-{self.number}@peer"
        self.to_tag = ""
        self.cseq = 0

    def request(
        self,
        method: str,
        *extra: str,
        body: bytes = b"",
        uri: str = "sip:agent@127.0.0.1",
        cseq: int | None = None,
        branch: str = "",
        drop: tuple[str, ...] = (),
        length: int | None = None,
    ) -> bytes:
        """A well-formed request; `extra` are header lines, `drop` names headers to leave out."""
        if cseq is None and method not in ("ACK", "CANCEL"):
            self.cseq += 1
        number = self.cseq if cseq is None else cseq
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{branch or next(_numbers)}",
            f"From: <sip:peer@127.0.0.1:{self.port}>;tag=from{self.number}",
            f"To: <sip:agent@127.0.0.1>{';tag=' + self.to_tag if self.to_tag else ''}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:peer@127.0.0.1:{self.port}>",
            "Max-Forwards: 70",
            f"Content-Length: {len(body) if length is None else length}",
        ]
        kept = [line for line in lines if line.partition(":")[0] not in drop]
        return "\r\n".join([*kept, *extra, "", ""]).encode() + body

    def send(self, message: bytes) -> None:
        self.socket.send(message)

    def receive(self, within: float = PATIENCE) -> Answer:
        self.socket.settimeout(within)
        return Answer.of(self.socket.recv(65536))

    def ask(self, message: bytes) -> Answer:
        """Sends a request and returns the final answer to its CSeq."""
        self.send(message)
        return self.final(Answer(message).one("CSeq"))

    def final(self, cseq: str) -> Answer:
        while True:
            answer = self.receive()
            if answer.status >= 200 and answer.one("CSeq") == cseq:
                return answer

    def hears_nothing(self) -> bool:
        """Whether nothing waits, once an OPTIONS sent now has been answered: the stack works in order."""
        other = Peer(self.socket.getpeername()[1])
        with other.socket:
            other.ask(other.request("OPTIONS"))
        return not select.select([self.socket], [], [], 0)[0]

    # --- a call ---

    def call(self, uri: str = "sip:agent@127.0.0.1", *extra: str, body: bytes = SDP) -> Answer:
        """Sets up a call to the stack; returns the 200."""
        answer = self.ask(self.request("INVITE", *extra, "Content-Type: application/sdp", uri=uri, body=body))
        assert answer.status == 200, answer.raw.decode()
        self.to_tag = answer.tag
        self.send(self.request("ACK", cseq=self.cseq))
        return answer

    def hang_up(self) -> Answer:
        return self.ask(self.request("BYE"))
