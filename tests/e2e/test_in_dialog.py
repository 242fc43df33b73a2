"""Requests inside a call, for a dead call and without any: each has one answer, and none reaches the other leg."""

import asyncio
import socket
from collections.abc import Mapping
from functools import partial
from itertools import count
from typing import ClassVar, Self

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, hear_each_other, ringing, talking
from tests.peers.exchange import Sent
from tests.peers.peer import Peer
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import PATIENCE, eventually

ALLOWED = {"invite", "ack", "cancel", "bye", "prack", "update", "info", "options"}

IN_DIALOG = [
    ("OPTIONS", 200),
    ("INFO", 200),
    ("REFER", 603),
    ("NOTIFY", 489),
    ("MESSAGE", 405),
    ("SUBSCRIBE", 405),
    ("PUBLISH", 405),
    ("REGISTER", 405),
    ("FROBNICATE", 501),
]
NEEDED = {
    "REFER": {"Refer-To": "<sip:premium@203.0.113.9>"},
    "NOTIFY": {"Event": "refer", "Subscription-State": "active"},
    "SUBSCRIBE": {"Event": "dialog", "Expires": "60"},
}
BODIES = {"INFO": (b"what we do not know", "application/x-unknown"), "MESSAGE": (b"hello", "text/plain")}


def both(side: str, caller: Caller, phone: Phone) -> tuple[Peer, Peer]:
    return (caller, phone) if side == "trunk" else (phone, caller)


def passed_on(peer: Peer) -> list[str]:
    """Methods of what the server asked for inside the peer's call."""
    return [m.method for call in peer.calls for m in call.received if m.is_request and m.to_tag and m.method != "ACK"]


@pytest.mark.parametrize("side", ["trunk", "agent"])
async def test_each_request_in_a_call_gets_its_answer_and_stays_on_its_leg(
    server: Server, caller: Caller, phone: Phone, side: str
) -> None:
    """Bridge, topology: every method, each sent twice (a retransmission is absorbed); the call goes on."""
    await talking(server, caller, phone)
    one, other = both(side, caller, phone)
    for method, status in IN_DIALOG:
        body, kind = BODIES.get(method, (b"", ""))
        sent = await one.call.send(method, headers=NEEDED.get(method, {}), body=body, content_type=kind)
        if method == "REFER" and side == "agent":
            status = 202  # what comes of it he is told: nothing, with this target
        answer = await sent.expect(status)
        if status == 202:
            assert (await one.expect("NOTIFY")).body.startswith(b"SIP/2.0 403 ")
        sent.again()
        await eventually(partial(getattr, answer, "repeats"), f"{method}: the same answer again")
        answers = [m for m in one.call.received if m.status and m.cseq == sent.cseq]
        assert len(answers) == 1, f"{method}: {answers}"
        if status in (405, 501):
            assert answer.tokens("Allow") == ALLOWED
    await hear_each_other(caller, phone)
    assert passed_on(other) == []
    assert len(await server.api.calls()) == 1
    await end(caller, phone)


async def test_events_nobody_asked_for_are_refused_by_their_kind(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 6665 4.1.3, 8.2.2: 489 with Allow-Events in a call, whatever the package, for we have subscribed to none; 481
    where there is no dialog.  No call ends by it."""
    await talking(server, caller, phone)
    for peer in (caller, phone):
        for event in ({"Event": "presence"}, {"Event": "refer;id=9"}, {}):
            sent = await peer.call.send("NOTIFY", headers={**event, "Subscription-State": "active"})
            assert (await sent.expect(489)).get("Allow-Events") == "refer"
    await hear_each_other(caller, phone)
    await end(caller, phone)
    await (await caller.request("NOTIFY", server.outside, "a", headers=NEEDED["NOTIFY"])).expect(481)


async def test_who_knows_the_tags_of_a_call_does_not_move_it_elsewhere(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """A request of the call (one that moves it: RFC 3261 12.2.2; BYE, which ends it; OPTIONS, which uses up a CSeq)
    comes from another address than the far end's: 403, and the call goes on.  An ACK from there has no effect.  Another
    address of the same trunk may send them, and so may the same carrier under another name."""
    second = {"listener": "outside", "addresses": ["127.0.0.4"]}
    server = await start_server(
        {"trunks.carrier": {"addresses": ["127.0.0.1/32", "127.0.0.3/32"]}, "trunks.second": second}
    )
    await talking(server, caller, phone)
    pattern = await caller.call.options()
    await pattern.expect(200)
    with (
        Elsewhere("127.0.0.66", pattern) as thief,
        Elsewhere("127.0.0.3", pattern) as sister,
        Elsewhere("127.0.0.4", pattern) as cousin,
    ):
        methods = ("INVITE", "UPDATE", "REFER", "NOTIFY", "SUBSCRIBE", "OPTIONS", "INFO", "MESSAGE", "PRACK", "BYE")
        for method in methods:
            assert await thief.asks(method, server.outside, caller.sdp(c="127.0.0.66")) == 403, method
        thief.sends("ACK", server.outside, caller.sdp(c="127.0.0.66"))
        await hear_each_other(caller, phone)
        assert passed_on(phone) == []
        await (await caller.call.options()).expect(200)  # the CSeq numbers are its own still
        assert await server.api.metric("tandem_gate_total", counter="refused_foreign") == len(methods) + 1
        assert await cousin.asks("OPTIONS", server.outside) == 200
        assert await sister.asks("UPDATE", server.outside) == 200
        await phone.bye()
        assert (await sister.receives()).startswith(b"BYE sip:"), "the call is there from now on"


class Elsewhere:
    """A socket at another address whose requests claim to be of a call."""

    NUMBERS: ClassVar = count(100)
    "CSeq: what has come once may not come again."

    def __init__(self, host: str, pattern: Sent) -> None:
        self._pattern = pattern
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(PATIENCE)
        self._here = f"{host}:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def asks(self, method: str, server: tuple[str, int], sdp: bytes = b"") -> int:
        """The final status of a request with this Contact."""
        self.sends(method, server, sdp)
        while (answer := await self.receives()).startswith(b"SIP/2.0 1"):
            pass
        return int(answer.split()[1])

    def sends(
        self, method: str, server: tuple[str, int], sdp: bytes = b"", more: Mapping[str, str] | None = None
    ) -> None:
        """A request with this Contact, and these headers."""
        number = next(Elsewhere.NUMBERS)
        head = [
            f"{method} sip:{server[0]}:{server[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._here};branch=z9hG4bK{method}{number}",
            f"Max-Forwards: 70\r\nContact: <sip:me@{self._here}>\r\nCSeq: {number} {method}",
            *(f"{name}: {self._pattern.get(name)}" for name in ("From", "To", "Call-ID")),
            *(f"{name}: {value}" for name, value in {**NEEDED.get(method, {}), **(more or {})}.items()),
            *(["Content-Type: application/sdp"] if sdp else []),
            f"Content-Length: {len(sdp)}",
        ]
        self._socket.sendto("\r\n".join([*head, "", ""]).encode() + sdp, server)

    async def receives(self) -> bytes:
        return await asyncio.to_thread(self._socket.recv, 65536)


def answered(peer: Peer, cseq: tuple[int, str]) -> bool:
    return any(m.status == 200 and m.cseq == cseq for m in peer.call.received)


async def test_an_info_that_only_the_stack_can_read_ends_nothing(server: Server, caller: Caller, phone: Phone) -> None:
    """Robustness: a header folded over hundreds of lines gets 400; a blank behind the version, which PJSIP passes over,
    makes an INFO that is passed over; the engine goes on and so does the call."""
    await talking(server, caller, phone)
    for peer in (caller, phone):
        folded = "a" + "\r\n a" * 600
        pattern = await peer.call.send("INFO", headers={"Subject": folded})
        await pattern.expect(400)
        target, first = server.outside if peer is caller else server.inside, pattern.cseq[0]
        for number in range(first + 1, first + 101):
            odd = bytes(pattern).replace(folded.encode(), b"a").replace(b" SIP/2.0\r\n", b" SIP/2.0 \r\n", 1)
            odd = odd.replace(b"branch=z9hG4bK", b"branch=z9hG4bK%d" % number)
            await peer.send_raw(odd.replace(b"%d INFO" % first, b"%d INFO" % number), target)
        await eventually(partial(answered, peer, (first + 100, "INFO")), "the answer to the last one")
    await hear_each_other(caller, phone)
    await (await phone.call.send("BYE", cseq=first + 101)).expect(200)
    await caller.expect("BYE")
    await server.api.cdr()
    assert server.log().count("an INFO is passed over that only PJSIP can read") == 200


async def test_a_call_that_is_over_gets_481(server: Server, caller: Caller, phone: Phone) -> None:
    """A blind 200 would tell a carrier that a dead call lives; from both sides, by every method."""
    await talking(server, caller, phone)
    await end(caller, phone)
    await server.api.cdr()
    for method in ("OPTIONS", "INFO", "REFER", "NOTIFY", "INVITE", "UPDATE", "MESSAGE", "SUBSCRIBE", "FROBNICATE"):
        for peer in (caller, phone):
            sent = await peer.call.send(method, headers=NEEDED.get(method, {}))
            await sent.expect(481)


async def test_a_request_for_a_call_that_never_was_gets_481(server: Server, caller: Caller) -> None:
    """RFC 3261 12.2.2: a To tag that nobody gave."""
    for method in ("BYE", "OPTIONS", "INFO", "UPDATE", "INVITE", "NOTIFY"):
        headers = {"To": f"<sip:a@{server.outside[0]}:{server.outside[1]}>;tag=never", **NEEDED.get(method, {})}
        sent = await caller.request(method, server.outside, "a", headers=headers)
        await sent.expect(481)
    await (await caller.request("BYE", server.outside, "a")).expect(481)  # no tag at all


async def test_options_in_a_call_tells_what_we_can(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 3261 11.2: Allow, Accept and Supported."""
    await talking(server, caller, phone)
    answer = await (await caller.call.options()).expect(200)
    assert answer.tokens("Allow") == ALLOWED
    assert {"100rel", "timer"} == answer.tokens("Supported")
    assert "application/sdp" in answer.tokens("Accept")
    await end(caller, phone)


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("REGISTER", 405),
        ("SUBSCRIBE", 405),
        ("PUBLISH", 405),
        ("MESSAGE", 405),
        ("REFER", 405),
        ("FROBNICATE", 501),
        ("OPTIONS", 200),
    ],
)
@pytest.mark.parametrize("listener", ["outside", "inside"])
async def test_outside_a_call_each_method_gets_its_answer(
    server: Server, caller: Caller, listener: str, method: str, status: int
) -> None:
    """Never silence, never a 200 for what we do not do; Allow says what we do."""
    sent = await caller.request(method, server.listener(listener), "anybody", headers=NEEDED.get(method, {}))
    answer = await sent.expect(status)
    assert answer.tokens("Allow") == ALLOWED
    sent.again()
    await eventually(lambda: answer.repeats or len(caller.got(status)) > 1, "the repetition is answered too")
    assert {m.to_tag for m in caller.got(status)} == {answer.to_tag}


async def test_a_merged_request_gets_482_and_rings_nobody(server: Server, caller: Caller, phone: Phone) -> None:
    """R1-09, RFC 3261 8.2.2.2: same From tag, Call-ID and CSeq by another branch; one claim, one leg, one record."""
    listener = await server.listen()
    await call_in(server, caller, phone.uri)
    copy = caller.call.invite_sent.again(branch="new")
    await copy.expect(482)
    ring = await phone.rings()
    again = caller.call.invite_sent.again(branch="new")
    await again.expect(482)
    ring.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    late = caller.call.invite_sent.again(branch="new")
    await late.expect(482)
    assert len(phone.calls) == 1
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert (cdr["sip_code"], cdr["correlation"]) == (200, "correlated")
    await listener.expect("call.ended")
    assert [e["type"] for e in listener.events].count("call.received") == 1


async def test_a_retransmitted_invite_is_absorbed(server: Server, caller: Caller, phone: Phone) -> None:
    """R1-09: the same branch again gets the last answer again; one leg, one token."""
    await ringing(server, caller, phone)
    answer = caller.got(180)[0]
    caller.call.invite_sent.again()
    await eventually(lambda: answer.repeats, "the 180 again")
    phone.call.invite_received.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    assert len(phone.calls) == 1
    await end(caller, phone)
    await server.api.cdr()


async def test_nothing_of_ours_names_its_maker(server: Server, caller: Caller, phone: Phone) -> None:
    """Identity: no User-Agent, no Server, no Warning in any message, failures included."""
    await talking(server, caller, phone)
    await (await caller.call.send("FROBNICATE")).expect(501)
    await (await caller.call.reinvite(sdp=caller.sdp(codecs=["AMR"], events=False))).expect("4xx")
    await end(caller, phone)
    await caller.request("REGISTER", server.outside, "a")
    await caller.expect(405)
    await call_again(server, caller, sdp=caller.sdp(codecs=["AMR"], events=False))
    await caller.expect(488)
    await call_again(server, caller)
    await phone.rejects(486)
    await caller.expect(486)
    messages = [*caller.history.received, *phone.history.received]
    assert messages
    named = [m.text for m in messages if m.has("User-Agent") or m.has("Server") or m.has("Warning")]
    assert named == []
    assert not [m for m in messages if b"pjsip" in m.raw.lower() or b"pjmedia" in m.raw.lower()]
