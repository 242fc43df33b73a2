"""The thread behind all sound end points of a process: it keeps their pace and reads their sockets."""

import contextlib
import heapq
import selectors
import threading
import time
from socket import AF_INET, AF_INET6, SO_RCVBUF, SOCK_DGRAM, SOL_SOCKET, socket, socketpair
from typing import Protocol

from tests.peers.ports import PORTS


class Point(Protocol):
    """What the thread needs of an end point."""

    rtp_socket: socket
    rtcp_socket: socket

    def work(self, now: float) -> float:
        """Send what is due and return when to be called again."""

    def receive(self, now: float) -> None:
        """Read everything waiting on the RTP socket."""

    def receive_control(self) -> None:
        """Read everything waiting on the RTCP socket."""


class SoundThread:
    """The one thread that paces and reads every end point; it lives while there is one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._selector: selectors.BaseSelector
        self._bell: tuple[socket, socket]
        self._points: dict[int, Point] = {}

    def add(self, point: Point) -> None:
        """Start to serve an end point."""
        with self._lock:
            if not self._points:
                self._selector = selectors.DefaultSelector()
                self._bell = socketpair()
                self._bell[0].setblocking(False)
                self._selector.register(self._bell[0], selectors.EVENT_READ, None)
            self._points[id(point)] = point
            self._selector.register(point.rtp_socket, selectors.EVENT_READ, (point, True))
            self._selector.register(point.rtcp_socket, selectors.EVENT_READ, (point, False))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="test-sound", daemon=True)
                self._thread.start()
        self.wake()

    def remove(self, point: Point) -> None:
        """Stop serving an end point and close its sockets; the last one ends the thread."""
        ending = None
        with self._lock:
            if self._points.pop(id(point), None) is None:
                return
            self._selector.unregister(point.rtp_socket)
            self._selector.unregister(point.rtcp_socket)
            point.rtp_socket.close()
            point.rtcp_socket.close()
            if not self._points:
                ending, self._thread = self._thread, None
                self._bell[1].send(b"x")
                selector, bell = self._selector, self._bell
        if ending is not None:
            ending.join()
            selector.close()
            for end in bell:
                end.close()

    def wake(self) -> None:
        """Look at the end points again now."""
        with self._lock, contextlib.suppress(OSError, AttributeError):
            self._bell[1].send(b"x")

    def _run(self) -> None:
        me = threading.current_thread()
        heap: list[tuple[float, int]] = []
        selector, bell = self._selector, self._bell
        while True:
            now = time.monotonic()
            wait = max(0.0, min(heap[0][0] - now, 0.5)) if heap else 0.0
            ready = selector.select(wait)
            with self._lock:
                if self._thread is not me:
                    return
                now = time.monotonic()
                woken = not heap
                for key, _ in ready:
                    if key.data is None:
                        woken = True
                        with contextlib.suppress(BlockingIOError):
                            while bell[0].recv(4096):
                                pass
                        continue
                    point, is_rtp = key.data
                    if id(point) in self._points:
                        point.receive(now) if is_rtp else point.receive_control()
                if woken:
                    heap = [(now, number) for number in self._points]
                    heapq.heapify(heap)
                while heap and heap[0][0] <= now:
                    _, number = heapq.heappop(heap)
                    if number in self._points:
                        heapq.heappush(heap, (max(self._points[number].work(now), now + 0.001), number))


THREAD = SoundThread()


def bind_pair(host: str) -> tuple[socket, socket]:
    """Sockets on an even port and the one above it (RFC 3550 section 11)."""
    family = AF_INET6 if ":" in host else AF_INET
    for _ in range(50):
        port = PORTS.take(2, even=True)
        first = socket(family, SOCK_DGRAM)
        second = socket(family, SOCK_DGRAM)
        try:
            first.bind((host, port))
            second.bind((host, port + 1))
        except OSError:
            first.close()
            second.close()
            continue
        for s in (first, second):
            s.setblocking(False)
            s.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 20)
        return first, second
    raise OSError(f"no free pair of ports on {host}")
