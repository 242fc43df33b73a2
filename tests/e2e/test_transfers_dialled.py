"""Customers whom we have called are sent elsewhere like those who have called us."""

from dialer.campaign import Mode
from dialer.outcome import Outcome
from tests.e2e.conftest import StartServer
from tests.e2e.dialling import CONFIG, Campaigns, Carrier, numbers
from tests.e2e.phones import OFFICE
from tests.e2e.queues import QUEUE, come, log_in, open_number, open_queue, staff, state, waiting
from tests.e2e.test_refer import here, told
from tests.e2e.test_refer_registered import OpenPjsip, at, office
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def test_who_is_called_back_is_sent_to_another_agent(start_server: StartServer) -> None:
    """Blind transfer in a call-back from a queue: the other agent has him, the sender is told and free."""
    async with (
        await Caller.open("trunk") as caller,
        await Phone.open("1001") as agent,
        await Phone.open("1002") as other,
    ):
        server = await start_server({"trunks.carrier": {"target": f"127.0.0.1:{caller.port}"}})
        await open_queue(server, callback_key="1")
        await open_number(server)
        await staff(server, agent, "1001", at_work=False)
        await staff(server, other, "1002", ())
        await come(server, caller, "13800000001")
        await waiting(server, 1)
        await caller.sound.pressed("1")
        await caller.expect("BYE")
        await log_in(server, "1001")
        await agent.answers()
        ring = await caller.expect("INVITE")
        ring.reply(200)
        await caller.expect("ACK")
        await caller.hears(agent)
        await (await agent.call.refer(here(server, "1002"))).expect(202)
        await told(agent, "100", final=False)
        await other.answers()
        await told(agent, "200", final=True)
        await caller.hears(other)
        await other.hears(caller)
        await state(server, "1001", "available")
        await (await other.bye()).expect(200)
        await caller.expect("BYE")
        [cdr] = [one for one in await server.api.cdrs(2) if one["direction"] == "outbound"]
        assert (cdr["cause"], cdr["extension"], cdr["detail"]["transfers"][0]["result"]) == ("normal", "1002", "done")


async def test_a_previewed_customer_is_handed_over_after_a_consultation(
    start_server: StartServer, open_pjsip: OpenPjsip
) -> None:
    """Attended transfer, asked for in the second call, which names the customer's: he goes on with the colleague."""
    server, [first, second] = await office(start_server, open_pjsip, "1001", "1002", config={**OFFICE, **CONFIG})
    await open_queue(server, delay_reject=0.0, missed_before_pause=0, wrap_up=0.0)
    profile = {"extension": "1001", "queues": {QUEUE: 1}}
    await server.api.request("PUT", "/v1/agent-profiles/1001", profile)
    listener = await server.listen()
    [called] = numbers(1, 600)
    async with Campaigns.open(server) as campaigns, Carrier.open(sound=True) as carrier:
        await log_in(server, "1001")
        await log_in(server, "1002")
        campaign = await campaigns.add([called], mode=Mode.PREVIEW)
        await campaigns.order(campaign, "start")
        customer = int((await first.rings()).call)
        await first.reply(200, customer)
        await carrier.peer.hears(first.tone)
        await first.hold(customer)
        asked = await first.dial(at(server, "1002"))
        await second.rings()
        await second.reply(200)
        await second.hears(first.tone)
        await first.join(asked, customer)
        await carrier.peer.hears(second.tone)
        await second.hears(carrier.peer.sound.tone or 0.0)
        await first.ended()
        await first.ended()
        await state(server, "1001", "available")
        await second.hang_up()
        await carrier.peer.expect("BYE")
        await listener.expect("dial.result", number=called, outcome="answered", agent="1001")
        assert (await campaigns.record(campaign)).outcome is Outcome.ANSWERED
        await campaigns.over(campaign)
    await state(server, "1002", "available")
