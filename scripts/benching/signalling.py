"""A trunk and an agent in one thread, for what SIPp cannot: sub-millisecond times, and RTP addresses of each call.

Made for loopback: nothing is ever sent again, a lost packet would show as a call that is missing.
"""

import heapq
import secrets
import selectors
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.peers.message import Message, parameter
from tests.peers.ports import PORTS
from tests.peers.sdp import Sdp
from tests.peers.wire import Address

from .tandem import CALLED, CALLER, HOST
from .wire import Wire

ANSWERED_WITHIN = 10.0


@dataclass(slots=True)
class Call:
    """One call as its trunk sees it; times are wall clock seconds."""

    number: int
    id: str
    diverted: str
    sent: float = 0.0
    ringing: float | None = None
    answered: float | None = None
    over: float | None = None
    refused: int = 0
    "Final status other than 200."
    remote: str = ""
    "To with the server's tag."


@dataclass(frozen=True, slots=True)
class Sound:
    """Where one leg wants to send and receive its RTP."""

    trunk: bool
    "Whose leg: the trunk's, else the agent's."
    number: int
    "Of the leg on its side, in the order of the INVITEs."
    local: Address
    remote: Address


@dataclass(slots=True)
class Signalling:
    """Both ends of all calls through one server.

    `rtp` gives the address that a leg's description names (by trunk?, number); `on_sound` hears where the other side
    wants it, `on_end` (trunk?, number) that it wants it no more.
    """

    rtp: Callable[[bool, int], Address] = lambda trunk, number: (HOST, 9)
    on_sound: Callable[[Sound], None] = lambda sound: None
    on_end: Callable[[bool, int], None] = lambda trunk, number: None
    trunk: Wire = field(default_factory=lambda: Wire(HOST, PORTS.take()))
    agent: Wire = field(default_factory=lambda: Wire(HOST, PORTS.take()))
    calls: dict[str, Call] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    "Start lines nobody expected."
    _legs: dict[str, int] = field(default_factory=dict)
    _byes: list[tuple[float, str]] = field(default_factory=list)

    def place(
        self,
        target: Address,
        diverted: Sequence[str],
        at: Sequence[float],
        hold: float | None,
        *,
        pending: int | None = None,
    ) -> list[Call]:
        """Start one call for each number, at these seconds from now, and wait until all are answered (and, with
        `hold` seconds to talk, over); those that are not within some seconds are returned as they are. With `pending`
        calls that have no answer yet, the others wait for it."""
        begin = time.monotonic()
        calls = [Call(len(self.calls) + n, secrets.token_hex(12), number) for n, number in enumerate(diverted)]
        self.calls |= {call.id: call for call in calls}
        due = list(zip(at, calls, strict=True))[::-1]
        end = begin + (at[-1] if at else 0.0) + (hold or 0.0) + ANSWERED_WITHIN
        waiting: list[Call] = []
        while (now := time.monotonic()) < end:
            while due and begin + due[-1][0] <= now and (pending is None or len(waiting) < pending):
                waiting.append(due.pop()[1])
                self._invite(target, waiting[-1])
                if pending is not None:
                    end = max(end, now + ANSWERED_WITHIN)
            if pending is not None:
                waiting = [call for call in waiting if not (call.answered or call.refused)]
            self._hang_up_due(now, target)
            if not due and all(c.refused or (c.answered if hold is None else c.over) for c in calls):
                break
            soon = begin + due[-1][0] - now if due else 0.05
            self._turn(min(0.05, soon if pending is None else max(0.002, soon)), hold)
        return calls

    def idle(self, seconds: float) -> None:
        """Only answer what comes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._turn(min(left, 0.2), None)

    @property
    def up(self) -> list[Call]:
        """The calls that are answered and not over, oldest first."""
        return [call for call in self.calls.values() if call.answered and not call.over]

    def hang_up(self, target: Address, count: int | None = None) -> None:
        """End all calls that are up, or so many, the newest first; some hundred a second. Waits until they are over."""
        up = self.up[::-1][:count]
        for call in up:
            self.on_end(True, call.number)
            self._bye(call, target)
            self._turn(0.003, None)
        end = time.monotonic() + ANSWERED_WITHIN
        while not all(call.over for call in up) and time.monotonic() < end:
            self._turn(0.05, None)

    def close(self) -> None:
        self.trunk.close()
        self.agent.close()

    # --- one turn ---

    def _turn(self, wait: float, hold: float | None) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.trunk.socket, selectors.EVENT_READ)
            selector.register(self.agent.socket, selectors.EVENT_READ)
            selector.select(max(0.0, wait))
        for data, source, _ in self.agent.receive():
            self._at_agent(Message.parse(data), source)
        for data, source, stamp in self.trunk.receive():
            self._at_trunk(Message.parse(data), source, stamp, hold)

    def _at_trunk(self, m: Message, source: Address, stamp: float, hold: float | None) -> None:
        call = self.calls.get(m.call_id)
        if m.is_request or call is None:
            if call and m.method == "BYE":
                call.over = stamp
                self.on_end(True, call.number)
            self._any_request(self.trunk, m, source)
        elif m.cseq[1] == "BYE":
            call.over = call.over or stamp
        elif m.status >= 300:
            call.refused = m.status
            self._request(self.trunk, "ACK", call, source, m.get("To"), branch=parameter(m.get("Via"), "branch"))
        elif m.status >= 200:
            if call.answered is None:
                call.answered, call.remote = stamp, m.get("To")
                self._sound(True, call.number, m)
                if hold is not None:
                    heapq.heappush(self._byes, (time.monotonic() + hold, call.id))
            self._request(self.trunk, "ACK", call, source, m.get("To"))
        elif m.status > 100 and call.ringing is None:
            call.ringing = stamp

    def _at_agent(self, m: Message, source: Address) -> None:
        if m.method != "INVITE" or m.to_tag or not m.is_request:
            if m.method == "BYE" and m.call_id in self._legs:
                self.on_end(False, self._legs[m.call_id])
            self._any_request(self.agent, m, source)
            return
        number = self._legs.setdefault(m.call_id, len(self._legs))
        # Both at once: the agent adds nothing to the time to 180, and as little as can be to the time to 200.
        self.agent.send(_response(m, 180, self.agent, number), source)
        self.agent.send(_response(m, 200, self.agent, number, _description(self.rtp(False, number))), source)
        self._sound(False, number, m)

    def _any_request(self, wire: Wire, m: Message, source: Address) -> None:
        if m.is_request and m.method != "ACK":
            if m.method != "BYE":
                self.strange.append(m.start)
            wire.send(_response(m, 200, wire, 0), source)

    def _sound(self, trunk: bool, number: int, m: Message) -> None:
        if body := m.part("application/sdp"):
            self.on_sound(Sound(trunk, number, self.rtp(trunk, number), Sdp.parse(body).address))

    def _hang_up_due(self, now: float, target: Address) -> None:
        while self._byes and self._byes[0][0] <= now:
            self._bye(self.calls[heapq.heappop(self._byes)[1]], target)

    # --- requests of the trunk ---

    def _invite(self, target: Address, call: Call) -> None:
        body = _description(self.rtp(True, call.number))
        extra = f"Diversion: <sip:{call.diverted}@{HOST}>;reason=unconditional\r\nContent-Type: application/sdp\r\n"
        call.sent = self._request(self.trunk, "INVITE", call, target, extra=extra, body=body)

    def _bye(self, call: Call, target: Address) -> None:
        self._request(self.trunk, "BYE", call, target, call.remote)

    def _request(
        self,
        wire: Wire,
        method: str,
        call: Call,
        target: Address,
        to: str = "",
        *,
        branch: str = "",
        extra: str = "",
        body: bytes = b"",
    ) -> float:
        uri = f"sip:{CALLED}@{target[0]}:{target[1]}"
        head = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {wire.host}:{wire.port};branch={branch or 'z9hG4bK' + method + call.id};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{CALLER}@{HOST}>;tag={call.id[:8]}\r\nTo: {to or f'<{uri}>'}\r\n"
            f"Call-ID: {call.id}\r\nCSeq: {2 if method == 'BYE' else 1} {method}\r\n"
            f"Contact: <sip:trunk@{wire.host}:{wire.port}>\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        )
        return wire.send(head.encode() + body, target)


def _response(request: Message, status: int, wire: Wire, number: int, body: bytes = b"") -> bytes:
    """A response of an end that is at `wire`; `number` makes the To tag of a new dialog."""
    to = request.get("To") if request.to_tag else f"{request.get('To')};tag=a{number}"
    copied = [(name, value) for name in ("Via", "Record-Route") for value in request.all(name)]
    kept = [(name, request.get(name)) for name in ("From", "Call-ID", "CSeq")]
    lines = [f"{name}: {value}" for name, value in [*copied, *kept, ("To", to)]]
    lines.append(f"Contact: <sip:agent@{wire.host}:{wire.port}>")
    if body:
        lines.append("Content-Type: application/sdp")
    reason = {180: "Ringing", 200: "OK"}[status]
    return "\r\n".join([f"SIP/2.0 {status} {reason}", *lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _description(rtp: Address) -> bytes:
    """One G.711 A-law stream at this address, keys as telephone-events: what phones and trunks say today."""
    host, port = rtp
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
        f"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
    ).encode()
