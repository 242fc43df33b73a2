"""The effective caller: the row's number, else the network's, else From; agents, screens and records show it."""

import pytest

from tests.e2e.several_trunks import CARRIER, TRUSTED, diverted_by, furnish, served
from tests.peers.api import BILLING_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


@pytest.mark.parametrize(
    ("source", "row", "asserted", "effective"),
    [
        (CARRIER, "13800000001", None, "13800000001"),
        (CARRIER, None, None, BILLING_NUMBER),
        (CARRIER, None, "13700000007", BILLING_NUMBER),
        (TRUSTED, "13800000001", BILLING_NUMBER, "13800000001"),
        (TRUSTED, None, BILLING_NUMBER, BILLING_NUMBER),
    ],
)
async def test_the_effective_caller_of_a_call_with_a_row(
    trunks: Server, phone: Phone, source: str, row: str | None, asserted: str | None, effective: str
) -> None:
    """R1-07: the row's number first; P-Asserted-Identity counts on a trunk that is trusted, and nowhere else."""
    await furnish(trunks, phone.uri)
    token = await trunks.api.issue_token(**({"caller": row} if row else {}))
    listener = await trunks.listen()
    headers = diverted_by(token["original_called_number"])
    if asserted:
        headers.append(("P-Asserted-Identity", f"<sip:{asserted}@trunk.example>"))
    caller_id = "0000" if source == TRUSTED else BILLING_NUMBER
    async with await Caller.open("trunk", host=source) as caller:
        call = await served(trunks, caller, phone, headers=headers, caller=caller_id)
    assert (call.cdr["effective_caller"], call.cdr["billing_number"]) == (effective, caller_id)
    assert call.shown == effective
    assert f"sip:{effective}@" in call.ring.get("P-Asserted-Identity")
    assert (await listener.expect("screen.pop"))["data"]["caller"] == effective


@pytest.mark.parametrize(("source", "effective"), [(TRUSTED, "13700000007"), (CARRIER, "02100000000")])
async def test_the_effective_caller_of_a_call_without_a_row(
    trunks: Server, phone: Phone, source: str, effective: str
) -> None:
    """R1-07: PAI on a trusted trunk, else From."""
    await trunks.api.add_agent(phone.uri)
    await trunks.api.add_access_number(correlation="off", entry={"kind": "agent", "target": "1001"})
    asserted = [("P-Asserted-Identity", "<sip:13700000007@trunk.example>, <tel:+8613700000007>")]
    async with await Caller.open("trunk", host=source) as caller:
        call = await served(trunks, caller, phone, headers=asserted, caller="02100000000")
    assert (call.cdr["effective_caller"], call.cdr["billing_number"], call.shown) == (
        effective, "02100000000", effective,
    )  # fmt: skip
