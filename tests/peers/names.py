"""A name server of the test's own: answers what it was told, or nothing at all."""

import contextlib
import socket
import threading
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """`with NameServer() as names: names.a("carrier.test", "127.0.0.1", ttl=1)`; `names.port` is its UDP port."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self.dead = False
        "It hears and says nothing."
        self.asked: list[str] = []
        self._records: dict[tuple[str, str], dns.rrset.RRset] = {}
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def a(self, name: str, *addresses: str, ttl: int = 60) -> None:
        self._records[name, "A"] = dns.rrset.from_text(f"{name}.", ttl, "IN", "A", *addresses)

    def srv(self, name: str, *targets: tuple[str, int, int, int], ttl: int = 60) -> None:
        """Each target: host, port, priority, weight."""
        rows = [f"{priority} {weight} {port} {host}." for host, port, priority, weight in targets]
        self._records[name, "SRV"] = dns.rrset.from_text(f"{name}.", ttl, "IN", "SRV", *rows)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            if self.dead:
                continue
            query = dns.message.from_wire(data)
            question = query.question[0]
            name, kind = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
            self.asked.append(f"{name} {kind}")
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.AA
            found = self._records.get((name, kind))
            if found is not None:
                answer.answer.append(found)
            elif not any(known == name for known, _ in self._records):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            with contextlib.suppress(OSError):  # closed meanwhile
                self._socket.sendto(answer.to_wire(), peer)
