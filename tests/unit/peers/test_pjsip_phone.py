"""The PJSIP phone against the raw peers and against another of its kind."""

from pathlib import Path

import pytest

from tests.peers.baresip import write_tone
from tests.peers.certificates import Authority
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def test_it_rings_answers_and_talks(tmp_path: Path) -> None:
    async with await PjsipPhone.open(tmp_path) as phone, await Caller.open() as caller:
        await caller.invite(phone.address, "1001", headers={"X-Mark": "yes"})
        ring = await phone.rings()
        assert ring.sip.get("X-Mark") == "yes"
        await phone.reply(180)
        await caller.expect(180)
        await phone.reply(200)
        await caller.answered()
        await caller.hears(phone.tone)
        assert caller.sound.tone
        await phone.hears(caller.sound.tone)
        assert (await phone.media())["codec"] == "PCMA"
        await caller.sound.pressed("12#")
        await phone.expect("digit", digit="#")
        assert phone.digits == "12#"
        await phone.press("907")
        await caller.sound.expect_digits("907")
        await phone.press("5", "info")
        assert b"Signal=5" in (await caller.expect("INFO")).body
        await phone.hold()
        held = await caller.expect("INVITE")
        assert held.sdp.audio.direction == "sendonly"
        held.reply(200)
        await caller.expect("ACK")
        await phone.resume()
        (await caller.expect("INVITE")).reply(200)
        await caller.hears(phone.tone)
        await (await caller.bye()).expect(200)
        await phone.ended()
        assert (await phone.expect("stream")).received > 0


async def test_it_places_a_call(tmp_path: Path) -> None:
    async with await PjsipPhone.open(tmp_path) as phone, await Phone.open() as other:
        await phone.dial(other.uri, headers={"Diversion": "<sip:91000001@trunk>"})
        ring = await other.answers()
        assert ring.get("Diversion") == "<sip:91000001@trunk>"
        await phone.state("confirmed")
        await other.hears(phone.tone)
        await phone.hang_up()
        await other.expect("BYE")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_streams_and_srtp(tmp_path: Path, transport: str) -> None:
    authority = Authority(tmp_path)
    certificate, ca = (authority.issue("phone"), authority.file) if transport == "tls" else (None, None)
    async with (
        await PjsipPhone.open(
            tmp_path, "a", transport=transport, srtp="required", certificate=certificate, ca=ca
        ) as first,
        await PjsipPhone.open(
            tmp_path, "b", transport=transport, srtp="required", answer=200, certificate=certificate, ca=ca
        ) as second,
    ):
        await first.dial(second.uri)
        invite = (await second.rings()).sip
        assert b"RTP/SAVP" in invite.body
        await first.state("confirmed")
        await second.hears(first.tone)
        await first.hears(second.tone)
        await second.hang_up()
        await first.ended()


async def test_it_can_require_reliable_ringing_and_session_timers(tmp_path: Path) -> None:
    async with (
        await PjsipPhone.open(tmp_path, rel100="required", timer="required", session_expires=120) as phone,
        await Phone.open() as other,
    ):
        await phone.dial(other.uri)
        ring = await other.expect("INVITE")
        assert {"100rel", "timer"} <= ring.tokens("Require")
        assert ring.get("Session-Expires").startswith("120")
        ring.reply(180, reliable=True)
        await other.expect("PRACK")
        await phone.state("early")
        ring.reply(486)
        assert (await phone.ended()).status == 486


async def test_it_plays_a_file_over_ipv6(tmp_path: Path) -> None:
    file = write_tone(tmp_path / "tone.wav", 1300, seconds=5)
    async with (
        await PjsipPhone.open(tmp_path, host="::1", answer=200) as phone,
        await Caller.open(host="::1") as caller,
    ):
        await caller.invite(phone.address, "1001")
        await caller.answered()
        await caller.hears(phone.tone)
        await phone.play(file)
        await caller.hears(1300)
        await phone.expect("media")
        await phone.sing(None)
        await phone.hang_up()
        await caller.expect("BYE")


async def test_a_refusal_of_pjsip_is_a_failure_of_the_test(tmp_path: Path) -> None:
    async with await PjsipPhone.open(tmp_path) as phone:
        with pytest.raises(AssertionError, match="Invalid Request URI"):
            await phone.dial("nonsense")
