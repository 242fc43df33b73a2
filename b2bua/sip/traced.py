"""SIP messages as they were on the wire, for operators: what is secret in them is masked before anybody sees them.

A mask has the length of what it hides, so that Content-Length stays right and other programs can read the message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

TRANSPORTS = ("other", "udp", "tcp", "tls")
"By the number that native/trace.c gives them."

_AUTHORIZATION = re.compile(
    rb"^((?:Proxy-)?Authorization[ \t]*:[ \t]*)(\S+)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE
)
_DIGEST_PART = re.compile(rb"\b((?:response|cnonce|rspauth)[ \t]*=[ \t]*\"?)([^\",\s]+)", re.IGNORECASE)
_AUTHENTICATION_INFO = re.compile(rb"^(Authentication-Info[ \t]*:)([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_SECRETS = (
    re.compile(rb"()(?<=inline:)([^|;\s]+)", re.IGNORECASE),  # SDES (RFC 4568 9.2): also one behind another
    re.compile(rb"^(a=key-mgmt:\S+[ \t]+)([^\r\n]+)", re.IGNORECASE | re.MULTILINE),
    re.compile(rb"^(a=ice-pwd:)([^\r\n]+)", re.IGNORECASE | re.MULTILINE),
    re.compile(rb"^(k=[a-z]+:?)([^\r\n]*)", re.IGNORECASE | re.MULTILINE),
    re.compile(rb"()(tdm_[A-Za-z0-9_-]+)"),
    re.compile(rb"^(Signal[ \t]*=[ \t]*)([^\r\n]+)", re.IGNORECASE | re.MULTILINE),  # keys may be a PIN or a card
)
_DTMF = re.compile(rb"^(?:Content-Type|c)[ \t]*:[ \t]*application/dtmf[ \t]*(?:;|\r?$)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Traced:
    """One message."""

    time: float
    "Epoch seconds."
    sent: bool
    "By us."
    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]
    data: bytes
    "Without its secrets."

    @property
    def source(self) -> tuple[str, int]:
        return self.local if self.sent else self.remote

    @property
    def target(self) -> tuple[str, int]:
        return self.remote if self.sent else self.local

    @property
    def start_line(self) -> str:
        return _text(self.data.lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r"))

    @property
    def text(self) -> str:
        """The message; octets that are no UTF-8 stand as escapes."""
        return _text(self.data)

    @property
    def call_id(self) -> bytes:
        """As written; empty where it has none that can be found."""
        head = self.data.split(b"\r\n\r\n", 1)[0]
        found = _CALL_ID.search(head)
        return found[1].strip() if found else b""


_CALL_ID = re.compile(rb"^(?:Call-ID|i)[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)


def traced(row: tuple[float, int, int, bytes, int, bytes, int, bytes]) -> Traced:
    """A message as native/trace.c gives it, masked."""
    time, sent, transport, local, here, remote, there, data = row
    name = TRANSPORTS[transport] if 0 <= transport < len(TRANSPORTS) else TRANSPORTS[0]
    return Traced(
        time, bool(sent), name, (str(ip_address(local)), here), (str(ip_address(remote)), there), masked(data)
    )


def masked(data: bytes) -> bytes:
    """The message without its secrets: answers to digest challenges, other credentials, media keys, keys pressed."""
    if b"uthorization" in data or b"uthentication-" in data or b"UTH" in data:
        data = _AUTHORIZATION.sub(_credentials, data)
        data = _AUTHENTICATION_INFO.sub(lambda found: found[1] + _DIGEST_PART.sub(_hidden, found[2]), data)
    for secret in _SECRETS:
        data = secret.sub(_hidden, data)
    if _DTMF.search(data):
        head, blank, body = data.partition(b"\r\n\r\n")
        data = head + blank + re.sub(rb"[^\r\n]", b"x", body)
    return data


def _credentials(found: re.Match[bytes]) -> bytes:
    name, scheme, rest = found[1], found[2], found[3]
    if scheme.lower() == b"digest":
        return name + scheme + _DIGEST_PART.sub(_hidden, rest)
    return name + scheme + re.sub(rb"[^\r\n \t]", b"x", rest)


def _hidden(found: re.Match[bytes]) -> bytes:
    return found[1] + b"x" * len(found[2])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
