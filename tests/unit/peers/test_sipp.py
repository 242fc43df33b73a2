"""SIPp peers against each other, against the raw peers, and against SIPp's own built-in answerer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import isup_build
from tests.peers.rtp import Rtp
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone


@pytest.fixture
async def trunk(tmp_path: Path) -> AsyncIterator[Sipp]:
    with Rtp() as sound:
        async with Sipp(tmp_path, "trunk", rtp=sound) as peer:
            yield peer
            print(peer.describe())


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Sipp]:
    with Rtp() as sound:
        async with Sipp(tmp_path, "agent", rtp=sound) as peer:
            yield peer
            print(peer.describe())


@pytest.mark.parametrize(
    ("placing", "answering"),
    [
        ("trunk-diverted", "agent-answers"),
        ("trunk-diverted-twice", "agent-answers"),
        ("trunk-history-info", "agent-answers"),
        ("trunk-no-correlation", "agent-answers"),
        ("trunk-early-media", "agent-early-media-then-answers"),
        ("trunk-waits-for-hangup", "agent-answers-then-hangs-up"),
        ("trunk-cancels-while-ringing", "agent-never-answers"),
        ("trunk-is-refused", "agent-busy"),
        ("trunk-100rel-required", "agent-100rel"),
    ],
)
async def test_scenarios_fit_each_other(trunk: Sipp, agent: Sipp, placing: str, answering: str) -> None:
    answered = await agent.answers(answering, n=3)
    placed = await trunk.calls(agent.address, placing, n=3, diverted="91000001")
    await answered.done()
    assert (placed.succeeded, placed.failed) == (3, 0)
    assert (answered.succeeded, answered.failed) == (3, 0)


async def test_the_trace_shows_the_wire(trunk: Sipp, agent: Sipp) -> None:
    answered = await agent.answers(n=1)
    placed = await trunk.calls(agent.address, diverted="91000001", caller="13800000000")
    await answered.done()
    [invite] = answered.received("INVITE")
    assert invite.get("Diversion") == "<sip:91000001@127.0.0.1;user=phone>;reason=unconditional;counter=1"
    assert placed.statuses() == [180, 200, 200]
    assert placed.messages()[0].sent
    assert f"m=audio {trunk.rtp.port} " in invite.body.decode() if trunk.rtp else False


@pytest.mark.parametrize("status", [404, 480, 503, 603])
async def test_an_agent_rejects_with_any_code(trunk: Sipp, agent: Sipp, status: int) -> None:
    await agent.answers(f"agent-rejects-{status}", reason="No", header="Retry-After: 5")
    if status == 503:  # never right towards a trunk, so the trunk's scenario calls it a failure
        run = await trunk.start_calls(agent.address, "trunk-is-refused")
        with pytest.raises(AssertionError, match=r"exit code is 1\n(?s:.*)503 No"):
            await run.done()
    else:
        run = await trunk.calls(agent.address, "trunk-is-refused")
    assert run.received(status)[0].get("Retry-After") == "5"


async def test_history_info_is_folded_on_the_wire(trunk: Sipp) -> None:
    async with await Phone.open() as phone:
        run = await trunk.start_calls(phone.address, "trunk-history-info", diverted="91000001")
        ring = await phone.expect("INVITE")
        assert b"mp=1,\r\n <sip:91000001@" in ring.raw
        ring.reply(200)
        await phone.expect("BYE")
        await run.done()


async def test_routes_and_contacts_are_followed(trunk: Sipp) -> None:
    async with await Phone.open("edge") as phone:
        run = await trunk.start_calls(phone.address, "trunk-waits-for-hangup")
        ring = await phone.expect("INVITE")
        ring.reply(200, contact="sip:far@10.1.2.3:5099", headers={"Record-Route": ["<sip:b;lr>", "<sip:a;lr>"]})
        ack = await phone.expect("ACK")
        assert ack.uri == "sip:far@10.1.2.3:5099"
        assert "".join(ack.all("Route")).replace(" ", "") == "<sip:a;lr>,<sip:b;lr>"
        await (await phone.bye()).expect(200)
        await run.done()


async def test_an_agents_hang_up_goes_to_the_callers_contact(agent: Sipp) -> None:
    async with await Caller.open() as caller:
        await agent.answers("agent-answers-then-hangs-up", hold=100)
        caller.proxy = agent.address
        headers = {"Record-Route": "<sip:p;lr>", "Contact": "<sip:real@127.0.0.1:9;x=y>"}
        await caller.invite(agent.address, "1001", headers=headers)
        await caller.answered()
        bye = await caller.expect("BYE")
        assert bye.uri == "sip:real@127.0.0.1:9;x=y"
        assert bye.get("Route") == "<sip:p;lr>"
        assert (bye.from_tag, bye.to_tag) == (caller.got(200)[0].to_tag, caller.call.invite_sent.from_tag)


async def test_sound_goes_to_the_tests_own_end_points(trunk: Sipp, agent: Sipp) -> None:
    assert trunk.rtp
    assert agent.rtp
    await agent.answers()
    run = await trunk.start_calls(agent.address, hold=1500)
    trunk.rtp.send_to(agent.rtp.address)
    assert trunk.rtp.tone
    await agent.rtp.expect_tone(trunk.rtp.tone)
    await run.done()


async def test_isup_goes_out_byte_for_byte(trunk: Sipp, tmp_path: Path) -> None:
    file = tmp_path / "iam"
    file.write_bytes(isup_build.diverted_iam("4008100001", original="91000001"))
    async with await Phone.open() as phone:
        run = await trunk.start_calls(phone.address, "trunk-sip-i", isup=file)
        ring = await phone.expect("INVITE")
        assert ring.part("application/isup") == file.read_bytes()
        assert ring.sdp.audio.port == (trunk.rtp and trunk.rtp.port)
        ring.reply(200)
        await phone.expect("BYE")
        await run.done()


async def test_a_delayed_offer_needs_an_offer_in_the_answer(trunk: Sipp) -> None:
    async with await Phone.open() as phone:
        run = await trunk.start_calls(phone.address, "trunk-delayed-offer")
        (await phone.expect("INVITE")).reply(200)
        assert (await phone.expect("ACK")).has_sdp
        await run.done()


@pytest.mark.parametrize(("host", "transport"), [("127.0.0.1", "tcp"), ("::1", "udp")])
async def test_tcp_and_ipv6(tmp_path: Path, host: str, transport: str) -> None:
    async with (
        Sipp(tmp_path, "agent", host=host, transport=transport) as agent,
        Sipp(tmp_path, "trunk", host=host, transport=transport) as trunk,
    ):
        answered = await agent.answers(n=2)
        await trunk.calls(agent.address, n=2)
        await answered.done()


async def test_load_takes_its_digits_from_a_file_and_times_the_answers(
    trunk: Sipp, agent: Sipp, tmp_path: Path
) -> None:
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"9100{n:04};0208888{n:04};4008100001\n" for n in range(30)))
    answered = await agent.answers("load-agent", n=30)
    run = await trunk.start_calls(agent.address, "load-trunk", n=30, rate=100, inject=numbers, times=True)
    await run.done()
    await answered.done()
    dialled = {m.get("Diversion").partition("@")[0] for m in answered.received("INVITE")}
    assert dialled == {f"<sip:9100{n:04}" for n in range(30)}
    assert len(run.response_times("ringing")) == len(run.response_times("answer")) == 30
    assert len(run.delays(180)) == len(run.delays(200)) == 30
    assert all(0 < ringing < answer for ringing, answer in zip(run.delays(180), run.delays(200), strict=True))


async def test_a_call_that_fails_shows_what_was_wrong(trunk: Sipp, agent: Sipp) -> None:
    await agent.answers("agent-busy")
    run = await trunk.start_calls(agent.address, "trunk-diverted")
    with pytest.raises(AssertionError, match=r"exit code is 1\n(?s:.*)486 Busy Here"):
        await run.done()
    assert (run.succeeded, run.failed) == (0, 1)


async def test_several_peers_start_at_once_without_port_trouble(tmp_path: Path) -> None:
    agents = [Sipp(tmp_path, f"agent{n}") for n in range(6)]
    runs = await asyncio.gather(*(one.answers() for one in agents))
    assert len({one.port for one in agents}) == 6
    assert all(run.child.alive for run in runs)
    for one in agents:
        await one.close()
    assert not any(run.child.alive for run in runs)
