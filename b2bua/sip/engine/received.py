"""What a message that PJSIP has received says, where pjsua2 tells no more than that it came."""

from __future__ import annotations

import pjsua2 as pj

from b2bua.sip.message import BadMessage, Message


def received(prm: pj.OnCallStateParam | pj.OnCallRedirectedParam) -> str:
    """The message that caused a state, "" where none did."""
    event = prm.e
    if event.type != pj.PJSIP_EVENT_TSX_STATE or event.body.tsxState.type != pj.PJSIP_EVENT_RX_MSG:
        return ""
    return str(event.body.tsxState.src.rdata.wholeMsg)


def values(message: str, name: str) -> list[str]:
    """All values of a header in a received message, in order; none where only PJSIP can read it."""
    if name not in message.lower():
        return []  # most have no such header: they are not taken apart
    try:
        return Message.of(message).all(name)
    except BadMessage:
        return []


def describes_sound(message: str) -> bool:
    """Whether the body of a received message is SDP, alone or among others.  Accept may name the type as well."""
    if "application/sdp" not in message.lower():
        return False
    try:
        kind = Message.of(message).content_type
    except BadMessage:
        return False
    return kind == "application/sdp" or kind.startswith("multipart/")
