"""Topology hiding: marks put on one side in every place a message has are on no message of the other side."""

import re
from collections.abc import Sequence

import pytest

from tests.e2e.legs import call_again, call_in, end, hear_each_other
from tests.peers.exchange import new_token
from tests.peers.message import Message
from tests.peers.peer import Peer
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

MARK = "zzmark"
"Part of every mark; nothing of ours has it."

ADDRESS = "198.51.100.77"
"An address of the marked side's network, in Via, Record-Route, Contact, SDP and more."


def marked_sdp(peer: Peer, direction: str | None = None) -> bytes:
    """The peer's description with marks in o=, s=, i=, u=, e=, p= and an unknown attribute."""
    text = peer.sdp(direction=direction).decode()
    text = re.sub(r"o=.*\r\n", f"o={MARK}-origin 4711 4711 IN IP4 {ADDRESS}\r\n", text)
    told = f"s={MARK}-session\r\ni={MARK}-info\r\nu=http://{MARK}.example/\r\ne={MARK}@example.net\r\np=+1 {MARK}\r\n"
    text = re.sub(r"s=.*\r\n", told, text)
    return (text + f"a=x-{MARK}:{ADDRESS}\r\na=tool:{MARK}\r\n").encode()


def marked_headers(*, request: bool) -> list[tuple[str, str]]:
    """Headers a peer may add, each with a mark."""
    common = [
        ("Organization", f"{MARK}-org"),
        ("Subject", f"{MARK}-subject"),
        ("Call-Info", f"<http://{MARK}.example/info>"),
        ("Alert-Info", f"<http://{MARK}.example/ring>"),
        ("P-Charging-Vector", f"icid-value={MARK};icid-generated-at={ADDRESS}"),
        ("X-Internal", f"{MARK}-{ADDRESS}"),
        ("User-to-User", f"{MARK};encoding=hex"),
        ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"),
    ]
    if request:
        return [*common, ("User-Agent", f"{MARK}-agent/1"), ("In-Reply-To", f"{MARK}@{ADDRESS}")]
    return [*common, ("Server", f"{MARK}-server/1"), ("Warning", f'399 {MARK}.example "{MARK} at {ADDRESS}"')]


def marked_routes(peer: Peer) -> list[tuple[str, str]]:
    """A Record-Route with a mark that leads back to the peer itself."""
    return [("Record-Route", f"<sip:{MARK}-proxy@{peer.host}:{peer.port};lr;{MARK}>")]


def seen(peer: Peer) -> list[Message]:
    """Everything the peer got, repeats included; every message a test here causes."""
    messages = peer.history.received
    assert messages
    return messages


def clean(messages: Sequence[Message], *others: str) -> None:
    """No mark, and none of these texts (ports, Call-IDs, tags) is anywhere in the messages."""
    for message in messages:
        text = message.text.lower()
        for forbidden in (MARK, ADDRESS, *others):
            assert forbidden.lower() not in text, f"{forbidden!r} in\n{message.text}"


def traces(peer: Peer) -> list[str]:
    """What identifies a peer and its dialogs: its ports, Call-IDs, tags, branches."""
    call = peer.call
    sound = [f" {peer.sound.port} ", f":{peer.sound.port}"]
    tags = [tag for d in call.dialogs.all.values() for tag in (d.local_tag,) if tag]
    return [f":{peer.port}", call.call_id, *tags, *sound]


async def marked_invite(server: Server, caller: Caller) -> None:
    """The trunk's INVITE with every mark, two hops away."""
    host, port = server.outside
    caller.proxy = server.outside  # its requests go to us directly, whatever it records of its own
    unique = new_token()
    own = caller.via(f"z9hG4bK{MARK}{unique}")
    vias = [
        own,
        f"SIP/2.0/UDP {MARK}.example:5060;branch=z9hG4bK{MARK}1",
        f"SIP/2.0/UDP {ADDRESS};branch=z9hG4bK{MARK}2",
    ]
    headers = [*marked_headers(request=True), *marked_routes(caller), *(("Via", via) for via in vias)]
    headers += [("To", f'"{MARK} display" <sip:4008100001@{host}:{port};{MARK}=1>')]
    await call_again(
        server,
        caller,
        headers=headers,
        sdp=marked_sdp(caller),
        call_id=f"{MARK}-{unique}@{MARK}.example",
        from_tag=f"{MARK}{unique}",
    )


async def test_nothing_of_the_trunk_reaches_the_agent(server: Server, caller: Caller, phone: Phone) -> None:
    """Topology, trunk to agent: INVITE, ACK, re-INVITE, INFO, UPDATE and BYE with marks; our id is on the agent's."""
    await server.api.furnish(phone.uri)
    await marked_invite(server, caller)
    ring = await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await caller.call.info(f"{MARK}".encode(), "text/plain", headers=marked_headers(request=True))
    await (await caller.call.update(headers=marked_headers(request=True))).expect(200)
    again = await caller.call.reinvite(sdp=marked_sdp(caller), headers=marked_headers(request=True))
    await caller.call.ack(await again.expect(200))
    reason = {"Reason": f'SIP;cause=200;text="{MARK} {ADDRESS}"'}
    await (await caller.bye(headers=[*marked_headers(request=True), *reason.items()])).expect(200)
    await phone.expect("BYE")
    clean(seen(phone), f"127.0.0.1:{server.outside[1]}", *traces(caller))
    assert ring.get("X-Tandem-Call-ID") == (await server.api.cdr())["id"]
    assert not [m for m in seen(caller) if m.has("X-Tandem-Call-ID")]


async def test_nothing_of_the_agent_reaches_the_trunk(server: Server, caller: Caller, phone: Phone) -> None:
    """Topology, agent to trunk: 180, 183, 200, re-INVITE, INFO and BYE with marks."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    headers = [*marked_headers(request=False), *marked_routes(phone)]
    phone.call.dialogs.local_tag = f"{MARK}tag"
    ring.reply(180, f"{MARK} rings", headers=headers)
    ring.reply(183, f"{MARK} announces", headers=headers, sdp=marked_sdp(phone))
    await caller.expect(183)
    ring.reply(200, f"{MARK} fine", headers=headers, sdp=marked_sdp(phone))
    await phone.expect("ACK")
    await caller.answered()
    await hear_each_other(caller, phone)
    await phone.call.info(f"{MARK}".encode(), "text/plain", headers=marked_headers(request=True))
    again = await phone.call.reinvite(sdp=marked_sdp(phone), headers=marked_headers(request=True))
    await phone.call.ack(await again.expect(200))
    reason = {"Reason": f'SIP;cause=200;text="{MARK} {ADDRESS}"'}
    await (await phone.bye(headers=[*marked_headers(request=True), *reason.items()])).expect(200)
    await caller.expect("BYE")
    clean(seen(caller), f"127.0.0.1:{server.inside[1]}", "1001", *traces(phone))


@pytest.mark.parametrize("status", [302, 404, 480, 486, 488, 500, 503, 603])
async def test_nothing_of_a_failing_agent_reaches_the_trunk(
    server: Server, caller: Caller, phone: Phone, status: int
) -> None:
    """Topology, failure responses: phrase, Warning, Contact, Reason text and body stay; the Q.850 cause may pass."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    headers = [
        *marked_headers(request=False),
        ("Contact", f"<sip:{MARK}@{ADDRESS}>"),
        ("Reason", f'Q.850;cause=17;text="{MARK}"'),
        ("Retry-After", "42"),
        ("Error-Info", f"<sip:{MARK}@{ADDRESS}>"),
    ]
    ring.reply(status, f"{MARK} at {ADDRESS}", headers=headers, body=MARK.encode(), content_type="text/plain")
    await phone.expect("ACK")
    answer = await caller.expect("4xx" if status in (302, 404, 480, 486, 488) else "6xx" if status == 603 else "5xx")
    clean(seen(caller), f"127.0.0.1:{server.inside[1]}", "1001")
    assert answer.body == b""
    assert "cause=17" in answer.get("Reason")


async def test_nothing_of_a_caller_who_gives_up_reaches_the_agent(server: Server, caller: Caller, phone: Phone) -> None:
    """Topology, CANCEL with marks and a Reason of the trunk's own."""
    await server.api.furnish(phone.uri)
    await marked_invite(server, caller)
    await phone.rings()
    await caller.expect(180)
    reason = ("Reason", f'SIP;cause=200;text="{MARK} {ADDRESS}"')
    await (await caller.cancel(headers=[*marked_headers(request=True), reason])).expect(200)
    await caller.expect(487)
    await phone.expect("CANCEL")
    clean(seen(phone), f"127.0.0.1:{server.outside[1]}", *traces(caller))


async def test_the_dialog_ids_of_the_two_legs_differ(server: Server, caller: Caller, phone: Phone) -> None:
    """Topology: Call-ID, tags, CSeq, branches, session ids and SSRCs are ours on each leg."""
    await call_in(server, caller, phone.uri)
    ring = await phone.answers()
    answer = await caller.answered()
    await hear_each_other(caller, phone)
    assert ring.call_id != answer.call_id
    assert {ring.from_tag, phone.call.dialogs.local_tag}.isdisjoint({answer.from_tag, answer.to_tag})
    assert len(ring.all("Via")) == 1
    assert ring.sdp.origin.split()[5] == ring.sdp.audio.connection
    assert caller.sound.ssrc not in phone.sound.streams
    assert phone.sound.ssrc not in caller.sound.streams
    assert set(caller.sound.sources).isdisjoint({phone.sound.address})
    await end(caller, phone)
