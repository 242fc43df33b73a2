"""The signalling of one call for operators: JSON, the ladder of `tandem trace`, a capture file that tshark reads."""

import asyncio
import json
from pathlib import Path

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_in, end
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

SECRET = "6629fae49393a05397450978507c4ef1"
CREDENTIALS = {"Authorization": f'Digest username="trunk", realm="r", nonce="n", uri="sip:x", response="{SECRET}"'}


async def tandem(server: Server, *arguments: str) -> str:
    child = server.tandem(*arguments)
    assert await child.ended(30) == 0, child.log()
    return child.log()


async def tshark(file: Path, *arguments: str) -> list[str]:
    """Lines that tshark prints of a capture file; every UDP port of the peers is taken for SIP."""
    command = ("tshark", "-r", str(file), "-d", "udp.port==1-65535,sip", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().splitlines()


async def test_a_call_is_traced_drawn_and_exported_while_it_lives_and_after(
    server: Server, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """Per-call ladder in a bounded ring, secrets masked; the capture file has every message, whole and in order."""
    await call_in(server, caller, phone.uri, headers=CREDENTIALS)
    ring = await phone.answers()
    await caller.answered()
    id_ = ring.get("X-Tandem-Call-ID")
    await caller.call.info_digit("7")
    live = await server.api.get(f"/v1/calls/{id_}/trace")
    assert [leg["role"] for leg in live["legs"]] == ["caller", "agent"]
    assert live["messages"][0]["start_line"].startswith("INVITE ")
    await end(caller, phone)
    await server.api.cdr()

    found = await server.api.get(f"/v1/calls/{id_}/trace")
    trunk = [m["start_line"].split(" SIP/2.0")[0].split(" ")[0:2] for m in found["messages"] if m["leg"] == 0]
    starts = [words[1] if words[0] == "SIP/2.0" else words[0] for words in trunk]
    assert starts == ["INVITE", "100", "180", "200", "ACK", "INFO", "200", "BYE", "200"]
    agent = [m["start_line"] for m in found["messages"] if m["leg"] == 1]
    assert (agent[0].split(" ")[0], agent[-1]) == ("INVITE", "SIP/2.0 200 OK")
    times = [m["time"] for m in found["messages"]]
    assert times == sorted(times)
    text = json.dumps(found)
    assert SECRET not in text
    assert 'username=\\"trunk\\"' in text
    assert "Signal=7" not in text
    assert found["messages"][0]["source"] == f"127.0.0.1:{caller.port}"
    assert found["oldest"] <= times[0]

    drawn = await tandem(server, "trace", id_)
    assert "caller 127.0.0.1" in drawn
    assert "agent 1001" in drawn
    assert "INVITE (SDP)" in drawn
    assert "200 OK (BYE)" in drawn
    assert f"Call-ID: {ring.call.call_id}" in await tandem(server, "trace", id_, "--full")

    capture = tmp_path / "call.pcap"
    await tandem(server, "trace", id_, "--pcap", str(capture))
    lines = await tshark(
        capture, "-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "udp.checksum.status"
    )
    assert len(lines) == len(found["messages"])
    assert all(line.split("\t")[0] or line.split("\t")[1] for line in lines)
    bad = await tshark(capture, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y",
                       "_ws.malformed or udp.checksum.status == 0 or ip.checksum.status == 0")  # fmt: skip
    assert bad == []
    sound = await tshark(capture, "-Y", "sdp", "-T", "fields", "-e", "sdp.media.proto")
    assert sound
    assert set(sound) == {"RTP/AVP"}


async def test_a_tenant_sees_no_signalling_and_a_call_that_never_was_has_none(server: Server) -> None:
    """It names addresses of trunks and phones."""
    await server.api.add_tenant()
    made = await server.api.post("/v1/api-keys", {"name": "acme", "role": "tenant", "tenant": "acme"})
    tenant = server.api_as(made["secret"] if "secret" in made else made["token"])
    assert (await tenant.http.get("/v1/calls/none/trace")).status_code == 403
    assert (await server.api.http.get("/v1/calls/none/trace")).status_code == 404
    assert (await server.api.http.get("/v1/calls/none/trace.pcap")).status_code == 404


async def test_the_ring_is_bounded_and_what_is_refused_is_not_kept(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """A flood of refused requests pushes no call out; the oldest messages give way to new ones; 0 keeps nothing."""
    server = await start_server({"trace": {"memory": 1}})
    await call_in(server, caller, phone.uri)
    ring = await phone.answers()
    await caller.answered()
    id_ = ring.get("X-Tandem-Call-ID")
    kept = await server.api.metric("tandem_gate_total", counter="traced")
    talk = caller.call
    for n in range(200):
        await caller.request("MESSAGE", server.outside, f"x{n}", headers={"X-Long": "x" * 400})

    async def refused() -> bool:
        return await server.api.metric("tandem_gate_total", counter="refused_405") >= 200

    await eventually_true(refused, "all are refused")
    assert await server.api.metric("tandem_gate_total", counter="traced") == kept
    before = await server.api.get(f"/v1/calls/{id_}/trace")
    assert before["messages"][0]["start_line"].startswith("INVITE ")
    for _ in range(7):
        for _ in range(20):
            await talk.options(headers={"X-Long": "x" * 9000})
            await talk.expect(200, method="OPTIONS")
    after = await server.api.get(f"/v1/calls/{id_}/trace")
    assert not any(m["start_line"].startswith("INVITE ") for m in after["messages"] if m["leg"] == 0)
    assert after["oldest"] > before["oldest"]
    assert await server.api.metric("tandem_trace_bytes", part="used") <= 1024 * 1024
    await talk.bye()
    await phone.expect("BYE")
