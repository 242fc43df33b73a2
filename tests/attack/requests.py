"""Requests made by hand, and what a torture message is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NOBODY = "4008109999"
"A number nobody has: a request that is understood ends with 404."

SDP = (
    "v=0\r\no=- 20 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the address answers come to, and the address it is sent to."""

    host: str
    port: int
    to_host: str
    to_port: int
    serial: str
    "Makes branch, Call-ID and tag new."

    @property
    def at(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def to(self) -> str:
        return f"{self.to_host}:{self.to_port}"


@dataclass(frozen=True, slots=True)
class Torture:
    """One message."""

    name: str
    make: Callable[[Sender], bytes]
    statuses: frozenset[int]
    "Any of these is right."
    silence: bool = False
    "No answer is right as well."
    section: str = ""
    "Of RFC 4475, where it follows one; 5118/ before one of RFC 5118."


def request(
    sender: Sender,
    method: str = "INVITE",
    *,
    uri: str = "",
    via: str = "",
    to: str = "",
    from_: str = "",
    call_id: str = "",
    cseq: str = "",
    contact: str = "",
    extra: str = "",
    body: str | bytes | None = None,
    length: str | None = None,
    kind: str = "application/sdp",
    version: str = "SIP/2.0",
    forwards: str = "Max-Forwards: 70\r\n",
) -> bytes:
    """A sound request, with what is given in place of what is usual."""
    if body is None:
        body = SDP.format(host=sender.host) if method == "INVITE" else ""
    data = body.encode() if isinstance(body, str) else body
    lines = [
        f"{method} {uri or f'sip:{NOBODY}@{sender.to}'} {version}",
        via or f"Via: SIP/2.0/UDP {sender.at};branch=z9hG4bK{sender.serial};rport",
    ]
    head = "\r\n".join(lines) + "\r\n" + forwards
    head += from_ or f"From: <sip:02155550000@{sender.at}>;tag={sender.serial}\r\n"
    head += to or f"To: <sip:{NOBODY}@{sender.to}>\r\n"
    head += call_id or f"Call-ID: {sender.serial}@{sender.host}\r\n"
    head += cseq or f"CSeq: 1 {method}\r\n"
    head += contact or f"Contact: <sip:trunk@{sender.at}>\r\n"
    head += extra
    if data:
        head += f"Content-Type: {kind}\r\n"
    head += f"Content-Length: {len(data) if length is None else length}\r\n\r\n"
    return head.encode("utf-8", "surrogateescape") + data


def many(n: int, line: str) -> str:
    return "".join(line.format(i=i) for i in range(n))


UNDERSTOOD = frozenset({404})
BAD = frozenset({400})
