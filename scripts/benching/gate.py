"""What a packet costs that the gate drops: processor time in all, and nanoseconds inside the gate."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from .console import headline, note
from .cores import Cores

ATTACKER = "127.0.0.66"
PASS, DROP = 0, 1
BURST = 100
"Packets sent at once; the socket's buffer takes about 200 of them."
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.66\r\ns=-\r\nc=IN IP4 127.0.0.66\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)
MOST_CPU, MOST_INSIDE = 20.0, 5.0
"Microseconds that a dropped packet may cost: in all, and inside the gate."


@dataclass(slots=True)
class GateCosts:
    """By case."""

    cpu: dict[str, float] = field(default_factory=dict)
    "Microseconds of processor time of the whole process for a packet that was dropped."
    inside: dict[str, float] = field(default_factory=dict)
    "Microseconds inside the gate; 0 where the kernel drops."
    rate: dict[str, float] = field(default_factory=dict)
    "Packets dropped a second of the server's processor time."


class Stack:
    """The process under flood."""

    def __init__(self, cores: Cores) -> None:
        command = [sys.executable, str(Path(__file__).with_name("gate_stack.py"))]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(self._child.pid, {cores.server})
        self.port = int(self._read())
        self.looks = 0
        "How often it was asked what it has used."

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(10)

    def _read(self) -> Any:
        assert self._child.stdout is not None
        return json.loads(self._child.stdout.readline())

    def __call__(self, call: str, *arguments: object) -> Any:
        assert self._child.stdin is not None
        self.looks += call == "used"
        self._child.stdin.write(json.dumps({"call": call, "arguments": arguments}) + "\n")
        self._child.stdin.flush()
        return self._read()


def request(method: str, number: int, port: int, *extra: str) -> bytes:
    """What a flooder sends, of the usual length."""
    body = SDP if method == "INVITE" else ""
    lines = [
        f"{method} sip:1000@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {ATTACKER}:{port};rport;branch=z9hG4bK{number:x}",
        f'From: "1000" <sip:1000@{ATTACKER}>;tag={number:x}',
        "To: <sip:1000@127.0.0.1>",
        f"Call-ID: {number:x}@{ATTACKER}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:1000@{ATTACKER}:{port}>",
        "Max-Forwards: 70",
        "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE",
        "User-Agent: flood",
        *extra,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join([*lines, "", ""]) + body).encode()


def flood(stack: Stack, packets: list[bytes], seconds: float, sender: socket.socket) -> tuple[float, int, int]:
    """Processor seconds of the server, packets sent, packets that the server itself has seen."""
    used, seen, dropped = stack("used")
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for packet in packets[:BURST]:
            sender.send(packet)
        sent += BURST
        packets = packets[BURST:] + packets[:BURST]
        wait_for(stack, seen, dropped, sent)
    after, now_seen, _ = stack("used")
    return after - used, sent, now_seen - seen


def wait_for(stack: Stack, seen: int, dropped: int, sent: int) -> None:
    """Until the burst has been dealt with: what overflows the socket would cost nothing."""
    for _ in range(200):
        _, now_seen, now_dropped = stack("used")
        if now_seen - seen + now_dropped - dropped >= sent:
            return


def measure(cores: Cores, seconds: float) -> GateCosts:
    """Each case on a fresh process."""
    costs = GateCosts()
    headline("a dropped packet")
    for name, method, extra, arrange in CASES:
        with Stack(cores) as stack, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((ATTACKER, 0))
            sender.connect(("127.0.0.1", stack.port))
            arrange(stack)
            idle = overhead(stack, seconds / 4)
            packets = [request(method, n, sender.getsockname()[1], *extra) for n in range(2000)]
            stack("cost")
            stack.looks = 0
            used, sent, seen = flood(stack, packets, seconds, sender)
            inside = float(stack("cost"))
            spent = max(used - stack.looks * idle, 1e-9)
            costs.cpu[name] = 1e6 * spent / sent
            costs.inside[name] = inside / 1000 if seen else 0.0
            costs.rate[name] = sent / spent
            note(f"{name}: {costs.cpu[name]:.1f} us, inside the gate {costs.inside[name]:.2f} us, {sent} packets")
    return costs


def overhead(stack: Stack, seconds: float) -> float:
    """Processor seconds of one look at the counters, which is not the packet's."""
    before, _, _ = stack("used")
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        stack("used")
        n += 1
    after, _, _ = stack("used")
    return float(after - before) / max(n, 1)


def _dropping(stack: Stack) -> None:
    stack("listener", "udp", "127.0.0.1", stack.port, DROP)


def _poor(stack: Stack) -> None:
    stack("limit", "stranger_rate", 0.001)
    stack("limit", "stranger_burst", 1)


def _banned(stack: Stack) -> None:
    stack("ban", ATTACKER, "bench", 3600.0)


def _banned_in_the_kernel(stack: Stack) -> None:
    stack("listener", "udp", "127.0.0.1", stack.port, PASS)
    _banned(stack)
    stack("tick")


CASES = (
    ("INVITE of a stranger", "INVITE", (), _dropping),
    ("OPTIONS of a stranger", "OPTIONS", (), _dropping),
    ("REGISTER of a stranger", "REGISTER", (), _dropping),
    ("INVITE over the budget", "INVITE", (), _poor),
    ("INVITE of a banned address, at the gate", "INVITE", (), _banned),
    ("INVITE of a banned address, in the kernel", "INVITE", (), _banned_in_the_kernel),
)
