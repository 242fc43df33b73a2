"""A UDP socket whose packets carry the kernel's time of arrival: a busy reader does not make them look late."""

import socket
import struct
import time
from collections.abc import Iterator

from tests.peers.wire import Address

SO_TIMESTAMPNS = 35
"Linux, asm-generic/socket.h; also the type of the control message. Python does not name it."
TIMESPEC = struct.Struct("qq")
SPACE = socket.CMSG_SPACE(TIMESPEC.size)


class Wire:
    """One bound socket, not blocking."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.setblocking(False)
        self.socket.bind((host, port))

    @property
    def address(self) -> Address:
        return self.host, self.port

    def send(self, data: bytes, to: Address) -> float:
        """Send; the wall clock just before."""
        now = time.time()
        self.socket.sendto(data, to)
        return now

    def receive(self) -> Iterator[tuple[bytes, Address, float]]:
        """Everything that waits: datagram, sender, wall clock of its arrival in the kernel."""
        while True:
            try:
                data, control, _, source = self.socket.recvmsg(65535, SPACE)
            except (BlockingIOError, ConnectionError):
                return
            stamp = time.time()
            for level, kind, content in control:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = TIMESPEC.unpack(content[: TIMESPEC.size])
                    stamp = seconds + nanoseconds / 1e9
            yield data, (source[0], source[1]), stamp

    def close(self) -> None:
        self.socket.close()
