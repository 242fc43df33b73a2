"""A UDP socket that sends bytes as they are and reads statuses back: all that an attacker needs."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.attack.requests import Sender, request
from tests.peers.ports import PORTS
from tests.peers.wire import Address

STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2}) ")


class Raw:
    """One address; `ask` sends one message and waits until the server has dealt with it."""

    def __init__(self, sock: socket.socket, target: Address) -> None:
        self.sock, self.target = sock, target
        self.host, self.port = sock.getsockname()
        self._serial = 0

    def sender(self) -> Sender:
        """What the next message is made with."""
        self._serial += 1
        return Sender(self.host, self.port, *self.target, f"t{self.port}x{self._serial}")

    def send(self, data: bytes) -> None:
        """As it is; what the socket cannot take now is lost, as on any network."""
        try:
            self.sock.sendto(data, self.target)
        except (BlockingIOError, OSError):
            pass

    def drain(self) -> list[bytes]:
        """What has come so far."""
        found = []
        while True:
            try:
                found.append(self.sock.recv(65536))
            except (BlockingIOError, ConnectionRefusedError):
                return found

    async def ask(self, data: bytes, patience: float = 10.0) -> list[int]:
        """Statuses of the answers until the server has answered an OPTIONS that was sent behind it.

        A final answer that takes longer than that one is waited for as well, where a provisional one has come.
        Raises TimeoutError where the server says nothing at all any more.
        """
        self.drain()
        self.send(data)
        probe = self.sender()
        self.send(request(probe, "OPTIONS", uri=f"sip:{probe.to}"))
        mark = probe.serial.encode() + b"@"
        statuses: list[int] = []
        probed = False
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(patience):
            while not probed or (statuses and statuses[-1] < 200):
                answer = await loop.sock_recv(self.sock, 65536)
                found = STATUS.match(answer)
                if found is None:
                    continue
                status = int(found[1])
                if mark in answer:
                    probed = True
                    continue
                statuses.append(status)
                if status >= 200 and b"INVITE" in answer:
                    self.acknowledge(answer)
        return statuses

    def acknowledge(self, answer: bytes) -> None:
        """ACK of a final answer to an INVITE, so that it is not repeated."""
        lines = answer.split(b"\r\n")
        if not any(re.match(rb"CSeq\s*:\s*[0-9]+\s+INVITE", line, re.IGNORECASE) for line in lines):
            return
        kept = [line for line in lines if re.match(rb"(Via|From|To|Call-ID)\s*:", line, re.IGNORECASE)]
        vias = [line for line in kept if line[:3].lower() == b"via"][:1]
        others = [line for line in kept if line[:3].lower() != b"via"]
        cseq = next(line for line in lines if line[:4].lower() == b"cseq").replace(b"INVITE", b"ACK")
        uri = f"sip:x@{self.target[0]}:{self.target[1]}".encode()
        head = [b"ACK " + uri + b" SIP/2.0", *vias, *others, cseq, b"Max-Forwards: 70", b"Content-Length: 0", b"", b""]
        self.send(b"\r\n".join(head))


@asynccontextmanager
async def raw(target: Address, host: str = "127.0.0.1") -> AsyncIterator[Raw]:
    """A socket on a loopback address of one's own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((host, PORTS.take()))
        sock.setblocking(False)
        yield Raw(sock, target)
