"""A message in its context: what a peer received and can reply to, what it sent and can repeat or wait for."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tests.peers.message import REASONS, Headers, Message, as_pairs, canonical
from tests.peers.sdp import Sdp
from tests.peers.wire import Route

if TYPE_CHECKING:
    from tests.peers.call import Call


class Auto:
    """The type of `AUTO`."""

    def __repr__(self) -> str:
        return "AUTO"


AUTO: Final = Auto()
"As SDP argument: let the peer write what fits (an offer in an INVITE, an answer in its 200, else nothing)."

SdpArgument = bytes | bool | None | Auto
"bytes as they are; True: the peer's own; None or False: none; AUTO."


def new_token(prefix: str = "") -> str:
    """A random tag, branch or Call-ID."""
    return f"{prefix}{random.getrandbits(64):016x}"


@dataclass(kw_only=True, eq=False, repr=False)
class Received(Message):
    """A message that came in, with the call it belongs to."""

    call: Call
    route: Route
    "Where it came from; replies go back there."
    replies: list[Message] = field(default_factory=list)
    "What we answered (requests only)."
    repeats: int = 0
    "How often exactly this message came again; such a repeat is answered as before and not shown to the test."
    taken: bool = False
    "Whether an `expect` has already returned it."

    @property
    def sdp(self) -> Sdp:
        """The session description in it. AssertionError when there is none."""
        body = self.part("application/sdp")
        assert body, f"no SDP in {self!r}"
        return Sdp.parse(body)

    @property
    def has_sdp(self) -> bool:
        return bool(self.part("application/sdp"))

    def reply(
        self,
        status: int,
        reason: str | None = None,
        *,
        sdp: SdpArgument = AUTO,
        headers: Headers = (),
        to_tag: str | None = None,
        reliable: bool = False,
        contact: str | None = None,
        body: bytes = b"",
        content_type: str = "",
    ) -> Message:
        """Answer this request, at once.

        Of an INVITE (and an UPDATE with an offer) a 2xx carries our SDP by itself, and our sound starts; `sdp=True`
        does the same in a 18x. `to_tag` answers as another branch of a fork; `reliable` makes a 18x one that wants a
        PRACK; `contact` is the Contact URI, "" for none. Headers given here replace ours of the same name.
        """
        call, dialog_making = self.call, self.method in ("INVITE", "UPDATE", "SUBSCRIBE", "REFER")
        pairs = [(name, value) for name, value in self.headers if canonical(name) in ("via", "record-route")]
        pairs += [("From", self.get("From")), ("To", self._to(status, to_tag))]
        pairs += [("Call-ID", self.call_id), ("CSeq", self.get("CSeq"))]
        uri = call.peer.uri if contact is None else contact
        if dialog_making and 100 < status < 400 and uri:
            pairs.append(("Contact", f"<{uri}>"))
        if reliable:
            call.rseq += 1
            pairs += [("Require", "100rel"), ("RSeq", str(call.rseq))]
        description = call.description_for_reply(self, status, sdp)
        if description:
            body, content_type = description, "application/sdp"
        if content_type:
            pairs.append(("Content-Type", content_type))
        message = Message(start=f"SIP/2.0 {status} {reason or REASONS.get(status, 'Reply')}", body=body)
        message.headers = merge(pairs, headers)
        if not message.has("Content-Length"):
            message.headers.append(("Content-Length", str(len(body))))
        self.replies.append(message)
        call.replied(self, message, to_tag)
        call.peer.transmit(message, self.route)
        return message

    def _to(self, status: int, to_tag: str | None) -> str:
        value = self.get("To")
        return value if self.to_tag or status == 100 else f"{value};tag={to_tag or self.call.dialogs.local_tag}"

    def again(self) -> None:
        """Send the last reply once more, byte for byte."""
        self.call.peer.transmit(self.replies[-1], self.route)


@dataclass(kw_only=True, eq=False, repr=False)
class Sent(Message):
    """A request we sent; its responses are found by its branch."""

    call: Call
    route: Route
    merged: bool = False
    "A copy under another branch; only its own `expect` sees its responses."

    async def expect(self, what: int | str, within: float | None = None) -> Received:
        """Wait for a response to this very request: a status, or a class such as "2xx" or "18x"."""
        return await self.call.peer.expect(what, within=within, call=self.call, branch=self.branch)

    def again(self, *, branch: str | None = None) -> Sent:
        """Send it once more: as it was (a retransmission), or with another branch (a merged request).

        `branch="new"` invents one. Returns what was sent, to wait for its own response.
        """
        if branch is None:
            self.call.peer.transmit(self, self.route)
            return self
        wanted = new_token("z9hG4bK") if branch == "new" else branch
        other = replace(
            self, headers=[(n, v.replace(self.branch, wanted)) for n, v in self.headers], raw=b"", merged=True
        )
        self.call.sent.append(other)
        self.call.peer.transmit(other, self.route)
        return other

    def failure_ack(self, response: Message) -> Message:
        """The ACK that belongs to the same transaction as a final failure (RFC 3261 section 17.1.1.3)."""
        kept = {"Via", "From", "Call-ID", "Route", "Max-Forwards"}
        message = Message(start=self.start.replace("INVITE", "ACK", 1))
        message.headers = [p for p in self.headers if p[0] in kept]
        message.headers += [("To", response.get("To")), ("CSeq", f"{self.cseq[0]} ACK"), ("Content-Length", "0")]
        return message


def merge(ours: list[tuple[str, str]], given: Headers) -> list[tuple[str, str]]:
    """Our headers and the test's; one given by the test replaces ours of that name, an empty value removes it."""
    extra = as_pairs(given)
    names = {canonical(name) for name, _ in extra}
    return [p for p in ours if canonical(p[0]) not in names] + [p for p in extra if p[1] != ""]
