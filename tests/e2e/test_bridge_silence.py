"""Bridge: a far end that dies without a BYE is noticed by its silence, and one that has a right to be silent is not."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.e2e.legs import call_again, hear_each_other, shared_server, talking
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone

DEAD = ['SIP;cause=408;text="No media from the far end"']
LEFT_ALONE = ['SIP;cause=408;text="No media from the other party"']


@pytest.fixture
async def watchful(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server that gives up a silent far end after a second (it looks once a second)."""
    config = {"media": {"silence_timeout": 1}}
    async with shared_server(pool, tmp_path_factory.mktemp("watchful"), config, template) as server:
        yield server


@pytest.mark.parametrize("side", ["caller", "agent"])
async def test_a_far_end_that_dies_without_a_bye_ends_the_call(
    watchful: Server, caller: Caller, phone: Phone, side: str
) -> None:
    """Bridge, media-silence time-out: BYE with Reason to both, and the record says whose sound was missing."""
    await talking(watchful, caller, phone)
    (caller if side == "caller" else phone).sound.pause()
    for peer, silent in ((caller, side == "caller"), (phone, side == "agent")):
        assert (await peer.expect("BYE")).all("Reason") == (DEAD if silent else LEFT_ALONE)
    cdr = await watchful.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["ended_by"]) == ("media-silence", 200, "tandem")
    assert cdr["detail"]["silent"] == side
    assert await watchful.api.counted("tandem_calls_total", cause="media-silence") == 1


async def test_a_far_end_that_never_sends_anything_ends_the_call(watchful: Server, phone: Phone) -> None:
    """Bridge, media-silence time-out: sound that never begins is silence too."""
    async with await Caller.open("trunk", sound=False) as caller:
        await watchful.api.furnish(phone.uri)
        await call_again(watchful, caller, sdp=phone.sdp())  # somebody else's address: nothing comes from there
        await phone.answers()
        await caller.answered()
        assert (await caller.expect("BYE")).all("Reason") == DEAD
    assert (await watchful.api.cdr())["detail"]["silent"] == "caller"


class Talk:
    """One of several calls at the same time."""

    def __init__(self, caller: Caller, phone: Phone) -> None:
        self.caller, self.phone = caller, phone

    async def ended(self) -> Any:
        """Our BYE came, because of silence."""
        assert (await self.caller.expect("BYE")).all("Reason") == DEAD

    async def goes_on(self, why: str) -> None:
        """Nobody has hung up, and both hear each other again."""
        for peer in (self.caller, self.phone):
            assert not peer.got("BYE"), f"{why}\n{peer.ladder()}"
            peer.sound.rtcp_period = 1.0
            peer.sound.comfort_noise(None)
            if peer.call.direction != "sendrecv":
                await peer.resume()
        await hear_each_other(self.caller, self.phone)


async def test_a_far_end_with_a_right_to_be_silent_keeps_its_call(watchful: Server) -> None:
    """Bridge, media-silence time-out: pauses on hold of any kind, after comfort noise, while RTCP arrives.

    All calls fall silent before the one that has no right to; when that one has been ended, the others have been looked
    at as often.
    """
    async with AsyncExitStack() as stack:

        async def talk(extension: str) -> Talk:
            caller = await stack.enter_async_context(await Caller.open(f"trunk{extension}"))
            phone = await stack.enter_async_context(await Phone.open(extension))
            await watchful.api.add_agent(phone.uri, extension)
            entry = {"kind": "agent", "target": extension}
            await watchful.api.add_access_number(extension, correlation="off", entry=entry)
            await caller.invite(watchful.outside, extension, caller="13911112222")
            await phone.answers()
            await caller.answered()
            return Talk(caller, phone)

        names = ["inactive", "sendonly", "zero", "agent holds", "comfort noise", "RTCP", "dead"]
        talks = dict(zip(names, [await talk(f"20{number}") for number in range(len(names))], strict=True))
        for each in talks.values():
            await hear_each_other(each.caller, each.phone)
        await talks["inactive"].caller.hold("inactive")
        await talks["sendonly"].caller.hold("sendonly")
        await talks["zero"].caller.hold(c="0.0.0.0")
        await talks["agent holds"].phone.hold("inactive")
        for silent in (talks["inactive"].caller, talks["sendonly"].caller, talks["agent holds"].phone):
            silent.sound.rtcp_period = None
        for peer in (talks["comfort noise"].caller, talks["comfort noise"].phone):
            peer.sound.rtcp_period = None
            peer.sound.comfort_noise(3600)  # one packet of it, then nothing
        for peer in (talks["RTCP"].caller, talks["RTCP"].phone):
            peer.sound.rtcp_period = 0.4
            peer.sound.reports_only()
        talks["dead"].caller.sound.pause()
        await talks.pop("dead").ended()
        for name, each in talks.items():
            await each.goes_on(name)
        ended = talks["comfort noise"]
        ended.caller.sound.pause()  # speech came behind the comfort noise: silence counts again
        await ended.ended()
