"""One call of a peer: every request a phone can send in it, and where its sound goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.peers.dialog import Dialog, Dialogs
from tests.peers.exchange import AUTO, Auto, Received, SdpArgument, Sent, merge, new_token
from tests.peers.message import Headers, Message, destination_of
from tests.peers.rtp import Rtp
from tests.peers.sdp import Sdp
from tests.peers.wire import Address

if TYPE_CHECKING:
    from tests.peers.peer import Peer

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, NOTIFY, REFER, MESSAGE"


class Call:
    """All messages with one Call-ID. Requests are built from the current dialog: the last one that was answered."""

    def __init__(self, peer: Peer, dialogs: Dialogs, rtp: Rtp | None) -> None:
        self.peer, self.dialogs, self.rtp = peer, dialogs, rtp
        self.cseq = 0
        "Number of our last request; change it to skip numbers."
        self.rseq = 0
        self.sent: list[Sent] = []
        self.received: list[Received] = []
        self.acks: dict[str, Sent] = {}
        self.remote_sdp: Sdp | None = None
        "The last description from the other side."
        self.direction = "sendrecv"
        "What we want ourselves; set by hold and resume."
        self.described = False
        self.ended = False

    @property
    def call_id(self) -> str:
        return self.dialogs.call_id

    @property
    def up(self) -> bool:
        """Answered and not ended."""
        return not self.ended and self.dialogs.current is not None and self.dialogs.current.established

    @property
    def invite_sent(self) -> Sent:
        """The last INVITE we sent."""
        return next(s for s in reversed(self.sent) if s.method == "INVITE")

    @property
    def invite_received(self) -> Received:
        """The last INVITE that came in."""
        return next(r for r in reversed(self.received) if r.is_request and r.method == "INVITE")

    @property
    def statuses(self) -> list[int]:
        """The status codes received to our first request, in order, repeats left out."""
        return [r.status for r in self.received if r.status and r.cseq == self.sent[0].cseq]

    # --- waiting ---

    async def expect(
        self, what: int | str, *, within: float | None = None, method: str | None = None, branch: str | None = None
    ) -> Received:
        """As `Peer.expect`, for this call only."""
        return await self.peer.expect(what, within=within, call=self, method=method, branch=branch)

    async def answered(self, within: float | None = None) -> Received:
        """Wait for the 200 to our INVITE and acknowledge it."""
        response = await self.expect(200, within=within, method="INVITE")
        await self.ack(response)
        return response

    # --- requests ---

    async def send(
        self,
        method: str,
        *,
        headers: Headers = (),
        sdp: SdpArgument = None,
        body: bytes = b"",
        content_type: str = "",
        dialog: Dialog | None = None,
        cseq: int | None = None,
    ) -> Sent:
        """Send any request in the dialog; `cseq` overrides the number, for wrong ones."""
        at = dialog or self.dialogs.current
        assert at is not None, f"{self!r} has no dialog yet\n{self.peer.ladder()}"
        if cseq is None:
            self.cseq += 1
        number = self.cseq if cseq is None else cseq
        message = self.dialogs.request(method, at.target, number, self.peer.via(new_token("z9hG4bK")), at)
        if method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE"):
            message.headers.append(("Contact", f"<{self.peer.uri}>"))
        self._fill(message, headers, sdp, body, content_type)
        return await self._dispatch(message, self._hop(at))

    async def ack(self, response: Received | None = None, *, sdp: SdpArgument = AUTO, headers: Headers = ()) -> Sent:
        """Acknowledge a 200 (by default the last one received); where it carried the offer, our answer goes along."""
        answered = response or next(
            r for r in reversed(self.received) if 200 <= r.status < 300 and r.cseq[1] == "INVITE"
        )
        dialog = self.dialogs.all[answered.to_tag]
        invite = next(s for s in self.sent if s.cseq == answered.cseq)
        via = self.peer.via(new_token("z9hG4bK"))
        message = self.dialogs.request("ACK", dialog.target, answered.cseq[0], via, dialog)
        if isinstance(sdp, Auto):
            owed = answered.has_sdp and not invite.body and self.rtp is not None
            sdp = self.peer.answer(answered.sdp, rtp=self.rtp) if owed else None
        self._fill(message, headers, sdp, b"", "")
        sent = self.acks[answered.to_tag] = await self._dispatch(message, self._hop(dialog))
        if message.body:
            self.follow()
        return sent

    async def bye(self, *, headers: Headers = (), dialog: Dialog | None = None) -> Sent:
        """Hang up."""
        self.end()
        return await self.send("BYE", headers=headers, dialog=dialog)

    async def cancel(self, *, headers: Headers = ()) -> Sent:
        """Give up the INVITE that is still unanswered (RFC 3261 section 9)."""
        invite = self.invite_sent
        kept = {"Via", "From", "To", "Call-ID", "Route", "Max-Forwards"}
        message = Message(start=invite.start.replace("INVITE", "CANCEL", 1))
        message.headers = [p for p in invite.headers if p[0] in kept] + [("CSeq", f"{invite.cseq[0]} CANCEL")]
        self._fill(message, headers, None, b"", "")
        return await self._dispatch(message, invite.route.remote)

    async def reinvite(self, *, sdp: SdpArgument = True, headers: Headers = ()) -> Sent:
        """A re-INVITE; `sdp=None` makes it one without an offer."""
        return await self.send("INVITE", sdp=sdp, headers=headers)

    async def update(self, *, sdp: SdpArgument = None, headers: Headers = ()) -> Sent:
        """An UPDATE (RFC 3311), without an offer unless one is given."""
        return await self.send("UPDATE", sdp=sdp, headers=headers)

    async def hold(self, direction: str = "sendonly", *, c: str | None = None) -> Received:
        """Put the other side on hold by re-INVITE and stop sending; returns the 200. `c="0.0.0.0"` is the old way."""
        self.direction = "inactive"
        sent = await self.reinvite(sdp=self.peer.sdp(direction=None if c else direction, c=c, rtp=self.rtp))
        response = await sent.expect(200)
        await self.ack(response)
        self.follow()
        return response

    async def resume(self) -> Received:
        """Take the call back from hold; returns the 200."""
        self.direction = "sendrecv"
        response = await (await self.reinvite()).expect(200)
        await self.ack(response)
        self.follow()
        return response

    async def prack(self, response: Received, *, sdp: SdpArgument = None, headers: Headers = ()) -> Sent:
        """Acknowledge a reliable provisional response (RFC 3262)."""
        pairs = merge([("RAck", f"{response.get('RSeq')} {response.get('CSeq')}")], headers)
        return await self.send("PRACK", headers=pairs, sdp=sdp, dialog=self.dialogs.all[response.to_tag])

    async def info(self, body: bytes, content_type: str, *, headers: Headers = ()) -> Sent:
        return await self.send("INFO", body=body, content_type=content_type, headers=headers)

    async def info_digit(self, digit: str, milliseconds: int = 160) -> Sent:
        """A key by SIP INFO, application/dtmf-relay."""
        return await self.info(f"Signal={digit}\r\nDuration={milliseconds}\r\n".encode(), "application/dtmf-relay")

    async def options(self, *, headers: Headers = ()) -> Sent:
        return await self.send("OPTIONS", headers=headers)

    async def notify(self, event: str, *, body: bytes = b"", content_type: str = "", headers: Headers = ()) -> Sent:
        pairs = merge([("Event", event), ("Subscription-State", "active")], headers)
        return await self.send("NOTIFY", headers=pairs, body=body, content_type=content_type)

    async def refer(self, to: str, *, headers: Headers = ()) -> Sent:
        """Ask the other side to call `to` (RFC 3515)."""
        return await self.send("REFER", headers=merge([("Refer-To", f"<{to}>")], headers))

    async def start(
        self,
        method: str,
        uri: str,
        hop: Address,
        *,
        headers: Headers,
        sdp: SdpArgument,
        body: bytes,
        content_type: str,
    ) -> Sent:
        """Send the first request of a call; `Peer.invite` and `Peer.request` are the ways in."""
        self.cseq += 1
        message = self.dialogs.request(method, uri, self.cseq, self.peer.via(new_token("z9hG4bK")), None)
        message.headers += [("Contact", f"<{self.peer.uri}>"), ("Allow", ALLOW)]
        self._fill(message, headers, sdp, body, content_type)
        return await self._dispatch(message, hop)

    # --- what the peer tells us ---

    def take(self, message: Received) -> None:
        """Learn from a message that came in."""
        self.received.append(message)
        if message.is_request and message.method == "BYE":
            self.end()
        elif message.is_request and message.method in ("INVITE", "UPDATE"):
            self.dialogs.refresh(message.to_tag, message.contact)
        elif message.cseq[1] == "INVITE" and message.to_tag and 100 < message.status < 300:
            self.dialogs.as_caller(message)
        elif message.cseq[1] == "INVITE" and message.status >= 300 and not self.up:
            self.end()
        if message.has_sdp and message.status < 300:
            self.remote_sdp = message.sdp
            if self.described:
                self.follow()

    def replied(self, request: Received, reply: Message, to_tag: str | None) -> None:
        """Learn from a reply of ours."""
        if request.method == "INVITE" and not request.to_tag:
            if 100 < reply.status < 300:
                self.dialogs.as_callee(request, reply.status, to_tag or self.dialogs.local_tag)
            elif reply.status >= 300:
                self.end()
        if reply.body and reply.content_type == "application/sdp":
            self.follow()

    def description_for_reply(self, request: Received, status: int, sdp: SdpArgument) -> bytes:
        """The SDP a reply carries; empty for none."""
        if isinstance(sdp, Auto):
            owed = request.method == "INVITE" or (request.method == "UPDATE" and request.has_sdp)
            sdp = owed and 200 <= status < 300 and self.rtp is not None
        if not sdp:
            return b""
        self.described = True
        if isinstance(sdp, bytes):
            return sdp
        return self.peer.answer(request.sdp, rtp=self.rtp) if request.has_sdp else self.peer.sdp(rtp=self.rtp)

    def follow(self) -> None:
        """Point our sound where the last description from the other side wants it."""
        if self.rtp and self.remote_sdp and not self.ended and any(m.kind == "audio" for m in self.remote_sdp.media):
            sending = self.direction in ("sendrecv", "sendonly")
            self.rtp.follow(self.remote_sdp, send=sending, codecs=self.peer.codecs)

    def end(self) -> None:
        """The call is over: stop its sound."""
        self.ended = True
        if self.rtp:
            self.rtp.pause()

    # --- building ---

    def _fill(self, message: Message, headers: Headers, sdp: SdpArgument, body: bytes, content_type: str) -> None:
        if isinstance(sdp, Auto):
            sdp = self.rtp is not None and not body
        if sdp is True:
            sdp = self.peer.sdp(rtp=self.rtp)
        if isinstance(sdp, bytes):
            body, content_type, self.described = sdp, "application/sdp", True
        if content_type:
            message.headers.append(("Content-Type", content_type))
        message.body = body
        message.headers = merge(message.headers, headers)
        if not message.has("Content-Length"):
            message.headers.append(("Content-Length", str(len(body))))

    def _hop(self, dialog: Dialog) -> Address:
        if self.peer.proxy:
            return self.peer.proxy
        host, port, _ = destination_of(dialog.routes[0] if dialog.routes else dialog.target)
        return host, port

    async def _dispatch(self, message: Message, hop: Address) -> Sent:
        route = await self.peer.wire.route(hop)
        sent = Sent(start=message.start, headers=message.headers, body=message.body, call=self, route=route)
        self.sent.append(sent)
        self.peer.transmit(sent, route)
        return sent

    def __repr__(self) -> str:
        state = "ended" if self.ended else "up" if self.up else "early"
        return f"<Call {self.call_id[:12]} {self.dialogs.local} -> {self.dialogs.remote} {state}>"
