"""`tandem import`, `export` and `plan` against the real API over a real database (R2-03, R2-05, R2-07)."""

import json
from pathlib import Path

from routing.goal import Goal
from tests.unit.b2bua.conftest import Tandem
from tests.unit.web.server import Api

DESK = """[[priority-classes]]
name = "urgent"
ahead = 120

[[priorities]]
id = "gas-smell"
priority = "urgent"
vdn = "3"

[[queues]]
id = "repairs"
name = "Repairs"
tenant = "acme"
strategy = "ring-all"
overflow = [{ when = "wait", more_than = 60, goal = { kind = "agent", target = "8001" } }]

[[vdns]]
number = "3"
name = "Repairs"
tenant = "acme"
goal = { kind = "queue", target = "repairs" }

[[agent-profiles]]
extension = "8001"
queues = { repairs = 0 }
pin = "4711"
"""


async def test_a_file_is_checked_taken_over_shown_and_written_again(
    server: Api, tandem: Tandem, tmp_path: Path
) -> None:
    """R2-03, R2-07: what the file says is what calls are routed by; what is written out is the same again."""
    (tmp_path / "desk.toml").write_text(DESK)
    assert "5 would be created" in (await tandem("import", "desk.toml", "--check")).stdout
    assert not server.node.plan().queues
    assert "5 created, 0 replaced, 0 as before" in (await tandem("import", "desk.toml")).stdout
    assert server.node.plan().vdns["3"].goal == Goal("queue", "repairs")
    await tandem("export", "-o", "again.toml")
    assert "4711" not in (tmp_path / "again.toml").read_text()
    done = json.loads((await tandem("import", "again.toml", "--json")).stdout)
    assert done == {"created": 0, "replaced": 0, "unchanged": 6, "removed": []}
    assert server.node.plan().agent_profiles["8001"].pin == "4711"
    assert "ring-all" in (await tandem("plan", "list", "queues")).stdout
    assert "queue repairs" in (await tandem("plan", "show", "vdns", "3")).stdout.replace(
        "kind: queue, target:", "queue"
    )
    assert json.loads((await tandem("plan", "list", "vdns", "-t", "beta", "--json")).stdout) == {"vdns": []}
    assert "agent-profiles" in (await tandem("plan", "kinds")).stdout
    await tandem("access-numbers", "add", "4008100001", "--to", "vdn 3")
    assert "vdn 3" in (await tandem("access-numbers", "list")).stdout
    assert "goal" in (await tandem("plan", "remove", "queues", "repairs", fails=True)).stderr
    await tandem("plan", "remove", "priorities", "gas-smell")
    assert not server.node.plan().priorities


async def test_a_wrong_file_is_refused_line_by_line_and_the_old_one_stays(
    server: Api, tandem: Tandem, tmp_path: Path
) -> None:
    """Bad input: all mistakes at once, each with file, line and key; nothing changes."""
    file = tmp_path / "desk.toml"
    file.write_text(DESK)
    await tandem("import", "desk.toml")
    before = server.node.plan()
    wrong = DESK.replace('"8001"\nqueues', '"8009"\nqueues').replace('target = "repairs"', 'target = "repair"')
    file.write_text(wrong.replace('"ring-all"', '"ring-none"').replace("ahead = 120", "ahead = 1e9"))
    told = (await tandem("import", "desk.toml", fails=True)).stderr.splitlines()
    assert [line.partition("; ")[0] for line in told[:-1]] == [
        "desk.toml:3: priority-class urgent: ahead: must be from -604800 to 604800",
        "desk.toml:14: queue repairs: strategy: input should be 'longest-idle', 'least-recent', 'fewest-calls',"
        " 'ring-all' or 'round-robin'",
        "desk.toml:21: vdn 3: goal: there is no queue repair",
        "desk.toml:24: agent-profile 8009: extension: there is no agent 8009",
    ]
    assert told[-1] == "4 mistakes are listed; nothing was changed"
    file.write_text(DESK + "\n[[queues]\n")
    assert "desk.toml:28: " in (await tandem("import", "desk.toml", fails=True)).stderr
    assert server.node.plan() == before


async def test_rows_of_agents_persons_and_profiles_come_from_csv(server: Api, tandem: Tandem, tmp_path: Path) -> None:
    """R0-09: who works here comes out of a spreadsheet; a wrong row is named by its number."""
    agents = tmp_path / "agents.csv"
    agents.write_text(
        "\ufeffextension,name,contact,listener,enabled\n"
        "8002,Desk 2,sip:8002@192.0.2.10:5060,inside,yes\n"
        "8003,Desk 3,sip:8003@192.0.2.10:5060,inside,no\n"
    )
    assert "2 created" in (await tandem("import", "agents.csv", "-k", "agents")).stdout
    assert not server.node.directory().agents["8003"].enabled
    persons = tmp_path / "persons.csv"
    persons.write_text("id,name,deputies,extension\nclerk-12,Clerk 12,clerk-13,8002\nclerk-13,Clerk 13,,8003\n")
    assert "2 created" in (await tandem("import", "persons.csv", "-k", "persons")).stdout
    persons.write_text("id,name,deputies\nclerk-14,Clerk 14,\nclerk-15,Clerk 15,clerk-99\n")
    told = (await tandem("import", "persons.csv", "-k", "persons", fails=True)).stderr
    assert told.startswith("persons.csv:3: person clerk-15: deputies")
    assert "clerk-14" not in server.node.plan().persons
    written = (await tandem("export", "--csv", "-k", "persons")).stdout.splitlines()
    assert [line.split(",")[0] for line in written] == ["id", "clerk-12", "clerk-13"]
    (tmp_path / "again.csv").write_text("\n".join(written))
    assert "2 as before" in (await tandem("import", "again.csv", "-k", "persons")).stdout


async def test_a_whole_file_removes_what_it_leaves_out(server: Api, tandem: Tandem, tmp_path: Path) -> None:
    """What is removed can be looked at before; other kinds, other tenants' values and what is still named stay."""
    (tmp_path / "desk.toml").write_text(DESK)
    await tandem("import", "desk.toml")
    persons = tmp_path / "persons.csv"
    persons.write_text("id,tenant,deputies\nc-1,acme,c-2\nc-2,acme,\nc-3,beta,\nc-4,,\n")
    await tandem("import", "persons.csv", "-k", "persons")
    before = server.node.plan()

    persons.write_text("id,tenant,deputies\nc-2,acme,\nc-5,acme,\n")
    whole = ("import", "persons.csv", "-k", "persons", "--whole")
    told = (await tandem(*whole, "--check")).stdout.splitlines()
    assert told == [
        "1 would be created, 0 would be replaced, 1 as before",
        *(f"would be removed: person c-{n}" for n in (1, 3, 4)),
    ]
    assert server.node.plan() == before
    assert "removed: person c-1\n" in (await tandem(*whole, "-t", "acme")).stdout
    assert set(server.node.plan().persons) == {"c-2", "c-3", "c-4", "c-5"}
    persons.write_text("id,tenant,deputies\nc-5,acme,c-3\n")
    told = (await tandem(*whole, fails=True)).stderr.splitlines()
    assert told == ["persons.csv:2: person c-5: deputies: there is no person c-3", "nothing was changed"]
    persons.write_text("id,tenant\n")
    done = json.loads((await tandem(*whole, "--json")).stdout)
    assert done == {"created": 0, "replaced": 0, "unchanged": 0, "removed": [f"person c-{n}" for n in (2, 3, 4, 5)]}
    assert not server.node.plan().persons
    assert server.node.plan().queues == before.queues
    (tmp_path / "queues.toml").write_text('[queues.night]\nname = "Night"\n')
    told = (await tandem("import", "queues.toml", "--whole", fails=True)).stderr.splitlines()
    assert told[0] == "vdn 3: goal: there is no queue repairs"
    assert server.node.plan().queues == before.queues
    assert "--whole" in (await tandem("import", "queues.toml", "-t", "acme", fails=True)).stderr
    assert "one by one" in (await tandem("import", "persons.csv", "-k", "agents", "--whole", fails=True)).stderr
    (told,) = (await server.ask("GET", "/v1/audit?kind=person&limit=1")).json()["entries"]
    assert told["action"] == "delete"


async def test_what_cannot_be_read_is_said_in_words(tandem: Tandem, tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "bad.csv").write_bytes(b"id,name\na,\xff\n")
    for arguments, words in (
        (("import", "none.toml"), "cannot read none.toml"),
        (("import", "empty.toml"), "holds no values"),
        (("import", "bad.csv", "-k", "queues"), "bad.csv:2: is no utf-8"),
        (("import", "bad.csv", "-k", "queues", "--encoding", "moon"), "no encoding moon"),
        (("import", "bad.csv", "-k", "pigs", "--encoding", "latin-1"), "there is no kind pigs"),
        (("import", "bad.csv", "--encoding", "latin-1"), "--kind"),
        (("export", "--csv"), "--kind"),
        (("plan", "list", "pigs"), "there is no kind pigs"),
        (("plan", "show", "queues", "none"), "there is no queue none"),
    ):
        assert words in (await tandem(*arguments, fails=True)).stderr, arguments
