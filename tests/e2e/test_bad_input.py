"""Bad input: the right status code, the reason in record and metric, and nothing else disturbed."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from tests.e2e.bystander import bystander
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, hear_each_other, ringing, talking
from tests.e2e.odd_octets import odd_octets_are_kept
from tests.peers import sdp
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, diverted
from tests.peers.configuration import Changes
from tests.peers.exchange import Received
from tests.peers.message import Message
from tests.peers.peer import Peer
from tests.peers.rtp import Rtp
from tests.peers.rtp_packet import RtpPacket
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

Change = Callable[[bytes], bytes]


def line(old: str, new: str) -> Change:
    """One place of the message replaced."""
    return lambda message: message.replace(old.encode(), new.encode(), 1)


def cut(share: float) -> Change:
    return lambda message: message[: int(len(message) * share)]


BROKEN: dict[str, tuple[Change, int]] = {
    "another version": (line("SIP/2.0\r\n", "SIP/3.0\r\n"), 505),
    "a foreign scheme": (line("INVITE sip:", "INVITE http:"), 416),
    "no Call-ID": (line("Call-ID:", "X-Call-ID:"), 400),
    "no From": (line("From:", "X-From:"), 400),
    "no To": (line("To:", "X-To:"), 400),
    "no CSeq": (line("CSeq:", "X-CSeq:"), 400),
    "a From that is no address": (line("From: <sip:", "From: <<<sip:"), 400),
    "a CSeq that is no number": (line("CSeq: 1 ", "CSeq: one "), 400),
    "a CSeq of another method": (line("CSeq: 1 INVITE", "CSeq: 1 BYE"), 400),
    "two Call-IDs": (line("Call-ID:", "Call-ID: x@y\r\nCall-ID:"), 400),
    "two Froms": (line("From:", "From: <sip:a@b>;tag=1\r\nFrom:"), 400),
    "300 hops": (line("Max-Forwards: 70", "Max-Forwards: 300"), 400),
    "no hop left": (line("Max-Forwards: 70", "Max-Forwards: 0"), 483),
    "a length beyond the datagram": (line("Content-Length: ", "Content-Length: 9"), 400),
    "a negative length": (line("Content-Length: ", "Content-Length: -"), 400),
    "a body of no type": (line("Content-Type: ", "X-Content-Type: "), 400),
    "an extension nobody knows": (line("Max-Forwards:", "Require: teleport\r\nMax-Forwards:"), 420),
    "Replaces of a stranger's call": (line("Max-Forwards:", "Replaces: a@b;to-tag=1;from-tag=2\r\nMax-Forwards:"), 403),
    "headers in the Request-URI": (line(" SIP/2.0\r\n", "?Subject=x SIP/2.0\r\n"), 400),
    "cut in the headers": (cut(0.5), 400),
    "cut in the body": (cut(0.9), 400),
}
"What is done to a sound INVITE, and the status it gets."

MUTE = [
    b"",
    b"\r\n\r\n",
    b"\0" * 2000,
    os.urandom(1400),
    b"SIP/2.0 200 OK\r\n\r\n",
    b"INVITE\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\xff\xfe INVITE sip:x SIP/2.0\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    b"(" * 60_000,
    b"INVITE sip:x@y SIP/2.0\r\nVia: " + b"," * 60_000 + b"\r\n\r\n",
]
"What nobody can answer."


async def invite_bytes(server: Server, caller: Caller) -> bytes:
    """A sound INVITE of this caller, as bytes; it is not sent."""
    call, uri, _ = caller._new_call(server.outside, ACCESS_NUMBER, BILLING_NUMBER, "", None, None, None, None)
    message = call.dialogs.request("INVITE", uri, 1, caller.via("z9hG4bKbroken"), None)
    body = caller.sdp()
    message.headers += [("Contact", f"<{caller.uri}>"), ("Content-Type", "application/sdp")]
    message.headers += [("Content-Length", str(len(body)))]
    message.body = body
    return bytes(message)


async def test_broken_sip_is_refused_by_what_is_wrong_with_it(server: Server, caller: Caller) -> None:
    """Bad input, broken SIP: each kind gets its status once, is counted, rings nobody and disturbs nobody."""
    answers: list[Message] = []
    caller._received = lambda data, route: answers.append(Message.parse(data))  # type: ignore[method-assign]
    caller.wire._on_message = caller._received
    async with bystander(server) as other:
        found = {}
        for kind, (change, _) in BROKEN.items():
            answers.clear()
            await caller.send_raw(change(await invite_bytes(server, caller)), server.outside)
            await eventually(lambda: answers, f"an answer to {kind}")
            found[kind] = answers[-1].status
        assert found == {kind: status for kind, (_, status) in BROKEN.items()}
        await other.goes_on()
        assert len(await server.api.calls()) == 1
    refused = await server.api.counted("tandem_gate_total")
    assert refused >= len(BROKEN)


async def test_what_is_no_sip_gets_no_answer_and_does_no_harm(server: Server, caller: Caller, phone: Phone) -> None:
    """Bad input: noise on the SIP port, at both listeners; the next call is served."""
    async with bystander(server):
        for data in MUTE:
            await caller.send_raw(data, server.outside)
            await caller.send_raw(data, server.inside)
        await talking(server, caller, phone)
        await end(caller, phone)


async def test_octets_that_are_no_text_cost_no_record(server: Server, caller: Caller, phone: Phone) -> None:
    """Bad input: in a Call-ID or a Reason they stand as replacement characters in the record, which is there."""
    await server.api.furnish(phone.uri)
    await odd_octets_are_kept(server, caller, phone)


def replaced(old: str, new: str) -> Callable[[Peer], bytes]:
    return lambda peer: peer.sdp().replace(old.encode(), new.encode(), 1)


UNUSABLE: dict[str, tuple[Callable[[Peer], bytes], int]] = {
    "unknown codecs only": (lambda peer: peer.sdp(codecs=["AMR", "AMR-WB", "opus"], events=False), 488),
    "telephone-event only": (lambda peer: peer.sdp(codecs=[]), 488),
    "video alone": (lambda peer: peer.sdp(audio=False, more_media=sdp.VIDEO), 488),
    "fax alone": (lambda peer: peer.sdp(audio=False, more_media=sdp.T38), 488),
    "no media at all": (lambda peer: peer.sdp(audio=False), 488),
    "audio at port 0": (lambda peer: peer.sdp().replace(b"m=audio %d" % peer.sound.port, b"m=audio 0"), 488),
    "a profile we do not speak": (replaced("RTP/AVP", "RTP/SAVPF"), 488),
    "no c= line": (replaced("c=IN IP4 127.0.0.1\r\n", ""), 400),
    "an address of another family": (replaced("c=IN IP4 127.0.0.1", "c=IN IP6 ::1"), 488),
    "a host name": (replaced("c=IN IP4 127.0.0.1", "c=IN IP4 localhost"), 488),
    "a port that is no number": (replaced("m=audio ", "m=audio x"), 400),
    "noise": (lambda peer: bytes(range(256)), 400),
    "a line without end": (lambda peer: b"v=0\r\no=" + b"x" * 3000, 400),
}
"An offer, and the status it gets."


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_an_offer_we_cannot_use_is_refused(server: Server, caller: Caller, phone: Phone, kind: str) -> None:
    """Bad input, SDP: 488 (400 where it cannot be read); record and metric say so; no phone rings, no token goes."""
    make, status = UNUSABLE[kind]
    listener = await server.listen()
    await server.api.furnish(phone.uri)
    token = await server.api.issue_token()
    headers = diverted(token)
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers, sdp=make(caller))
    refused = await eventually(lambda: [m for m in caller.call.received if m.status >= 300], "a refusal")
    assert refused[0].status == status
    assert not refused[0].has("Warning")
    cdr = await server.api.cdr()
    cause = "media-not-acceptable" if status == 488 else "bad-request"
    assert (cdr["cause"], cdr["sip_code"], cdr["called"]) == (cause, status, ACCESS_NUMBER)
    assert await server.api.counted("tandem_calls_total", result="failed", cause=cause) == 1
    assert await server.api.token_state(token) == "free"
    ended = await listener.expect("call.ended")
    assert listener.of_call(ended["call"]) == ["call.received", "call.ended"]
    assert not phone.got("INVITE")


async def test_a_body_that_is_no_sdp_is_refused(server: Server, caller: Caller, phone: Phone) -> None:
    """Bad input: 415 for a body whose type we do not read; the record says so."""
    await server.api.furnish(phone.uri)
    await caller.invite(
        server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, sdp=None, body=b"hello", content_type="text/plain"
    )
    refused = await eventually(lambda: [m for m in caller.call.received if m.status >= 300], "a refusal")
    assert refused[0].status == 415
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"]) == ("media-not-acceptable", 415)


def finals(peer: Peer, branch: str) -> list[Received]:
    """The final responses to one request."""
    return [message for message in peer.call.received if message.branch == branch and message.status >= 200]


@pytest.mark.parametrize("side", ["trunk", "agent"])
@pytest.mark.parametrize("way", ["re-INVITE", "UPDATE"])
async def test_a_change_that_would_end_the_sound_is_refused(
    server: Server, caller: Caller, phone: Phone, side: str, way: str
) -> None:
    """Bad input inside a call: a host name, another family, no codec of ours, no audio: 488, and the sound goes on."""
    await talking(server, caller, phone)
    peer = caller if side == "trunk" else phone
    for kind in ("a host name", "an address of another family", "telephone-event only", "fax alone", "no media at all"):
        offer = UNUSABLE[kind][0](peer)
        sent = await (peer.call.reinvite(sdp=offer) if way == "re-INVITE" else peer.call.update(sdp=offer))
        [refused] = await eventually(partial(finals, peer, sent.branch), kind)
        assert refused.status == 488, kind
    for each in (caller, phone):
        each.sound.received.clear()
    await hear_each_other(caller, phone)
    await end(caller, phone)


ANSWERS: dict[str, Callable[[Peer], bytes] | None] = {
    "none": None,
    "unknown codecs only": lambda peer: peer.sdp(codecs=["AMR"], events=False),
    "audio at port 0": lambda peer: peer.sdp().replace(b"m=audio %d" % peer.sound.port, b"m=audio 0"),
    "video alone": lambda peer: peer.sdp(audio=False, more_media=sdp.VIDEO),
    "no media at all": lambda peer: peer.sdp(audio=False),
    "a host name": replaced("c=IN IP4 127.0.0.1", "c=IN IP4 localhost"),
    "telephone-event only": lambda peer: peer.sdp(codecs=[]),
    "broken": lambda peer: b"v=0\r\nthis is no description\r\n",
}
"What a phone may put into its 200 that is no use."


@pytest.mark.parametrize("kind", ANSWERS)
async def test_a_phone_that_answers_without_usable_sound(
    server: Server, caller: Caller, phone: Phone, kind: str
) -> None:
    """Bad input: the phone gets ACK and BYE; the trunk gets 488, not a 200 that is billed for silence."""
    make = ANSWERS[kind]
    ring = await ringing(server, caller, phone)
    ring.reply(200, sdp=make(phone) if make else False)
    await phone.expect("ACK")
    await phone.expect("BYE")
    assert (await caller.expect(488)).get("Reason").endswith("Q.850;cause=88")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["answered_at"]) == ("agent-no-media", 488, None)
    assert (await server.api.get(f"/v1/tokens/{cdr['sequence']}", tenant="acme"))["state"] == "free"


@pytest.mark.parametrize("side", ["trunk", "agent"])
async def test_a_side_that_is_inactive_at_first_is_no_fault(
    server: Server, caller: Caller, phone: Phone, side: str
) -> None:
    """Bridge: a=inactive in the first description (third-party call control): sound comes with the re-INVITE."""
    late = caller if side == "trunk" else phone
    offer = caller.sdp(direction="inactive") if side == "trunk" else caller.sdp()
    await call_in(server, caller, phone.uri, sdp=offer)
    ring = await phone.rings()
    ring.reply(200, sdp=phone.sdp(direction="inactive") if side == "agent" else True)
    await phone.expect("ACK")
    await caller.answered()
    await late.call.resume()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_a_stranger_is_refused(start_server: StartServer, phone: Phone) -> None:
    """Bad input: an INVITE from an address of no trunk gets 403 where the settings say so, rings nobody and is
    counted; no record, no event."""
    changes: Changes = {
        "trunks.carrier": {"addresses": ["127.0.0.1/32"]},
        "security": {"outside_strangers": "refuse"},
    }
    server = await start_server(changes)
    async with (
        bystander(server) as other,
        await Caller.open("stranger", host="127.0.0.9") as stranger,
        await Caller.open("trunk") as caller,
    ):
        listener = await server.listen()
        await call_in(server, stranger, phone.uri)
        refused = await stranger.expect(403)
        assert not refused.has("Warning")
        await stranger.invite(server.outside, ACCESS_NUMBER, sdp=stranger.sdp(codecs=["AMR"]))
        await eventually(lambda: [m for m in stranger.call.received if m.status >= 400], "a refusal")
        assert await server.api.metric("tandem_gate_total", counter="refused_stranger") == 2
        assert not phone.got("INVITE")
        assert listener.events == []
        await other.goes_on()
        await call_again(server, caller)
        await phone.answers()
        await caller.answered()
        await end(caller, phone)
    assert len(await server.api.cdrs(2)) == 2


# --- storage ---


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Somebody else holds the database: nothing can be written."""
    with closing(sqlite3.connect(server.data / "tandem.db", isolation_level=None)) as file:
        file.execute("BEGIN EXCLUSIVE")
        yield
        file.execute("ROLLBACK")


@pytest.mark.parametrize("default_route", [True, False], ids=["with a default route", "without"])
async def test_a_locked_database_costs_a_call_its_data_and_no_more(
    server: Server, caller: Caller, phone: Phone, default_route: bool
) -> None:
    """Bad input, storage locked (R1-05): the default route, else 500, in time; the record comes later."""
    async with bystander(server) as other, await Phone.open("1007") as reserve:
        await server.api.furnish(phone.uri)
        await server.api.add_agent(reserve.uri, "1007")
        if default_route:
            await server.api.add_route("reserve", "1007")
            await server.api.patch(f"/v1/access-numbers/{ACCESS_NUMBER}", {"default_route": "reserve"})
        token = await server.api.issue_token()
        listener = await server.listen()
        with locked(server):
            await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=diverted(token))
            if default_route:
                await reserve.answers()
                await caller.answered()
                await hear_each_other(caller, reserve)
                await end(caller, reserve)
            else:
                refused = await caller.expect(500)
                assert refused.get("Reason").startswith("SIP;cause=500;")
            ended = await listener.expect("call.ended")
            assert ended["data"]["sip_code"] == (200 if default_route else 500)
            failed = await listener.expect("call.uncorrelated", call=ended["call"])
            assert failed["data"]["outcome"] == "storage-unavailable"
            await other.goes_on()
            stored = await server.api.get("/v1/cdrs", called=ACCESS_NUMBER, since=server.api.since)
            assert stored["cdrs"] == []
        cdr = await server.api.cdr(called=ACCESS_NUMBER)
        assert (cdr["id"], cdr["correlation"]) == (ended["call"], "storage-unavailable")
        assert cdr["cause"] == ("normal" if default_route else "storage-unavailable")
        assert await server.api.token_state(token) == "free"
        assert await server.api.counted("tandem_token_claims_total", result="unavailable") == 1
        assert not phone.got("INVITE")


async def test_calls_that_need_no_row_do_not_notice_a_locked_database(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """Bad input, storage locked: a ringing call is answered and ended, a new one without correlation comes in."""
    ring = await ringing(server, caller, phone)
    entry = {"kind": "agent", "target": "1001"}
    await server.api.add_access_number("4008100002", correlation="off", entry=entry)
    with locked(server):
        ring.reply(200)
        await caller.answered()
        await hear_each_other(caller, phone)
        await end(caller, phone)
        await caller.invite(server.outside, "4008100002", caller="13911112222")
        await phone.answers()
        await caller.answered()
        await hear_each_other(caller, phone)
    first, second = (await server.api.cdrs(1))[0], (await server.api.calls())[0]
    assert first["cause"] == "normal"
    assert (await server.api.get(f"/v1/tokens/{first['sequence']}", tenant="acme"))["state"] == "consumed"
    assert second["called"] == "4008100002"
    await end(caller, phone)


# --- sound ---


NOISE = [b"", b"\x80", b"\x80\x08", bytes(range(20)), b"\xff" * 1400, b"\0" * 40, b"\x90" * 30]
"What is no RTP and no RTCP."


async def test_noise_on_the_rtp_ports_is_not_heard(server: Server, caller: Caller, phone: Phone) -> None:
    """Bad input, RTP: noise from anybody, wrong payloads, and a stranger who talks into a call disturb nobody."""
    async with bystander(server) as other:
        await talking(server, caller, phone)
        for peer in (caller, phone):
            target = peer.call.remote_sdp
            assert target is not None
            address, control = target.address, (target.address[0], target.address[1] + 1)
            with Rtp(tone=3000.0) as stranger:
                for data in NOISE:
                    for socket in (stranger.rtp_socket, peer.sound.rtp_socket):
                        socket.sendto(data, address)
                        socket.sendto(data, control)
                for kind, payload in ((96, b"x" * 160), (8, b""), (0, b"\x12" * 1300), (101, b"\x63\x0a\x00\xa0")):
                    stranger.rtp_socket.sendto(bytes(RtpPacket(kind, 1, 160, 7, payload, False)), address)
                stranger.send_to(address)  # never ten packets in a row: the peer's own are between them
                await peer.sound.expect_packets(60)
                await hear_each_other(caller, phone)
                assert caller.sound.heard(3000.0) < 0.02
                assert phone.sound.heard(3000.0) < 0.02
                assert stranger.packets_received == 0
        await other.goes_on()
        await end(caller, phone)
    assert [row["cause"] for row in await server.api.cdrs(2)] == ["normal", "normal"]
