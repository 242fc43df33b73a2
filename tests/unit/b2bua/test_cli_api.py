"""The commands that speak with a server, against the real API over a real database."""

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest

from b2bua.cli.events import _lines
from tests.peers.waiting import PATIENCE
from tests.unit.b2bua.conftest import Tandem
from tests.unit.web.server import Api


async def test_tenants_are_added_shown_changed_and_removed(tandem: Tandem, tmp_path: Path) -> None:
    """R1-04: the capacity of the numbers is shown with the tenant."""
    (tmp_path / "secret").write_text("hunter2\n")
    added = await tandem(
        "tenants", "add", "gamma", "--access-id", "7003", "--trunk", "carrier", "--billing-number", "0211",
        "--token-ttl", "60", "--kind", "json", "--system-url", "https://crm.example.com/rows/{sequence}",
        "--mode", "both", "--secret-file", "secret",
    )  # fmt: skip
    assert "1,000,000" in added.stdout.replace("1000000", "1,000,000")
    assert "hunter2" not in added.output
    changed = json.loads((await tandem("tenants", "change", "gamma", "--name", "Gamma", "--disabled", "--json")).stdout)
    assert (changed["name"], changed["enabled"], changed["token_ttl"]) == ("Gamma", False, 60.0)
    assert changed["connection"]["has_secret"]
    assert changed["connection"]["mode"] == "both"
    listed = (await tandem("tenants", "list")).stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["id", "acme", "beta", "gamma"]
    assert "access id" in (await tandem("tenants", "show", "gamma")).stdout
    assert (await tandem("tenants", "remove", "gamma")).stdout == "tenant gamma is removed\n"
    assert "gamma" in (await tandem("tenants", "show", "gamma", fails=True)).stderr


async def test_a_conflict_is_told_as_the_server_says_it(tandem: Tandem) -> None:
    """R1-04: an access ID that begins another is refused."""
    refused = await tandem(
        "tenants", "add", "delta", "--access-id", "7001", "--trunk", "carrier", "--billing-number", "1", fails=True
    )
    assert "7001" in refused.stderr
    assert "acme" in refused.stderr


async def test_agents_and_routes(tandem: Tandem) -> None:
    await tandem("agents", "add", "8002", "--contact", "sip:8002@192.0.2.11", "--name", "Second desk")
    await tandem("agents", "change", "8002", "--disabled")
    shown = json.loads((await tandem("agents", "show", "8002", "--json")).stdout)
    assert (shown["name"], shown["enabled"], shown["listener"]) == ("Second desk", False, "inside")
    await tandem("routes", "add", "reception", "8001")
    await tandem("routes", "change", "reception", "8002")
    assert "reception" in (await tandem("routes", "list")).stdout
    assert json.loads((await tandem("routes", "show", "reception", "--json")).stdout)["extension"] == "8002"
    assert "8002" in (await tandem("agents", "remove", "8002", fails=True)).stderr
    await tandem("routes", "remove", "reception")
    await tandem("agents", "remove", "8002")
    assert "no routes yet" in (await tandem("routes", "list")).stderr
    assert (await tandem("agents", "list")).stdout.splitlines()[1].startswith("8001")


async def test_access_numbers(tandem: Tandem) -> None:
    """R1-05: a number or a range, what it expects, and where its calls go."""
    key = json.loads((await tandem("access-numbers", "add", "4008100000", "4008100099", "--json")).stdout)["key"]
    await tandem(
        "access-numbers", "change", key, "--correlation", "optional", "--default-tenant", "acme", "--agent", "8001"
    )
    listed = (await tandem("access-numbers", "list")).stdout
    assert "optional" in listed
    assert "agent 8001" in listed
    assert "agent 8001" in (await tandem("access-numbers", "show", key)).stdout
    await tandem("access-numbers", "remove", key)
    assert "no access numbers yet" in (await tandem("access-numbers", "list")).stderr


async def test_tokens_are_issued_looked_up_and_revoked(tandem: Tandem) -> None:
    """R1-01, R1-02: the answer is the number to dial with, and the row can be read at once."""
    issued = json.loads(
        (await tandem("tokens", "issue", "--caller", "13800138000", "-d", "order=A=1", "--json", key="acme")).stdout
    )
    assert issued["original_called_number"] == "7001" + issued["sequence"]
    shown = json.loads((await tandem("tokens", "show", issued["sequence"], "-t", "acme", "--json")).stdout)
    assert (shown["state"], shown["caller"], shown["data"]) == ("free", "13800138000", {"order": "A=1"})
    assert "is revoked" in (await tandem("tokens", "revoke", issued["sequence"], key="acme")).stdout
    assert "revoked" in (await tandem("tokens", "list", key="acme")).stdout
    assert "original called number" in (await tandem("tokens", "issue", key="acme")).stdout
    assert "tenant" in (await tandem("tokens", "issue", fails=True)).stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", "caller,extension,order,note\n1001,8001,A-1,\n1002,,A-2,vip\n"),
        (
            "rows.jsonl",
            '{"caller": "1001", "extension": "8001", "order": "A-1"}\n\n{"caller": "1002", "data": {"order": "A-2"}}\n',
        ),
    ],
)
async def test_many_tokens_come_from_a_file(tandem: Tandem, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    issued = json.loads((await tandem("tokens", "bulk", name, "--json", key="acme")).stdout)["tokens"]
    rows = [
        json.loads((await tandem("tokens", "show", one["sequence"], "--json", key="acme")).stdout) for one in issued
    ]
    assert [row["caller"] for row in rows] == ["1001", "1002"]
    assert [row["extension"] for row in rows] == ["8001", None]
    assert [row["data"]["order"] for row in rows] == ["A-1", "A-2"]


async def test_more_tokens_than_one_request_takes_are_sent_in_several(tandem: Tandem, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("caller\n" + "".join(f"{number}\n" for number in range(1200)))
    issued = json.loads((await tandem("tokens", "bulk", "rows.csv", "--json", key="acme")).stdout)["tokens"]
    assert len({one["sequence"] for one in issued}) == 1200


async def test_a_bulk_that_breaks_off_says_where(tandem: Tandem, tmp_path: Path) -> None:
    rows = [str(number) for number in range(600)]
    rows[550] = "not a number!"
    (tmp_path / "rows.csv").write_text("caller\n" + "\n".join(rows))
    broken = await tandem("tokens", "bulk", "rows.csv", key="acme", fails=True)
    assert "500 tokens were issued before this; go on with row 501 of the file" in broken.stderr
    assert len(broken.stdout.splitlines()) == 501, "nobody could ask for those that were issued again"


async def test_live_calls_are_listed_shown_ended_and_started(tandem: Tandem, server: Api) -> None:
    listed = (await tandem("calls", "list")).stdout
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["0190-a", "0190-b", "0190-c"]
    assert len(json.loads((await tandem("calls", "list", "--tenant", "acme", "--json")).stdout)["calls"]) == 1
    assert "order: 7" in (await tandem("calls", "show", "0190-a")).stdout
    await tandem("calls", "hangup", "0190-a")
    assert [call for call, _ in server.calls.ended] == ["0190-a"]
    started = await tandem("calls", "start", "8001", "02155@carrier", "--tenant", "acme")
    assert started.stdout == "0190-new\n"
    ((first, second, tenant),) = server.calls.started
    assert (first.kind, first.target) == ("agent", "8001")
    assert (second.kind, second.target, second.trunk, tenant) == ("number", "02155", "carrier", "acme")
    assert "0190-a" in (await tandem("calls", "show", "0190-a", fails=True)).stderr


async def test_records_are_filtered_and_exported(tandem: Tandem) -> None:
    assert "no records" in (await tandem("cdrs", "list", "--since", "1h", "--unanswered")).stderr
    (heading,) = csv.reader(io.StringIO((await tandem("cdrs", "list", "--csv")).stdout))
    assert heading[0] == "id"
    assert "none" in (await tandem("cdrs", "show", "none", fails=True)).stderr


async def test_events_are_followed_from_a_number_on(tandem: Tandem, server: Api) -> None:
    """R0-14: a listener resumes behind the last number it has seen."""
    for number in range(3):
        server.node.events.append("call.received", f"call-{number}", {"called": "4008100001"})
    lines = (await tandem("events", "follow", "--after", "1", "--count", "2", "--json")).stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [2, 3]
    shown = (await tandem("events", "follow", "--after", "0", "--call", "call-1", "--count", "1")).stdout
    assert "call.received" in shown
    assert "called=4008100001" in shown
    assert "role" in (await tandem("events", "follow", key="metrics", fails=True)).stderr


class Relay:
    """A wire to the server that can be cut."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.wires: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Relay":
        self.listening = await asyncio.start_server(self.carry, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *fault: object) -> None:
        self.cut()
        self.listening.close()
        await self.listening.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.sockets[0].getsockname()[1]}"

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.wires += [writer, far_writer]
        await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass  # that is what a cut looks like
        writer.close()

    def cut(self) -> None:
        for wire in self.wires:
            wire.transport.abort()
        self.wires.clear()


async def test_a_listener_goes_on_where_it_was_when_the_server_comes_back(server: Api) -> None:
    """R0-14: an end of the connection loses no event and repeats none."""
    server.node.events.append("call.received", "call-1", {})
    seen: list[int] = []

    def listen(url: str) -> None:
        for line in _lines(url, server.keys["listener"], 0, pause=lambda seconds: None):
            seen.append(json.loads(line)["number"])
            if seen[-1] == 2:
                return

    async with Relay(server.node.settings.api.port) as relay, asyncio.timeout(PATIENCE):
        listening = asyncio.create_task(asyncio.to_thread(listen, relay.url))
        while seen != [1]:
            await asyncio.sleep(0.01)
        relay.cut()
        server.node.events.append("call.received", "call-2", {})
        await listening
    assert seen == [1, 2]


async def test_a_wrong_key_is_told(tandem: Tandem, server: Api) -> None:
    server.keys["stranger"] = "tdm_unknown"
    refused = await tandem("tenants", "list", key="stranger", fails=True)
    assert "The API key in TANDEM_API_TOKEN is not valid on this server." in refused.stderr
    assert "403" not in (await tandem("tenants", "remove", "acme", key="acme", fails=True)).stderr


async def test_agents_states_and_transfers(tandem: Tandem, server: Api) -> None:
    """Agents log in, pause and log out, and calls go elsewhere, by command."""
    assert json.loads((await tandem("agents", "login", "8001", "--json")).stdout)["state"] == "available"
    assert "lunch" in (await tandem("agents", "pause", "8001", "--reason", "lunch")).stdout
    assert "lunch" in (await tandem("agents", "states")).stdout
    await tandem("agents", "resume", "8001")
    await tandem("agents", "logout", "8001")
    assert "not logged in" in (await tandem("agents", "resume", "8001", fails=True)).stderr
    [state] = json.loads((await tandem("agents", "states", "--json")).stdout)["agents"]
    assert state["state"] == "logged-out"
    moved = await tandem("calls", "transfer", "0190-a", "agent", "8001")
    assert moved.stdout == "call 0190-a goes to agent 8001\n"
    [(call, goal, _, by)] = server.calls.rerouted
    assert (call, str(goal), by.startswith("key ")) == ("0190-a", "agent 8001", True)
    assert "there is no queue" in (await tandem("calls", "transfer", "0190-a", "queue", "none", fails=True)).stderr
