"""OPTIONS to trunks, names whose addresses change, and what is remembered over a restart."""

import contextlib

from tests.e2e.carriers import dial, record
from tests.e2e.conftest import StartServer
from tests.peers.configuration import Changes
from tests.peers.names import NameServer
from tests.peers.peer import Unexpected
from tests.peers.ports import PORTS
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

PROBED, SILENT, NAMED = PORTS.keep(1), PORTS.keep(1), PORTS.keep(1)
QUICK = {
    "listener": "outside",
    "first_response": 0.3,
    "probe_interval": 0.25,
    "probe_timeout": 0.2,
    "probe_losses": 2,
}


async def test_a_dead_trunk_is_out_until_it_answers_again(start_server: StartServer) -> None:
    """Any final answer is a life sign; one that never answered is warned of and goes on getting calls."""
    trunks: Changes = {
        "trunks.probed": {**QUICK, "addresses": ["192.0.2.1"], "target": f"127.0.0.1:{PROBED}"},
        "trunks.silent": {**QUICK, "addresses": ["192.0.2.2"], "target": f"127.0.0.1:{SILENT}"},
        "trunk_groups.both": {"members": ["probed", "silent 2"]},
        "trunks.second": {**QUICK, "addresses": ["192.0.2.3"], "target": f"127.0.0.1:{SILENT}", "probe": False},
    }
    async with (
        await Phone.open("silent", port=SILENT, manual=["OPTIONS"], sound=False) as silent,
        await Phone.open("probed", port=PROBED, manual=["OPTIONS"], sound=False) as probed,
    ):
        server = await start_server(trunks)
        listener = await server.listen(after=0)
        (await probed.expect("OPTIONS")).reply(404)
        await listener.expect("trunk.warning", trunk="silent")
        await listener.expect("trunk.out", trunk="probed")  # it answers no other one
        assert await server.api.metric("tandem_trunk_up", trunk="probed") == 0
        assert await server.api.metric("tandem_trunk_up", trunk="silent") == 1
        number = await dial(server)
        await silent.rejects(486, user=number)
        await record(server, number)
        assert probed.got("INVITE") == []
        probed.automatic.add("OPTIONS")
        await listener.expect("trunk.back", trunk="probed")
        number = await dial(server)
        await probed.rejects(486, user=number)
        await server.api.post("/v1/trunks/probed/maintenance", {"on": True})
        await listener.close()
        await server.restart()
        assert (await server.api.get("/v1/trunks/probed"))["maintenance"] is True


async def test_a_trunk_by_name(start_server: StartServer) -> None:
    """SRV and A records with their TTL; the name stands nowhere in a question of PJSIP's; a dead name server changes
    nothing; calls come in from the name's addresses."""
    with NameServer() as names:
        names.srv("_sip._udp.carrier.test", ("node.carrier.test", NAMED, 1, 1), ttl=1)
        names.a("node.carrier.test", "127.0.0.1", ttl=1)
        names.a("source.carrier.test", "127.0.0.5", ttl=1)
        trunks: Changes = {
            "trunks.carrier": {"addresses": ["127.0.0.1/32"]},
            "trunks.named": {
                **QUICK, "addresses": ["source.carrier.test"], "target": "carrier.test", "probe": False,
                "domain": "carrier.test", "access_id_width": 4,
            },
            "trunks.second": {**QUICK, "addresses": ["192.0.2.3"], "target": "192.0.2.3", "probe": False},
            "dns": {"servers": [f"127.0.0.1:{names.port}"], "timeout": 0.3, "shortest": 0.2},
        }  # fmt: skip
        async with (
            await Phone.open("named", port=NAMED, sound=False) as carrier,
            await Phone.open("caller", host="127.0.0.5", sound=False) as caller,
        ):
            server = await start_server(trunks)

            async def known() -> bool:
                return bool((await server.api.get("/v1/trunks/named"))["far_ends"])

            await eventually_true(known, "the name has an address")
            number = await dial(server, "named")
            ring = await carrier.expect("INVITE", user=number)
            assert ring.start == f"INVITE sip:{number}@carrier.test SIP/2.0"
            ring.reply(486)

            asked: set[str] = set()

            async def recorded() -> bool:
                """Until the second name is known too, its address is a stranger's, who hears nothing."""
                call = await caller.invite(server.outside, "4008100001", caller="4930")
                with contextlib.suppress(Unexpected):
                    await caller.expect("4xx", call=call, within=1.0)
                asked.add(call.call_id)
                rows = [row for row in await server.api.cdrs(1) if row["sip_call_id"] in asked]
                return any(row["trunk"] == "named" for row in rows)

            await eventually_true(recorded, "a call from the name's address is the trunk's")
            names.dead = True
            await server.log_contains("a trunk's name is not known now")
            number = await dial(server, "named")
            await carrier.rejects(486, user=number)
