"""The signalling of one call, live or over: as JSON, and as a capture file."""

from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from b2bua.calls.operation import LegView
from b2bua.sip.pcap import pcap
from b2bua.sip.traced import Traced
from b2bua.web.desk import Desk, TheDesk, Tracer
from b2bua.web.models import Epoch, Out, made_aside
from b2bua.web.operation import operation_of

router = APIRouter(prefix="/v1/calls", tags=["live calls"])

PCAP = "application/vnd.tcpdump.pcap"


class LegOut(Out):
    """A leg: the caller's, an agent's, a number's."""

    n: int
    role: str
    party: str | None
    sip_call_id: str | None


class MessageOut(Out):
    """One SIP message."""

    time: Epoch
    leg: int | None = Field(description="The leg it belongs to, as `n` of `legs`.")
    sent: bool = Field(description="By us; else received.")
    transport: str
    source: str = Field(examples=["198.51.100.7:5060"])
    target: str
    start_line: str = Field(examples=["INVITE sip:4008100001@203.0.113.5 SIP/2.0"])
    text: str = Field(description="The whole message; secrets are shown as x.")


class TraceOut(Out):
    """The messages of a call that are kept, oldest first."""

    id: str
    legs: list[LegOut]
    messages: list[MessageOut]
    oldest: Epoch | None = Field(description="What was before this is forgotten, of all calls; null: nothing is kept.")


@router.get("/{id}/trace", response_model=TraceOut)
async def show_trace(id: str, desk: TheDesk, caller: Tracer) -> Response:
    """Every SIP message of a call, of all its legs."""
    legs, messages = await _trace(desk, id)
    await desk.note(caller, "trace", "call", id)
    numbers = {leg.sip_call_id.encode("utf-8", "surrogateescape"): leg.n for leg in legs if leg.sip_call_id}
    oldest = operation_of(desk).oldest_message()
    return await made_aside(
        lambda: TraceOut(
            id=id,
            legs=[LegOut.model_validate(leg) for leg in legs],
            messages=[_shown(one, numbers) for one in messages],
            oldest=oldest or None,
        )
    )


@router.get("/{id}/trace.pcap", response_class=Response, responses={200: {"content": {PCAP: {}}}})
async def fetch_trace(id: str, desk: TheDesk, caller: Tracer) -> Response:
    """The same as a capture file, for Wireshark and its like; every message is a UDP datagram in it."""
    _, messages = await _trace(desk, id)
    await desk.note(caller, "trace", "call", id)
    return Response(pcap(messages), media_type=PCAP)


async def _trace(desk: Desk, id: str) -> tuple[Sequence[LegView], Sequence[Traced]]:
    operation = operation_of(desk)
    legs = operation.legs(id)
    if legs is None:
        record = await desk.cdrs.get(id)
        legs = [LegView(part.n, part.role, part.party, part.sip_call_id) for part in record.parts]
    return legs, await operation.messages(leg.sip_call_id for leg in legs if leg.sip_call_id)


def _shown(message: Traced, legs: dict[bytes, int]) -> MessageOut:
    return MessageOut(
        time=message.time,
        leg=legs.get(message.call_id),
        sent=message.sent,
        transport=message.transport,
        source=_address(message.source),
        target=_address(message.target),
        start_line=message.start_line,
        text=message.text,
    )


def _address(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
