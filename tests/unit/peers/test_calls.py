"""The raw SIP peers against each other: what a test may rely on when it talks to the server with them."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.peers import sdp
from tests.peers.certificates import Authority
from tests.peers.exchange import Received
from tests.peers.peer import Unexpected
from tests.peers.uac import Caller
from tests.peers.uas import Phone


def start(work: Coroutine[Any, Any, str]) -> "asyncio.Task[str]":
    return asyncio.create_task(work)


async def connect(caller: Caller, phone: Phone) -> Received:
    answer, _ = await asyncio.gather(caller.answered(), phone.answers())
    return answer


async def test_a_call_carries_a_tone_each_way_and_ends(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001", caller="02012345678", headers={"Diversion": "<sip:9@x>;reason=unknown"})
    ring = await phone.expect("INVITE")
    assert ring.get("Diversion") == "<sip:9@x>;reason=unknown"
    ring.reply(180)
    await caller.expect(180)
    ring.reply(200)
    await caller.answered()
    await phone.expect("ACK")
    await phone.hears(caller)
    await caller.hears(phone)
    await (await phone.bye()).expect(200)
    await caller.expect("BYE")
    assert caller.call.statuses == [100, 180, 200]
    assert not caller.call.up
    assert not phone.call.up


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_streams_carry_a_call(transport: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        await Caller.open(transport=transport, tls=authority.tls("caller")) as caller,
        await Phone.open(transport=transport, tls=authority.tls("phone")) as phone,
    ):
        await caller.invite(phone.address, "1001")
        await connect(caller, phone)
        await caller.hears(phone)
        await (await caller.bye()).expect(200)


async def test_ipv6_addresses_are_written_and_read() -> None:
    async with await Caller.open(host="::1") as caller, await Phone.open(host="::1") as phone:
        await caller.invite(phone.address, "1001")
        await connect(caller, phone)
        assert "IN IP6 ::1" in caller.call.invite_sent.text
        await phone.hears(caller)
        await (await phone.bye()).expect(200)


async def test_a_cancelled_call_ends_with_487_and_its_ack(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001")
    await phone.rings()
    await caller.expect(180)
    await (await caller.cancel()).expect(200)
    await caller.expect(487, method="INVITE")
    await phone.expect("ACK")


async def test_a_late_200_can_cross_the_cancel(caller: Caller) -> None:
    async with await Phone.open(manual=["CANCEL"]) as phone:
        await caller.invite(phone.address, "1001")
        ring = await phone.rings()
        await caller.expect(180)
        cancel = await caller.cancel()
        (await phone.expect("CANCEL")).reply(200)
        ring.reply(200)
        await caller.expect(200, method="CANCEL")
        await caller.answered()
        await phone.expect("ACK")
        await (await caller.bye()).expect(200)
        assert cancel.branch == ring.branch


async def test_the_last_answering_branch_of_a_fork_is_the_dialog(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001")
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True, to_tag="a")
    early = await caller.expect(183)
    assert early.to_tag == "a"
    await caller.hears(phone)
    ring.reply(200, sdp=True, to_tag="b")
    assert (await caller.answered()).to_tag == "b"
    assert (await phone.expect("ACK")).to_tag == "b"
    bye = await caller.bye()
    assert bye.to_tag == "b"
    await bye.expect(200)


async def test_repeats_are_answered_again_and_shown_once(caller: Caller, phone: Phone) -> None:
    call = await caller.invite(phone.address, "1001")
    ring = await phone.rings()
    call.invite_sent.again()
    await caller.expect(180)
    ring.reply(200)
    await caller.answered()
    ring.again()
    ack = await phone.expect("ACK")
    await (await caller.call.options()).expect(200)  # a fence: everything before it has arrived
    assert ring.repeats == 1
    assert ack.repeats == 1
    assert len(phone.got("INVITE")) == 1
    assert call.statuses == [100, 180, 200]


async def test_a_merged_request_is_seen_as_a_request_of_its_own(caller: Caller, phone: Phone) -> None:
    call = await caller.invite(phone.address, "1001")
    first = await phone.expect("INVITE")
    merged = call.invite_sent.again(branch="new")
    second = await phone.expect("INVITE")
    assert (second.call_id, second.from_tag, second.cseq) == (first.call_id, first.from_tag, first.cseq)
    second.reply(482)
    await merged.expect(482)
    first.reply(486)
    await caller.expect(486)


async def test_the_route_set_and_the_contact_lead_the_way(caller: Caller, phone: Phone) -> None:
    async with await Phone.open("edge") as edge, await Phone.open("elsewhere") as elsewhere:
        await caller.invite(phone.address, "1001")
        ring = await phone.expect("INVITE")
        routes = [f"<sip:{edge.host}:{edge.port};lr>", "<sip:10.0.0.1;lr>"]
        ring.reply(200, contact=elsewhere.uri, headers={"Record-Route": routes[::-1]})
        await caller.answered()
        ack = await edge.expect("ACK")
        assert ack.uri == elsewhere.uri
        assert ack.all("Route") == routes


async def test_delayed_offer_is_answered_in_the_ack(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001", sdp=None)
    ring = await phone.rings()
    assert not ring.has_sdp
    ring.reply(200)
    await caller.answered()
    assert (await phone.expect("ACK")).has_sdp
    await phone.hears(caller)
    await caller.hears(phone)


async def test_reliable_ringing_is_acknowledged(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001", headers={"Require": "100rel"})
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True, reliable=True)
    progress = await caller.expect(183)
    await (await caller.call.prack(progress)).expect(200)
    prack = await phone.expect("PRACK")
    assert prack.get("RAck") == f"{progress.get('RSeq')} {ring.get('CSeq')}"
    ring.reply(200, sdp=None)
    await caller.answered()


@pytest.mark.parametrize(("direction", "c", "seen"), [("sendonly", None, "sendonly"), ("inactive", None, "inactive")])
async def test_hold_silences_both_sides_and_resume_brings_them_back(
    caller: Caller, phone: Phone, direction: str, c: str | None, seen: str
) -> None:
    await caller.invite(phone.address, "1001")
    await connect(caller, phone)
    await caller.hears(phone)

    async def answer_next() -> str:
        again = await phone.expect("INVITE")
        again.reply(200)
        return again.sdp.audio.direction

    holding = caller.hold(direction, c=c)
    task = start(answer_next())
    answer = (await holding).sdp.audio.direction
    assert (await task, answer) == (seen, sdp.MIRROR[seen])
    await caller.hears_nothing()
    await phone.hears_nothing()
    task = start(answer_next())
    await caller.resume()
    assert await task == "sendrecv"
    await caller.hears(phone)
    await phone.hears(caller)


async def test_old_hold_by_a_zero_address_is_answered_inactive(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001")
    await connect(caller, phone)
    held = await caller.call.reinvite(sdp=caller.sdp(c="0.0.0.0"))
    again = await phone.expect("INVITE")
    again.reply(200)
    assert again.sdp.address[0] == "0.0.0.0"
    assert (await held.expect(200)).sdp.audio.direction == "inactive"


async def test_video_and_fax_are_refused_beside_the_audio(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001", sdp=caller.sdp(more_media=(*sdp.VIDEO, *sdp.T38)))
    answer = await connect(caller, phone)
    assert [(m.kind, m.port == 0) for m in answer.sdp.media] == [("audio", False), ("video", True), ("image", True)]


async def test_two_phones_share_one_address(caller: Caller, phone: Phone) -> None:
    first = await caller.invite(phone.address, "1001")
    second = await caller.invite(phone.address, "1002")
    (await phone.expect("INVITE", user="1002")).reply(486)
    (await phone.expect("INVITE", user="1001")).reply(603)
    await first.expect(603)
    await second.expect(486)


async def test_a_failure_ends_the_wait_for_an_answer_at_once(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001")
    (await phone.expect("INVITE")).reply(404)
    with pytest.raises(Unexpected, match=r"expected 200, got SIP/2\.0 404"):
        await caller.expect(200)


async def test_a_vain_wait_shows_the_ladder(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001")
    await caller.expect(100)
    with pytest.raises(Unexpected, match=r"no 180 within 0.1 s\n.*\n.*-> udp:.* INVITE sip:1001@"):
        await caller.expect(180, within=0.1)


async def test_requests_in_the_dialog_reach_the_other_side(caller: Caller, phone: Phone) -> None:
    await caller.invite(phone.address, "1001")
    await connect(caller, phone)
    await (await caller.call.info_digit("5")).expect(200)
    assert (await phone.expect("INFO")).body == b"Signal=5\r\nDuration=160\r\n"
    refer = await phone.call.refer("sip:1002@example.invalid")
    (await caller.expect("REFER")).reply(603)
    await refer.expect(603)
    await (await caller.call.notify("talk")).expect(200)
    update = await caller.call.update(headers={"Session-Expires": "90;refresher=uac"})
    (await phone.expect("UPDATE")).reply(422, headers={"Min-SE": "120"})
    assert (await update.expect(422)).get("Min-SE") == "120"
    wrong = await caller.call.send("INFO", cseq=1)
    assert (await phone.expect("INFO")).cseq == (1, "INFO")
    await wrong.expect(200)


async def test_nonsense_is_sent_as_it_is(caller: Caller, phone: Phone) -> None:
    await caller.send_raw(b"no SIP at all\r\n\r\n", phone.address)
    await (await caller.request("OPTIONS", phone.address)).expect(200)
    assert phone.garbage == [b"no SIP at all\r\n\r\n"]
