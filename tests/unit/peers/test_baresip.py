"""baresip against the raw peers: one call in, one call out."""

from pathlib import Path

from tests.peers.baresip import Baresip
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def test_it_answers_by_itself_and_sound_passes_both_ways(tmp_path: Path) -> None:
    async with await Baresip.open(tmp_path) as phone, await Caller.open() as caller:
        await caller.invite(phone.address, phone.name)
        await caller.answered()
        await caller.hears(phone.tone)
        assert caller.sound.tone
        await phone.hears(caller.sound.tone)
        await phone.expect("CALL_ESTABLISHED")
        await (await caller.bye()).expect(200)
        await phone.expect("CALL_CLOSED")


async def test_it_places_a_call_and_hangs_up(tmp_path: Path) -> None:
    async with await Baresip.open(tmp_path, answer=False) as phone, await Phone.open() as other:
        phone.command("dial", other.uri)
        await other.answers()
        await other.hears(phone.tone)
        phone.command("hangup")
        await other.expect("BYE")
