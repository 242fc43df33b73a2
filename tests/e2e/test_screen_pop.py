"""What the agent learns, and the one id by which a call is known everywhere."""

from tests.e2e.several_trunks import diverted_by, end
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

DATA = {"order": "A-1", "amount": 12.5, "vip": True, "note": '\u4f60\u597d, "quoted" <b>', "tags": ["a", {"b": None}]}


async def test_the_screen_pops_with_the_rows_data_before_the_phone_rings(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """R1-07: business data as the system left them, both numbers, and who takes the call."""
    await server.api.furnish(phone.uri)
    listener = await server.listen()
    token = await server.api.issue_token(caller="13800000001", extension="1001", data=DATA)
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    await phone.expect("INVITE")
    pop = await listener.expect("screen.pop")
    assert pop["data"] == {
        "tenant": "acme",
        "extension": "1001",
        "caller": "13800000001",
        "called": ACCESS_NUMBER,
        "billing_number": BILLING_NUMBER,
        "via": "token",
        "correlation": "correlated",
        "data": DATA,
    }
    assert not listener.of_type("call.ringing")


async def test_one_call_id_is_everywhere(server: Server, caller: Caller, phone: Phone) -> None:
    """R0-14: in events, record, live call, log lines and the agent's X-Tandem-Call-ID; the trunk never sees it."""
    await server.api.furnish(phone.uri)
    listener = await server.listen()
    token = await server.api.issue_token()
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    ring = await phone.answers()
    await caller.answered()
    [live] = await server.api.calls()
    await end(caller, phone)
    cdr = await server.api.cdr()
    await listener.expect("call.ended")
    assert {event["call"] for event in listener.events} == {cdr["id"], live["id"], ring.get("X-Tandem-Call-ID")}
    assert len({cdr["id"], live["id"]}) == 1
    assert all(cdr["id"] not in message.text for message in caller.call.received)

    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER)
    await caller.expect(403)
    [refused] = await server.api.cdrs(1, correlation="missing")
    await server.log_contains(refused["id"])
    assert {line.get("call") for line in server.log_lines() if "call" in line} >= {refused["id"]}


async def test_two_parts_tell_how_each_leg_went(server: Server, caller: Caller, phone: Phone) -> None:
    """R1-07: the record keeps both numbers, both legs' Call-IDs, and the times in order."""
    await server.api.furnish(phone.uri)
    token = await server.api.issue_token(caller="13800000001")
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    ring = await phone.answers()
    await caller.answered()
    await caller.hears(phone)
    await phone.hears(caller)
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert (cdr["effective_caller"], cdr["billing_number"]) == ("13800000001", BILLING_NUMBER)
    assert cdr["started_at"] <= cdr["ringing_at"] <= cdr["answered_at"] <= cdr["ended_at"]
    by_role = {part["role"]: part for part in cdr["parts"]}
    assert by_role["caller"]["sip_call_id"] == caller.call.call_id == cdr["sip_call_id"]
    assert by_role["agent"]["sip_call_id"] == ring.call_id
    assert by_role["agent"]["party"] == "1001"
    for part in by_role.values():
        assert part["rx_packets"] > 0
        assert 1 <= part["mos"] <= 4.5
