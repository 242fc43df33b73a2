"""The travel agency: a known member with an order calls; his clerk is on leave, and the deputy knows everything."""

import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.several_trunks import diverted_by
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.browser import Person, chromium, person
from tests.peers.server import ROOT, Server
from tests.peers.tenant_system import TenantSystem
from tests.peers.uac import Caller
from tests.peers.uas import Phone

EXAMPLE = ROOT / "docs" / "examples" / "travel-agency.toml"
"The agency's data, as the page shows them."


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[TenantSystem]:
    """The agency's systems: marketing and member over HTTP/JSON, orders and the office over XML-RPC."""
    system = TenantSystem(tmp_path)
    system.answers(
        marketing={"campaigns": [{"id": "spring-7", "name": "Spring in Lijiang", "discount": "10 %"}]},
        member={"member": {"id": "m-4711", "name": "member 4711", "level": "gold"}},
        order={"orders": [{"id": "A-1007", "tour": "Lijiang, 5 days", "departs": "2026-04-12", "person": "clerk-12"}]},
        business_staff={"states": {"clerk-13": "online"}},
    )
    yield system
    system.close()


@pytest.fixture
async def deputy() -> AsyncIterator[Phone]:
    async with await Phone.open("1013") as phone:
        yield phone
        print(phone.ladder())


@pytest.fixture
async def page() -> AsyncIterator[Person]:
    async with chromium() as browser, person(browser) as someone:
        yield someone


async def furnish(server: Server, agency: TenantSystem, clerk: Phone, deputy: Phone) -> str:
    """The agency as it would import it; returns the API key of the deputy's page."""
    await server.api.add_agent(clerk.uri, "1012")
    await server.api.add_agent(deputy.uri, "1013")
    await server.api.add_tenant("agency")
    await server.api.add_access_number()
    data = EXAMPLE.read_text(encoding="utf-8")
    for shown, ours in (
        ("https://systems.agency.example/", agency.url("")),
        ("https://office.agency.example/#", agency.url("", "xmlrpc")),
        ('begins = "2026-03-30"', 'begins = "2020-01-01"'),
        ('ends = "2026-04-10"', 'ends = "2099-12-31"'),
    ):
        assert shown in data
        data = data.replace(shown, ours)
    await server.api.add_plan(**tomllib.loads(data))
    key = await server.api.post("/v1/api-keys", {"name": "agent 1013", "role": "agent", "extension": "1013"})
    return str(key["secret"])


async def test_a_member_whose_clerk_is_on_leave_reaches_the_deputy_who_sees_it_all(
    server: Server, caller: Caller, phone: Phone, deputy: Phone, agency: TenantSystem, page: Person
) -> None:
    """R0-05..R0-10, R1-07: member, order and campaign are found over both transports; the clerk named by the order is
    on leave; the deputy's phone rings, with member, order, campaign and the clerk's name on his page."""
    key = await furnish(server, agency, clerk=phone, deputy=deputy)
    await page.signs_in(f"{server.api.url}/agent", key)
    await page.presses("Log in")
    await page.sees("state", "Available")

    token = await server.api.issue_token("agency", caller="13800000001", extension=None)
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)

    ring = await deputy.rings()
    await page.sees("call-state", "Ringing", within=2000)
    await page.sees("caller", "13800000001")
    for text in ("member 4711", "gold", "A-1007", "Lijiang, 5 days", "Spring in Lijiang", "clerk 12", "leave"):
        await page.sees("data", text)
    await page.is_pictured("travel-agency-deputy.png")
    assert not phone.got("INVITE")
    assert agency.asked("order")[0]["question"] == {"customer": "m-4711"}

    ring.reply(200)
    await caller.answered()
    await caller.hears(deputy)
    await page.sees("call-state", "Talking")
    await (await caller.bye()).expect(200)
    await deputy.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["tenant"], cdr["extension"], cdr["effective_caller"]) == ("agency", "1013", "13800000001")
