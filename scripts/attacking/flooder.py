"""Sends one kind of request as fast as it is told to, from one address; a process of its own, ended by time.

`python -m attacking.flooder FROM TO PORT METHOD RATE SECONDS` prints how many were sent.
"""

import socket
import sys
import time

from tests.attack.requests import Sender, request
from tests.peers.ports import PORTS

TICK = 0.002
"Seconds between two heaps."
MARK = "floodmark00000000"


def flood(host: str, target: tuple[str, int], method: str, rate: float, seconds: float) -> int:
    """Send; answers are not read.  Returns how many were sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sock.bind((host, PORTS.take()))
        sock.setblocking(False)
        template = request(Sender(host, sock.getsockname()[1], *target, MARK), method)
        head, *pieces = template.split(MARK.encode())
        sent, begin = 0, time.monotonic()
        while (now := time.monotonic() - begin) < seconds:
            while sent < now * rate:
                serial = b"f%x" % sent
                try:
                    sock.sendto(serial.join([head, *pieces]), target)
                except (BlockingIOError, ConnectionRefusedError):
                    break
                sent += 1
            time.sleep(TICK)
    return sent


if __name__ == "__main__":
    host_, to, port, method_, rate_, seconds_ = sys.argv[1:7]
    print(flood(host_, (to, int(port)), method_, float(rate_), float(seconds_)), flush=True)
