"""Several answers to one INVITE: another SDP, another To tag, two early dialogs, a late answer (RFC 3261 13.2)."""

import pytest

from tests.e2e.legs import call_in, end, hear_each_other
from tests.peers.rtp import Rtp
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


@pytest.mark.parametrize("tag", [None, "other"], ids=["same tag", "other tag"])
async def test_sound_follows_from_the_183_to_the_200(
    server: Server, caller: Caller, phone: Phone, tag: str | None
) -> None:
    """Bridge, 183 with SDP A then 200 with SDP B: an announcement first, then the phone; one 183 at the trunk."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    with Rtp() as machine:
        phone.call.rtp = machine  # the phone itself sends nothing yet: the first source is the one that is heard
        ring.reply(183, sdp=True)
        await caller.expect(183)
        await caller.hears(machine)
        machine.pause()
        phone.call.rtp = phone.sound
        ring.reply(200, to_tag=tag)
        ack = await phone.expect("ACK")
        assert ack.to_tag == (tag or phone.call.dialogs.local_tag)
        await caller.answered()
        await hear_each_other(caller, phone)
        assert len(caller.got(183)) == 1
    await end(caller, phone)


async def test_two_early_dialogs_and_the_second_answers(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, a fork: both ring with sound; the latest is heard, and the one who answers talks."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    with Rtp() as first:
        phone.call.rtp = first  # the phone itself sends nothing yet: the first source is the one that is heard
        ring.reply(183, sdp=True, to_tag="first")
        await caller.expect(183)
        await caller.hears(first)
        ring.reply(180, to_tag="second")
        first.pause()
        phone.call.rtp = phone.sound
        ring.reply(200, to_tag="second")
        assert (await phone.expect("ACK")).to_tag == "second"
        await caller.answered()
        await hear_each_other(caller, phone)
    await end(caller, phone)
    assert (await server.api.cdr())["sip_code"] == 200


async def test_two_early_dialogs_and_the_first_answers(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, a fork: the later early dialog was heard, the earlier one answers: sound follows the answer."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    with Rtp() as second:
        ring.reply(180, to_tag="first")
        await caller.expect(180)
        phone.call.rtp = second  # the phone itself sends nothing yet: the first source is the one that is heard
        ring.reply(183, sdp=True, to_tag="second")
        await caller.hears(second)
        second.pause()
        phone.call.rtp = phone.sound
        ring.reply(200, to_tag="first")
        assert (await phone.expect("ACK")).to_tag == "first"
        await caller.answered()
        await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_a_second_answer_of_a_fork_is_acknowledged_and_ended(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """RFC 3261 13.2.2.4: two branches answer; the first talks, the second gets ACK and BYE."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(180, to_tag="first")
    ring.reply(200, to_tag="first")
    assert (await phone.expect("ACK")).to_tag == "first"
    await caller.answered()
    ring.reply(200, to_tag="second")
    assert (await phone.expect("ACK")).to_tag == "second"
    bye = await phone.expect("BYE")
    assert bye.to_tag == "second"
    phone.call.ended = False
    phone.call.dialogs.current = phone.call.dialogs.all["first"]
    phone.call.follow()
    await hear_each_other(caller, phone)
    await (await caller.bye()).expect(200)
    assert (await phone.expect("BYE")).to_tag == "first"


async def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """RFC 3261 9.1: 200 after CANCEL gets ACK and BYE; the caller has his 487 long since."""
    async with await Phone.open("1001", manual=["CANCEL"]) as late:
        await call_in(server, caller, late.uri)
        ring = await late.rings()
        await caller.expect(180)
        await (await caller.cancel()).expect(200)
        await caller.expect(487)
        cancel = await late.expect("CANCEL")
        ring.reply(200)
        cancel.reply(200, sdp=None)
        await late.expect("ACK")
        await late.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["answered_at"]) == ("cancelled", 487, None)


async def test_a_caller_who_gives_up_before_anything_rang(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 3261 9.1: our CANCEL waits for the phone's first provisional response, then goes out."""
    async with await Phone.open("1001", trying=False) as slow:
        await call_in(server, caller, slow.uri)
        ring = await slow.expect("INVITE")
        await (await caller.cancel()).expect(200)
        await caller.expect(487)
        assert slow.got("CANCEL") == []
        ring.reply(180)
        await slow.expect("CANCEL")
    assert (await server.api.cdr())["cause"] == "cancelled"
