"""Every SIPp scenario through the real server: exit codes and counters of both sides are the verdict."""

from pathlib import Path

import pytest

from tests import isup_build
from tests.peers.api import ACCESS_NUMBER
from tests.peers.server import Server
from tests.peers.sipp import Sipp


async def furnish(server: Server, agent: Sipp) -> str:
    """The usual business; returns the original called number of a fresh token."""
    await server.api.furnish(agent.uri)
    return str((await server.api.issue_token())["original_called_number"])


@pytest.mark.parametrize(
    ("placing", "answering"),
    [
        ("trunk-diverted", "agent-answers"),
        ("trunk-diverted-twice", "agent-answers"),
        ("trunk-history-info", "agent-answers"),
        ("trunk-early-media", "agent-early-media-then-answers"),
        ("trunk-diverted", "agent-100rel"),
        ("trunk-100rel-required", "agent-answers"),
        ("trunk-100rel-required", "agent-100rel"),
        ("trunk-delayed-offer", "agent-answers"),
        ("trunk-waits-for-hangup", "agent-answers-then-hangs-up"),
    ],
)
async def test_both_sides_see_a_call_that_went_well(
    server: Server, trunk: Sipp, agent: Sipp, placing: str, answering: str
) -> None:
    """R0-01, R1-03, 100rel and early media and delayed offer and BYE from either side (Bridge)."""
    number = await furnish(server, agent)
    answered = await agent.answers(answering, n=1, hold=100)
    await trunk.calls(server.outside, placing, diverted=number)
    await answered.done()
    cdr = await server.api.cdr()
    assert (cdr["correlation"], cdr["extension"], cdr["sip_code"]) == ("correlated", "1001", 200)


async def test_isup_tells_the_number_first_called(server: Server, trunk: Sipp, agent: Sipp, tmp_path: Path) -> None:
    """R1-03: SIP-I; the agent's INVITE carries nothing of the ISUP body."""
    number = await furnish(server, agent)
    iam = tmp_path / "iam"
    iam.write_bytes(isup_build.diverted_iam(ACCESS_NUMBER, original=number))
    answered = await agent.answers(n=1)
    await trunk.calls(server.outside, "trunk-sip-i", isup=iam)
    await answered.done()
    [invite] = answered.received("INVITE")
    assert invite.content_type == "application/sdp"
    assert (await server.api.cdr())["source"] == "isup-called"


async def test_a_caller_who_gives_up_stops_the_ringing(server: Server, trunk: Sipp, agent: Sipp) -> None:
    """R1-09: CANCEL passes to the agent, and the token is free again."""
    number = await furnish(server, agent)
    rung = await agent.answers("agent-never-answers", n=1)
    await trunk.calls(server.outside, "trunk-cancels-while-ringing", diverted=number)
    await rung.done()
    assert (await server.api.cdr())["sip_code"] == 487


@pytest.mark.parametrize(
    ("answering", "shown"),
    [
        ("agent-busy", {486}),
        ("agent-rejects-302", {480, 500}),
        ("agent-rejects-401", {480, 500}),
        ("agent-rejects-404", {404, 480}),
        ("agent-rejects-407", {480, 500}),
        ("agent-rejects-480", {480}),
        ("agent-rejects-488", {488}),
        ("agent-rejects-500", {480, 500}),
        ("agent-rejects-503", {480, 500}),
        ("agent-rejects-600", {600}),
        ("agent-rejects-603", {603}),
    ],
)
async def test_a_refusal_never_harms_the_trunk(
    server: Server, trunk: Sipp, agent: Sipp, answering: str, shown: set[int]
) -> None:
    """Failure codes (Bridge): a code of the agent's leg is passed on, but never a 503, 401, 407 or 3xx."""
    number = await furnish(server, agent)
    refused = await agent.answers(answering, n=1)
    placed = await trunk.calls(server.outside, "trunk-is-refused", diverted=number)
    await refused.done()
    assert placed.statuses()[-1] in shown
