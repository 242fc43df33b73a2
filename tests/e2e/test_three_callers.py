"""The example of the source design: three callers, two tenants, one billing number, told apart on the screens."""

from contextlib import AsyncExitStack

from tests.e2e.several_trunks import diverted_by
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

CALLERS = {
    "1001": ("acme", "13800000001", {"name": "first", "order": "A-1"}),
    "1002": ("acme", "13900000002", {"name": "second", "order": "A-2"}),
    "1003": ("beta", "02131000003", {"name": "third", "ticket": 17}),
}
"Agent -> the tenant whose system calls for the caller, his own number, what the system knows of him."


async def test_three_callers_of_two_tenants_under_one_billing_number_are_told_apart(server: Server) -> None:
    """R1-06, R1-07, R1-08: all three talk at once, From is the same on each; screens, phones and records differ."""
    listener = await server.listen()
    async with AsyncExitStack() as stack:
        phones = {e: await stack.enter_async_context(await Phone.open(e, sound=False)) for e in CALLERS}
        trunk = await stack.enter_async_context(await Caller.open("trunk", sound=False))
        for extension, phone in phones.items():
            await server.api.add_agent(phone.uri, extension)
        await server.api.add_tenant("acme", "7001")
        await server.api.add_tenant("beta", "7002")
        await server.api.add_access_number()
        scoped = {}
        for tenant in ("acme", "beta"):
            body = {"name": f"feed of {tenant}", "role": "tenant", "tenant": tenant}
            scoped[tenant] = await server.listen(token=(await server.api.post("/v1/api-keys", body))["secret"])

        for extension, (tenant, number, data) in CALLERS.items():
            token = await server.api.issue_token(tenant, caller=number, extension=extension, data=data)
            headers = diverted_by(token["original_called_number"])
            await trunk.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers, sdp=trunk.sdp())
        for extension, phone in phones.items():
            ring = await phone.rings()
            assert ring.get("From").startswith(f"<sip:{CALLERS[extension][1]}@")
            assert ring.get("P-Asserted-Identity").startswith(f"<sip:{CALLERS[extension][1]}@")
            assert BILLING_NUMBER not in ring.text
            ring.reply(200, sdp=phone.sdp())
        for call in trunk.calls:
            await call.answered()

        live = {call["extension"]: call for call in await server.api.calls()}
        for extension, (tenant, number, data) in CALLERS.items():
            pop = await listener.expect("screen.pop", extension=extension)
            assert (pop["data"]["tenant"], pop["data"]["caller"], pop["data"]["data"]) == (tenant, number, data)
            assert pop["data"]["billing_number"] == BILLING_NUMBER
            assert (live[extension]["caller"], live[extension]["data"]) == (number, data)
        for call in trunk.calls:
            await (await call.bye()).expect(200)
        records = {record["extension"]: record for record in await server.api.cdrs(3)}
        for extension, (tenant, number, _) in CALLERS.items():
            record = records[extension]
            assert (record["tenant"], record["effective_caller"]) == (tenant, number)
            assert (record["billing_number"], record["called"]) == (BILLING_NUMBER, ACCESS_NUMBER)

        for tenant, count in (("acme", 2), ("beta", 1)):
            for _ in range(count):
                await scoped[tenant].expect("call.ended")
            assert {event["data"]["tenant"] for event in scoped[tenant].events} == {tenant}
            assert len(scoped[tenant].of_type("screen.pop")) == count
