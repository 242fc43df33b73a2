"""The gate of a stack under test, as tests turn its limits and look at its bans."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.unit.native.stack import PATIENCE, Stack

PASS, DROP, REFUSE, ASK = range(4)
UNKNOWN, PHONE, OFFICE, TRUNK = range(4)
NEVER_BANNED = 70020
"PJ_EIGNORED."
LIMITS = (
    *(f"{who}_{what}" for who in ("stranger", "phone", "office", "trunk", "connection") for what in ("rate", "burst")),
    *("connections", "connections_source", "connection_first", "connection_idle"),
    *("half_open", "half_open_source", "half_open_reserved", "message", "faults"),
)


class Gate:
    """The gate of the stack under test."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def __call__(self, call: str, *arguments: object) -> Any:
        return self.stack.do("gate", call=call, arguments=arguments)

    def limit(self, **values: float) -> None:
        for name, value in values.items():
            assert self("limit", name, value) == 0

    def networks(self, *networks: tuple[str, int, int, int], strangers: int = PASS, transport: str = "udp") -> None:
        port = self.stack.udp if transport == "udp" else self.stack.tcp
        placed = self.stack.do("listener", transport=transport, port=port, strangers=strangers, networks=networks)
        assert placed[1:] == [0] * len(networks)

    def bans(self) -> dict[str, str]:
        return {address: reason for address, reason, *_ in self("bans")}

    def lift(self, *addresses: str) -> None:
        """And wait until the socket filter, laid anew every tenth of a second, knows of it: nothing is sent twice."""
        for address in addresses:
            self("lift", address)
        if addresses:
            time.sleep(0.15)

    def counted(self, name: str, before: dict[str, int]) -> int:
        return self.stack.counted(before).get(name, 0)


def until(fact: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, what
        time.sleep(0.02)
