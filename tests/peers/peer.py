"""A scriptable SIP peer: one socket, any number of calls, and tests that read like a description of the wire.

It has no transaction layer on purpose: nothing is repeated, timed out or answered that a test cannot see or switch off.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import Self

from tests.peers.call import Call
from tests.peers.dialog import Dialogs
from tests.peers.exchange import AUTO, Received, SdpArgument, Sent, new_token
from tests.peers.ladder import Ladder
from tests.peers.message import Headers, Message, destination_of
from tests.peers.rtp import Rtp
from tests.peers.voice import Voice
from tests.peers.waiting import PATIENCE, deadline
from tests.peers.wanted import Wanted
from tests.peers.wire import Address, Route, Tls, Wire

AUTOMATIC = frozenset({"BYE", "CANCEL", "OPTIONS", "PRACK", "INFO", "NOTIFY", "MESSAGE"})
"Requests answered with 200 at once (CANCEL: and 487 to its INVITE); a test still gets them from `expect`."

Target = Address | str
"Where to send a first request: (host, port) or a SIP URI with a literal address."


class Unexpected(AssertionError):
    """The wait was in vain; the message shows the ladder of everything sent and received."""


class Peer(Voice):
    """Use `Caller.open()` or `Phone.open()`; both are async context managers too."""

    def __init__(
        self, name: str, host: str, transport: str, tls: Tls | None, rtp: Rtp | None, codecs: Sequence[str]
    ) -> None:
        super().__init__(name, host, rtp, codecs)
        self.transport = transport
        self.wire = Wire(host, transport, self._received, tls)
        self.proxy: Address | None = None
        "Send every request there whatever Contact and routes say: for a server that advertises an unreachable address."
        self.automatic: set[str] = set(AUTOMATIC)
        self.trying = True
        "Whether a new INVITE gets a 100 at once, as every phone does; without it the server repeats the INVITE."
        self.calls: list[Call] = []
        self.history = Ladder()
        self.garbage: list[bytes] = []
        self._seen: dict[tuple[object, ...], Received] = {}
        self._news = asyncio.Event()

    @classmethod
    async def open(
        cls,
        name: str = "",
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        transport: str = "udp",
        tls: Tls | None = None,
        sound: bool = True,
        tone: float | None = None,
        codecs: Sequence[str] = ("PCMA", "PCMU"),
        manual: Sequence[str] = (),
        trying: bool = True,
    ) -> Self:
        """Bind the socket (and a sound end point).

        `manual` names requests the test answers itself although a phone would do it at once (see AUTOMATIC).
        """
        codec = next((c for c in codecs if c in ("PCMA", "PCMU")), "PCMA")
        point = Rtp(host, tone=tone, codec=codec) if sound else None
        peer = cls(name or cls.__name__.lower(), host, transport, tls, point, codecs)
        peer.trying = trying
        peer.automatic -= set(manual)
        try:
            await peer.wire.open(port)
        except BaseException:
            if point:
                point.close()
            raise
        return peer

    async def close(self) -> None:
        """Hang up what is still up, without waiting for the answer, and close the sockets."""
        for call in self.calls:
            if call.up:
                try:
                    await call.bye()
                except OSError:
                    continue
        if self.rtp:
            self.rtp.close()
        await self.wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def address(self) -> Address:
        return self.host, self.wire.port

    @property
    def port(self) -> int:
        return self.wire.port

    @property
    def literal_host(self) -> str:
        """The host as URIs and Via write it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def uri(self) -> str:
        """Our contact: what the server may be told as an agent's address."""
        tail = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{self.name}@{self.literal_host}:{self.port}{tail}"

    def via(self, branch: str) -> str:
        return f"SIP/2.0/{self.transport.upper()} {self.literal_host}:{self.port};branch={branch};rport"

    @property
    def call(self) -> Call:
        """The newest call."""
        assert self.calls, f"{self.name} has no call"
        return self.calls[-1]

    # --- placing ---

    async def invite(
        self,
        target: Target,
        user: str = "",
        *,
        caller: str = "",
        name: str = "",
        sdp: SdpArgument = AUTO,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str = "",
        call_id: str | None = None,
        from_tag: str | None = None,
        to: str | None = None,
        rtp: Rtp | None = None,
    ) -> Call:
        """Start a call to `user` at `target`, From `caller` (a number) with display `name`.

        SDP: an offer of ours by itself; bytes as given; None for a delayed offer. A body with content type goes out
        as it is. `call_id` and `from_tag` repeat an earlier attempt; `rtp` is a sound end point of its own.
        """
        call, uri, hop = self._new_call(target, user, caller, name, call_id, from_tag, to, rtp)
        await call.start("INVITE", uri, hop, headers=headers, sdp=sdp, body=body, content_type=content_type)
        return call

    async def request(
        self, method: str, target: Target, user: str = "", *, caller: str = "", headers: Headers = (), body: bytes = b""
    ) -> Sent:
        """Any request outside a dialog (OPTIONS, REGISTER, MESSAGE, nonsense)."""
        call, uri, hop = self._new_call(target, user, caller, "", None, None, None, None)
        return await call.start(method, uri, hop, headers=headers, sdp=None, body=body, content_type="")

    async def send_raw(self, data: bytes, target: Target) -> None:
        """Bytes as they are: broken SIP, half a message, no SIP at all."""
        _, hop = self._resolve(target, "")
        (await self.wire.route(hop)).send(data)

    # --- waiting ---

    async def expect(
        self,
        what: int | str,
        *,
        within: float | None = None,
        call: Call | None = None,
        user: str | None = None,
        method: str | None = None,
        branch: str | None = None,
        where: Callable[[Received], bool] | None = None,
    ) -> Received:
        """Wait for a message nobody has taken yet and return it.

        `what`: "INVITE" (any method), 180, or a class such as "2xx" or "18x". A response is one to the last request we
        sent (ACK, CANCEL and PRACK do not count); `method` or `branch` say otherwise. `user` is the user of the
        Request-URI. A final failure that comes instead of the awaited status ends the wait at once.
        """
        wanted = Wanted(what, method, branch, user)
        end = deadline(within)
        while True:
            pool = call.received if call else sorted((m for c in self.calls for m in c.received), key=lambda m: m.time)
            for message in pool:
                if not message.taken and wanted.fits(message) and (where is None or where(message)):
                    message.taken = True
                    return message
            failure = next((m for m in pool if not m.taken and wanted.is_refused_by(m)), None)
            if failure is not None:
                raise Unexpected(f"{self.name} expected {what}, got {failure.start}\n{self.ladder()}")
            self._news.clear()
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + end - time.monotonic()):
                    await self._news.wait()
            except TimeoutError:
                limit = PATIENCE if within is None else within
                raise Unexpected(f"{self.name}: no {what} within {limit:g} s\n{self.ladder()}") from None

    def got(self, what: int | str, call: Call | None = None) -> list[Received]:
        """Everything of a kind received so far, taken or not: for "it came once" and "it never came"."""
        wanted = Wanted(what, None, None, None)
        return [m for c in ([call] if call else self.calls) for m in c.received if wanted.matches(m)]

    # --- the newest call's verbs, so that a test with one call need not name it ---

    async def answered(self, within: float | None = None) -> Received:
        """Wait for the 200 to our INVITE and acknowledge it."""
        return await self.call.answered(within)

    async def ack(self, response: Received | None = None, *, sdp: SdpArgument = AUTO) -> Sent:
        return await self.call.ack(response, sdp=sdp)

    async def bye(self, *, headers: Headers = ()) -> Sent:
        return await self.call.bye(headers=headers)

    send_bye = bye

    async def cancel(self, *, headers: Headers = ()) -> Sent:
        return await self.call.cancel(headers=headers)

    async def hold(self, direction: str = "sendonly", *, c: str | None = None) -> Received:
        return await self.call.hold(direction, c=c)

    async def resume(self) -> Received:
        return await self.call.resume()

    # --- the wire ---

    def transmit(self, message: Message, route: Route) -> None:
        """Put a message on the wire and into the history."""
        message.raw = message.raw or bytes(message)
        self.history.add("->", message, route)
        route.send(message.raw)

    def _received(self, data: bytes, route: Route) -> None:
        try:
            message = Message.parse(data)
        except ValueError:
            self.garbage.append(data)
            return
        received = Received(
            start=message.start,
            headers=message.headers,
            body=message.body,
            raw=data,
            time=time.monotonic(),
            call=self._call_of(message),
            route=route,
        )
        known = self._seen.setdefault(_identity(received), received)
        self.history.add("<-" if known is received else "<=", received, route)
        if known is not received:
            self._repeat(known)
            return
        received.call.take(received)
        self._react(received)
        self._news.set()

    def _repeat(self, known: Received) -> None:
        """The other side sent something again: so do we, as a transaction would."""
        known.repeats += 1
        if known.is_request and known.replies:
            known.again()
        elif known.status >= 200 and known.cseq[1] == "INVITE":
            self._acknowledge(known)

    def _react(self, received: Received) -> None:
        if received.status >= 300 and received.cseq[1] == "INVITE":
            self._acknowledge(received)
        if not received.is_request:
            return
        if received.method == "INVITE" and not received.to_tag and self.trying:
            received.reply(100)
        if received.method not in self.automatic:
            return
        received.reply(200, sdp=None)
        if received.method == "CANCEL":
            for invite in received.call.received:
                cancelled = invite.is_request and invite.method == "INVITE" and invite.branch == received.branch
                if cancelled and not any(r.status >= 200 for r in invite.replies):
                    invite.reply(487)

    def _acknowledge(self, response: Received) -> None:
        """ACK of a failure (the INVITE's own transaction); of a 200 only again, the first is the test's."""
        if response.status < 300:
            if ack := response.call.acks.get(response.to_tag):
                ack.again()
            return
        for invite in response.call.sent:
            if invite.branch == response.branch and invite.method == "INVITE":
                self.transmit(invite.failure_ack(response), invite.route)
                return

    # --- bookkeeping ---

    def _new_call(
        self,
        target: Target,
        user: str,
        caller: str,
        name: str,
        call_id: str | None,
        from_tag: str | None,
        to: str | None,
        rtp: Rtp | None,
    ) -> tuple[Call, str, Address]:
        uri, hop = self._resolve(target, user)
        display = f'"{name}" ' if name else ""
        local = f"{display}<sip:{caller or self.name}@{self.literal_host}>"
        identity = call_id or f"{new_token()}@{self.host}"
        dialogs = Dialogs(identity, local, f"<{to or uri}>", from_tag or new_token())
        call = Call(self, dialogs, rtp or self.rtp)
        self.calls.append(call)
        return call, uri, hop

    def _call_of(self, message: Message) -> Call:
        """The call a message belongs to; a first request makes a new one."""
        for call in reversed(self.calls):
            if call.call_id == message.call_id:
                return call
        local, _, _ = message.get("To").partition(";tag=")
        remote = re.sub(r";tag=[^;]*", "", message.get("From"))
        dialogs = Dialogs(message.call_id, re.sub(r";tag=[^;]*", "", local), remote, message.to_tag or new_token())
        call = Call(self, dialogs, self.rtp)
        self.calls.append(call)
        return call

    def _resolve(self, target: Target, user: str) -> tuple[str, Address]:
        if isinstance(target, str):
            host, port, _ = destination_of(target)
            return target, (host, port)
        host, port = target
        literal = f"[{host}]" if ":" in host else host
        tail = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{user + '@' if user else ''}{literal}:{port}{tail}", (host, port)

    def ladder(self) -> str:
        """Everything sent and received, one line each: what a failed test prints."""
        return f"{self.name} {self.transport} {self.host}:{self.port}\n{self.history.lines()}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.transport} {self.host}:{self.port} calls={len(self.calls)}>"


def _identity(message: Received) -> tuple[object, ...]:
    """What two copies of the same message share: requests by transaction, responses byte for byte."""
    if message.is_request:
        return (message.call_id, message.branch, message.cseq)
    return (message.raw,)
