"""Menus: prompts that are heard, keys in three forms, VDNs, wrong keys and none, live change (R2-01 to R2-04)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from routing.business_hours import WEEKDAYS
from tests.e2e.ivr import (
    CALLER,
    HELLO,
    NOTHING,
    OVER,
    THANKS,
    TO_AGENT,
    WHICH,
    WRONG,
    change_menu,
    come,
    open_ivr,
    over,
)
from tests.e2e.legs import end, hear_each_other
from tests.e2e.queues import open_queue, waiting
from tests.peers.api import ACCESS_NUMBER, TENANT, Json
from tests.peers.server import Server
from tests.peers.tenant_system import TenantSystem
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

NUMBER: Json = {
    "kind": "collect",
    "match": "vdn",
    "say": ["which.wav"],
    "wrong": ["wrong.wav"],
    "silent": ["nothing.wav"],
    "tries": 3,
    "first": 0.3,
    "between": 0.5,
    "otherwise": "desk",
}
CHOICE: Json = {"kind": "choice", "say": ["which.wav"], "keys": {"1": "desk"}, "first": 0.3, "otherwise": "over"}


async def add_vdn(server: Server, number: str) -> None:
    goal = {"kind": "agent", "target": "1001"}
    await server.api.request("PUT", f"/v1/vdns/{number}", {"number": number, "name": number, "goal": goal})


async def press(caller: Caller, way: str, keys: str) -> None:
    """Press keys in one of the three forms."""
    if way == "rfc4733":
        caller.sound.press(keys, 60)
    elif way == "inband":
        caller.sound.press_tones(keys)
    else:
        for key in keys:
            await (await caller.call.info_digit(key)).expect(200)


@pytest.mark.parametrize("way", ["rfc4733", "info", "inband"])
async def test_a_caller_dials_his_way_to_an_agent(server: Server, caller: Caller, phone: Phone, way: str) -> None:
    """R2-01 R2-02 R2-03: he hears the greeting, cuts it short with a key, and the VDN he dials rings its phone."""
    hello = {"kind": "prompt", "say": ["hello.wav"], "next": "ask"}
    await open_ivr(server, phone, {"hello": hello, "ask": NUMBER, "desk": OVER}, "hello")
    await add_vdn(server, "8001")
    listener = await server.listen()
    await come(server, caller, sdp=caller.sdp(events=way != "inband"))
    await caller.hears(HELLO)
    await press(caller, way, "8001")
    ring = await phone.rings()
    assert CALLER in ring.get("From")
    ring.reply(200)
    await phone.expect("ACK")
    await hear_each_other(caller, phone)
    begun = await listener.expect("call.menu", menu="main", node="hello", input="")
    await listener.expect("call.menu", menu="main", node="ask", input="8001")
    for key in "8001":
        await listener.expect("call.dtmf", role="caller", digit=key, method=way)
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert (cdr["id"], cdr["cause"], cdr["extension"]) == (begun["call"], "normal", "1001")


async def test_nothing_then_wrong_digits_then_the_fallback(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-02: time-out, wrong digits, re-prompt, then the fallback; a VDN of another tenant is a wrong number."""
    await open_ivr(server, phone, {"ask": NUMBER, "desk": TO_AGENT})
    await server.api.add_tenant("other", "7002", billing_numbers=["02088880009"])
    goal = {"kind": "hangup"}
    body = {"number": "8002", "name": "theirs", "tenant": "other", "goal": goal}
    await server.api.request("PUT", "/v1/vdns/8002", body)
    await add_vdn(server, "8001")
    await come(server, caller)
    await caller.hears(WHICH)
    await caller.hears(NOTHING)
    await caller.hears(WHICH)
    caller.sound.press("8002#", 60)
    await caller.hears(WRONG)
    await caller.hears(WHICH)
    caller.sound.press("77#", 60)
    await phone.answers()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_the_table_of_vdns_and_a_route_that_changes(server: Server, caller: Caller) -> None:
    """R2-03 R2-04: what he dials is matched with the VDNs, longest too, and he waits in that VDN's queue area; who
    dials none goes to the fallback; then the number's route leads elsewhere, with the server at work."""
    await open_ivr(server, None, {"ask": {**NUMBER, "tries": 1, "first": 5}, "desk": OVER})
    for queue in ("gas", "water"):
        await open_queue(server, queue)
    table = {  # number -> queue, area of the VDN, area it is counted in
        "3": ("gas", "", "3"),
        "31": ("gas", "north", "north"),
        "8001": ("water", "north", "north"),
    }
    for number, (queue, area, _) in table.items():
        goal = {"kind": "queue", "target": queue}
        body = {"number": number, "name": number, "tenant": TENANT, "goal": goal, "area": area}
        await server.api.request("PUT", f"/v1/vdns/{number}", body)
    listener = await server.listen()
    for number, (queue, _, counted) in table.items():
        await come(server, caller)
        await caller.sound.pressed(number, 60)
        [place] = await waiting(server, 1, queue)
        assert (place["vdn"], place["area"]) == (number, counted)
        queued = (await listener.expect("call.queued"))["data"]
        assert (queued["queue"], queued["vdn"], queued["area"]) == (queue, number, counted)
        await (await caller.bye()).expect(200)
    await come(server, caller)
    await caller.sound.pressed("9", 60)
    await over(caller)

    (number,) = (await server.api.get("/v1/access-numbers"))["access_numbers"]
    await server.api.patch(f"/v1/access-numbers/{number['key']}", {"entry": {"kind": "queue", "target": "water"}})
    await come(server, caller)
    [place] = await waiting(server, 1, "water")
    assert not place["vdn"]
    await (await caller.bye()).expect(200)


async def test_a_menu_changes_while_calls_go_on(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-04 R2-01: repeat, zero-out; a change is in force with the next call; a wrong one is refused."""
    nodes = {"ask": {**CHOICE, "repeat": "*", "first": 20}, "desk": TO_AGENT, "over": OVER}
    await open_ivr(server, phone, nodes, operator="desk")
    await come(server, caller)
    await caller.hears(WHICH)
    await caller.hears_nothing()
    caller.sound.press("*", 60)
    await change_menu(server, {"ask": {**CHOICE, "say": ["thanks.wav"], "first": 5}, "desk": TO_AGENT, "over": OVER})
    await caller.hears(WHICH)
    caller.sound.press("0", 60)
    await phone.answers()
    await end(caller, phone)
    await come(server, caller)
    await caller.hears(THANKS)
    caller.sound.press("1", 60)
    await phone.answers()
    await end(caller, phone)

    wrong = {"ask": {**CHOICE, "keys": {"1": "nowhere"}, "say": ["what"]}, "desk": TO_AGENT, "over": OVER}
    body = {"id": "main", "name": "m", "tenant": TENANT, "start": "ask", "nodes": wrong}
    answer = await server.api.http.put("/v1/menus/main", json=body)
    assert answer.status_code == 409
    for reason in ("nodes.ask.keys.1", "there is no node 'nowhere'", "'what' is neither", "nothing leads here"):
        assert reason in answer.text, answer.text
    kept = await server.api.get("/v1/menus/main")
    assert kept["nodes"]["ask"]["say"] == ["thanks.wav"]


FILE = """
[[menus]]
id = "main"
name = "from a file"
tenant = "acme"
start = "ask"

[menus.nodes.ask]
kind = "choice"
say = ["hello.wav"]
keys = { "1" = "over" }
otherwise = "over"

[menus.nodes.over]
kind = "goal"
goal = { kind = "hangup" }
"""


ISLAND = """
[menus.nodes.island]
kind = "prompt"
say = ["hello.wav"]
next = "round"

[menus.nodes.round]
kind = "prompt"
say = ["hello.wav"]
next = "round"
"""


async def test_a_menu_is_a_file(server: Server, caller: Caller, phone: Phone, tmp_path: Path) -> None:
    """R2-04: imported while a caller is in the old one, which he stays in; a wrong file is refused by line and key,
    every dead end and node that nothing leads to among it, and the old menu stays."""
    await open_ivr(server, phone, {"ask": {**CHOICE, "first": 60}, "desk": TO_AGENT, "over": OVER})
    await come(server, caller)
    await caller.hears(WHICH)
    file = tmp_path / "menus.toml"
    for text, code, words in (
        (FILE, 0, ()),
        (
            FILE.replace("hello.wav", "nobody").replace('"1" = "over"', '"1" = "lost", "2" = "round"') + ISLAND,
            1,
            (
                ":10: menu main: nodes.ask.say: 'nobody' is neither",
                ":11: menu main: nodes.ask.keys.1: there is no node 'lost'",
                ":18: menu main: nodes.island: nothing leads here",
                ":23: menu main: nodes.round: is a dead end",
            ),
        ),
        (FILE.replace("say =", "sya =").replace('"goal"', '"gaol"'), 1, ("there is no such field", "nodes.over.kind")),
    ):
        file.write_text(text)
        child = server.tandem("import", str(file))
        assert await child.ended(30) == code, child.log()
        assert all(word in child.log() for word in words), child.log()
    await caller.sound.pressed("1", 60)
    await phone.answers()
    await end(caller, phone)
    await come(server, caller)
    await caller.hears(HELLO)
    caller.sound.press("1", 60)
    await over(caller)


async def test_early_media_hours_and_language(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-01 R2-04: early media costs the caller nothing; the tenant's hours and holidays decide; the language's own
    sound files are heard."""
    days = [(datetime.now(UTC) + timedelta(days=n)).date().isoformat() for n in (-1, 0, 1)]
    always = {"id": "always", "hours": {day: ["00:00-24:00"] for day in WEEKDAYS}}
    never = {"id": "never", "zone": "Asia/Shanghai", "hours": {}}
    feast = {**always, "id": "feast", "holidays": dict.fromkeys(days, "spring")}
    calendars = [{**one, "tenant": TENANT} for one in (always, never, feast)]
    nodes = {
        "hours": {"kind": "hours", "calendar": "never", "open": "over", "closed": "work"},
        "work": {"kind": "hours", "calendar": "always", "open": "feast", "closed": "over"},
        "feast": {"kind": "hours", "calendar": "feast", "open": "over", "closed": "over", "holiday": "which"},
        "which": {"kind": "branch", "on": "holiday", "cases": {"spring": "german"}, "otherwise": "over"},
        "german": {"kind": "language", "language": "de", "next": "ask"},
        "ask": {**CHOICE, "first": 5},
        "desk": TO_AGENT,
        "over": OVER,
    }
    await open_ivr(server, phone, nodes, "hours", plan={"calendars": calendars}, answer="early", languages=["en", "de"])
    german = server.data / "sounds" / "de" / "which.wav"
    german.parent.mkdir(exist_ok=True)
    (server.data / "sounds" / "thanks.wav").rename(german)
    await caller.invite(server.outside, ACCESS_NUMBER, caller=CALLER)
    await caller.expect(183)
    await caller.hears(THANKS)
    assert not caller.got(200)
    caller.sound.press("1", 60)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)
    german.unlink()


async def test_a_caller_gives_up_in_a_menu_and_one_finds_no_way(server: Server, caller: Caller) -> None:
    """R2-01: who hangs up at a prompt, and who presses nothing, leaves a record and no trace."""
    await open_ivr(server, None, {"ask": {**CHOICE, "keys": {"1": "over"}, "tries": 1}, "over": OVER})
    await come(server, caller)
    await caller.hears(WHICH)
    await (await caller.bye()).expect(200)
    await come(server, caller)
    await over(caller)
    first, second = await server.api.cdrs(2)
    assert (first["cause"], first["ended_by"]) == ("abandoned", "caller")
    assert (second["cause"], second["ended_by"]) == ("normal", "tandem")


async def test_a_spoken_text_is_heard(server: Server, caller: Caller) -> None:
    """R2-01: a text is spoken by espeak-ng, with what the caller dialled in it, and kept as a file."""
    nodes = {
        "ask": {**NUMBER, "match": "", "next": "say", "into": "order", "first": 5, "otherwise": "over"},
        "say": {"kind": "prompt", "say": ["order"], "next": "over"},
        "over": OVER,
    }
    await open_ivr(server, None, nodes, texts={"order": {"en": "Your order {order|digits} is on its way."}})
    await come(server, caller)
    await caller.hears(WHICH)
    caller.sound.press("4711#", 60)
    await caller.sound.expect_not(WHICH)

    async def speaks() -> bool:
        return bool(list((server.data / "speech").glob("*.wav")))

    await eventually_true(speaks, "the text is spoken")
    await over(caller)
    heard = caller.sound.samples(3.0)
    assert len(heard) > 8000, "a second of it at least"
    assert abs(heard.astype(float)).max() > 1000


async def test_a_terminator_that_nobody_waited_for_is_no_answer(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-02: a number that is whole without #, ended with # all the same: the next question still has its one try."""
    nodes = {
        "ask": {**NUMBER, "match": "", "into": "order", "digits": 4, "first": 5, "next": "sure", "otherwise": "over"},
        "sure": {**CHOICE, "say": ["thanks.wav"], "first": 5, "tries": 1},
        "desk": TO_AGENT,
        "over": OVER,
    }
    await open_ivr(server, phone, nodes)
    await come(server, caller)
    caller.sound.press("4711#", 60)
    await caller.hears(THANKS)
    caller.sound.press("1", 60)
    await phone.answers()
    await end(caller, phone)
    assert (await server.api.cdr())["cause"] == "normal"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[TenantSystem]:
    """A tenant's own system."""
    made = TenantSystem(tmp_path)
    yield made
    made.close()


async def test_a_node_asks_a_tenants_service(
    server: Server, caller: Caller, phone: Phone, system: TenantSystem
) -> None:
    """R2-02 R2-03: what a service says of the digits decides; one that is slow does not keep the caller."""
    system.answers({}, member={"vip": True, "name": "R Ltd"})
    nodes = {
        "ask": {**NUMBER, "match": "", "next": "crm", "into": "order", "first": 5, "otherwise": "over"},
        "crm": {"kind": "http", "service": "crm", "into": {"vip": "vip"}, "next": "vip", "otherwise": "sorry"},
        "vip": {"kind": "branch", "on": "vip", "cases": {"yes": "desk"}, "otherwise": "over"},
        "sorry": {"kind": "prompt", "say": ["thanks.wav"], "next": "over"},
        "desk": TO_AGENT,
        "over": OVER,
    }
    url = system.url("member")
    crm = {"id": "crm", "tenant": TENANT, "role": "menu", "url": url, "fields": {"order": "{digits}"}}
    await open_ivr(server, phone, nodes, plan={"services": [crm]})
    listener = await server.listen()
    await come(server, caller)
    await caller.hears(WHICH)
    caller.sound.press("4711#", 60)
    await phone.answers()
    pop = await listener.expect("screen.pop")
    assert pop["data"]["data"]["menu"] == {"order": "4711", "vip": "yes", "digits": "4711"}
    assert (await system.was_asked("member"))["question"] == {"order": "4711"}
    await end(caller, phone)

    system.answers({"member": "slow"})
    await come(server, caller)
    caller.sound.press("1#", 60)
    await caller.hears(THANKS)
    await over(caller)


async def test_a_menu_for_everybody_keeps_tenants_apart(server: Server, caller: Caller, system: TenantSystem) -> None:
    """R2-01: what a caller dials goes to no other tenant's service, and his message into no other tenant's mailbox."""
    await open_ivr(server, None, {"over": OVER}, "over")
    await server.api.add_tenant("other", "7002", billing_numbers=["02088880009"])
    crm = {"id": "crm", "tenant": "other", "role": "menu", "url": system.url("member")}
    await server.api.add_plan(services=[crm], mailboxes=[{"id": "theirs", "tenant": "other"}])
    nodes = {
        "crm": {"kind": "http", "service": "crm", "next": "over", "otherwise": "ask"},
        "ask": {**CHOICE, "keys": {"1": "box"}, "first": 5},
        "box": {"kind": "goal", "goal": {"kind": "voicemail", "target": "theirs"}},
        "over": OVER,
    }
    await change_menu(server, nodes, "crm", tenant=None)
    await come(server, caller)
    await caller.hears(WHICH)
    caller.sound.press("1", 60)
    await over(caller)
    assert (await server.api.cdr())["cause"] == "no-such-goal"
    assert not system.asked()
