"""The caller's data out of the tenant's own system, over HTTP/JSON and XML-RPC, whatever that does (R1-06, R1-07)."""

from collections.abc import Iterator

import pytest

from tests.e2e.several_trunks import diverted_by, furnish, receptionist, refused, served
from tests.peers.api import Json
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.unit.outside.systems import System, system


@pytest.fixture
def crm() -> Iterator[System]:
    with system() as running:
        yield running


def connection(url: str, mode: str, kind: str = "json", timeout_ms: int = 5000) -> Json:
    return {"kind": kind, "url": url, "mode": mode, "timeout_ms": timeout_ms}


async def tenant_with(server: Server, phone: Phone, link: Json, **tenant: str) -> None:
    """The usual tenant with a connection; agent 8001, whom the system names, has the same phone as 1001."""
    await furnish(server, phone.uri, connection=link, **tenant)
    await server.api.add_agent(phone.uri, "8001")


@pytest.mark.parametrize(("kind", "path"), [("json", "/row/{access_id}/{sequence}"), ("xmlrpc", "/rpc#crm.lookup")])
async def test_the_system_is_asked_and_its_answer_is_on_the_screen(
    trunks: Server, caller: Caller, phone: Phone, crm: System, kind: str, path: str
) -> None:
    """R1-06, R1-07: pull; no row of ours is needed, its number still serves one call only."""
    await tenant_with(trunks, phone, connection(crm.url + path, "pull", kind))
    listener = await trunks.listen()
    call = await served(trunks, caller, phone, headers=diverted_by("700100000042"))
    assert (call.cdr["effective_caller"], call.shown, call.cdr["extension"]) == ("13800138000", "13800138000", "8001")
    data = {"order": 7} if kind == "json" else {"method": "crm.lookup", "sequence": "00000042"}
    assert (await listener.expect("screen.pop"))["data"]["data"] == data
    assert len(crm.seen.requests) == 1
    assert crm.seen.paths == ["/row/7001/00000042"] or kind == "xmlrpc"
    again = await refused(trunks, caller, 410, headers=diverted_by("700100000042"))
    assert again["correlation"] == "token-used"


async def test_both_adds_what_the_system_says_to_the_row(
    trunks: Server, caller: Caller, phone: Phone, crm: System
) -> None:
    """R1-07: push and pull together; a system that is dead leaves the row."""
    await tenant_with(trunks, phone, connection(crm.url + "/row", "both"))
    listener = await trunks.listen()
    for url, data, number in (
        (crm.url + "/row", {"note": "pushed", "order": 7}, "13800138000"),
        (crm.url + "/error", {"note": "pushed"}, "13800000009"),
    ):
        await trunks.api.patch("/v1/tenants/acme", {"connection": connection(url, "both")})
        token = await trunks.api.issue_token(caller="13800000009", extension="1001", data={"note": "pushed"})
        call = await served(trunks, caller, phone, headers=diverted_by(token["original_called_number"]))
        assert (await listener.expect("screen.pop"))["data"]["data"] == data
        assert call.cdr["effective_caller"] == number
    assert call.cdr["detail"]["pull"] == "status"


@pytest.mark.parametrize(
    ("habit", "why", "access_id"),  # an ID each: the breaker spares a system that has failed a few times
    [
        ("slow", "timeout", "7010"),
        ("error", "status", "7011"),
        ("garbage", "garbage", "7012"),
        ("huge", "too-large", "7013"),
        ("dead", "refused", "7014"),
    ],
)
async def test_a_broken_system_costs_the_call_its_data_and_no_more(
    trunks: Server, caller: Caller, phone: Phone, crm: System, habit: str, why: str, access_id: str
) -> None:
    """R1-05, R1-07: slow, 500, garbage, huge, dead: in time to the default route, the reason in record and metric."""
    url = "http://127.0.0.1:9/row" if habit == "dead" else f"{crm.url}/{habit}"
    await tenant_with(trunks, phone, connection(url, "pull", timeout_ms=200), access_id=access_id)
    headers = diverted_by(access_id + "00000042")
    cdr = await refused(trunks, caller, 480, headers=headers)
    assert (cdr["correlation"], cdr["cause"], cdr["detail"]["pull"]) == ("pull-failed", "pull-failed", why)
    await receptionist(trunks, phone)
    [row] = (await trunks.api.get("/v1/access-numbers"))["access_numbers"]
    await trunks.api.patch(f"/v1/access-numbers/{row['key']}", {"default_route": "reception"})
    call = await served(trunks, caller, phone, headers=headers)
    assert (call.cdr["route"], call.cdr["tenant"]) == ("access-route", None)
    assert await trunks.api.counted("tandem_default_route_total", reason="pull-failed") == 1
    assert await trunks.api.counted("tandem_pull_total", result=why) == 2


async def test_each_tenant_is_asked_over_its_own_connection(
    trunks: Server, caller: Caller, phone: Phone, crm: System
) -> None:
    """R1-06: the access ID leads to the right connection."""
    with system() as other:
        await tenant_with(trunks, phone, connection(crm.url + "/row", "pull"))
        await trunks.api.add_tenant("beta", "7002", connection=connection(other.url + "/row/{access_id}", "pull"))
        await served(trunks, caller, phone, headers=diverted_by("700200000001"))
        assert (crm.seen.paths, other.seen.paths) == ([], ["/row/7002"])


async def test_a_caller_who_leaves_meanwhile_rings_nobody(
    trunks: Server, caller: Caller, phone: Phone, crm: System
) -> None:
    """R1-07, R1-09: CANCEL while the system thinks; nothing is claimed in the end."""
    await tenant_with(trunks, phone, connection(f"{crm.url}/slow", "both", timeout_ms=300))
    token = await trunks.api.issue_token()
    await caller.invite(
        trunks.outside, "4008100001", caller="02088880000", headers=diverted_by(token["original_called_number"])
    )
    await caller.expect(100)
    await caller.cancel()
    await caller.expect(487)
    assert (await trunks.api.cdr())["cause"] == "cancelled"
    assert await trunks.api.token_state(token) == "free"
    assert not phone.got("INVITE")
