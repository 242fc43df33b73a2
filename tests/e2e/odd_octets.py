"""A far end whose headers hold octets that are no UTF-8."""

from functools import partial

from tests.e2e.legs import hear_each_other
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, diverted
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

ODD = "\udcff\udcfe"
"0xff and 0xfe, as the wire has them."


async def odd_octets_are_kept(server: Server, caller: Caller, phone: Phone) -> None:
    """Calls with such octets in Call-ID and Reason have their records; the agent 1001 is at `phone`."""
    token = await server.api.issue_token()
    call_id = f"odd-{ODD}@trunk"
    headers = diverted(token)
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers, call_id=call_id)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await (await caller.bye(headers={"Reason": f'SIP;cause=200;text="gone {ODD}"'})).expect(200)
    await phone.expect("BYE")
    cdr = await server.api.cdr(called=ACCESS_NUMBER)
    full = await server.api.get(f"/v1/cdrs/{cdr['id']}")
    part = next(part for part in full["parts"] if part["role"] == "caller")
    assert part["cause"].startswith('SIP;cause=200;text="gone \ufffd')
    assert part["sip_call_id"].startswith("odd-\ufffd")
    assert part["sip_call_id"].endswith("@trunk")

    offer = caller.sdp(codecs=["AMR"], events=False)
    await caller.invite(server.outside, "4008100999", caller=BILLING_NUMBER, sdp=offer, call_id=f"no-{ODD}@trunk")
    await eventually(partial(caller.got, 488), "a refusal by the stack")
    assert (await server.api.cdr(called="4008100999"))["cause"] == "media-not-acceptable"
    assert await server.api.metric("tandem_spool_rejected_total") == 0
