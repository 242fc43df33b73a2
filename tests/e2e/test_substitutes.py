"""Who takes the call of a person who is away: absences, shifts, the office's word, his phone, and the rules (R0-10)."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from routing.business_hours import WEEKDAYS
from tests.e2e.office import call, talks_to
from tests.peers.api import Json
from tests.peers.server import Server
from tests.peers.tenant_system import TenantSystem
from tests.peers.uac import Caller
from tests.peers.uas import Phone

HIM, DEPUTY, COLLEAGUE, BOSS = "clerk-12", "clerk-13", "clerk-14", "boss-15"
Phones = dict[str, Phone]


def person(key: str, **more: object) -> Json:
    return {"id": key, "name": key, "tenant": "acme", "extension": f"10{key[-2:]}", **more}


def office(**him: object) -> list[Json]:
    """The clerk with a deputy, a colleague of his team and a boss; `him`: what is special about him."""
    team = {"team": "tours"}
    return [
        person(HIM, **{**team, "deputies": [DEPUTY], "superior": BOSS, **him}),
        person(DEPUTY),
        person(COLLEAGUE, **team),
        person(BOSS),
    ]


def away(*persons: str, **more: object) -> list[Json]:
    """Their absences, in force for years."""
    return [{"id": f"l-{key}", "person": key, "begins": "2020-01-01", "ends": "2099-12-31", **more} for key in persons]


def shift(begins: float, ends: float, **more: object) -> list[Json]:
    """His shift, by hours from now."""

    def clock(hours: float) -> str:
        return datetime.fromtimestamp(time.time() + hours * 3600, UTC).strftime("%H:%M")

    return [{"id": "s", "person": HIM, "days": list(WEEKDAYS), "begins": clock(begins), "ends": clock(ends), **more}]


def chain(length: int) -> list[Json]:
    """The deputy of a deputy ...; the last one is the colleague, so many steps from him."""
    keys = [HIM, *(f"x-{n:02}" for n in range(20, 19 + length)), COLLEAGUE]
    return [
        person(key, rules=["deputy"], deputies=[after], **({} if key == HIM else {"extension": None}))
        for key, after in pairwise(keys)
    ] + [person(COLLEAGUE)]


TABLE: list[tuple[str, Json, Json, str | None, list[str]]] = [
    # what it shows, the rows, what the office says, who takes it, and why the others did not
    ("he is there", {"persons": office()}, {}, HIM, []),
    ("leave: deputy", {"persons": office(), "absences": away(HIM)}, {}, DEPUTY, ["leave"]),
    ("both: team", {"persons": office(), "absences": away(HIM, DEPUTY)}, {}, COLLEAGUE, ["leave"] * 2),
    ("all: superior", {"persons": office(), "absences": away(HIM, DEPUTY, COLLEAGUE)}, {}, BOSS, ["leave"] * 3),
    ("nobody", {"persons": office(), "absences": away(HIM, DEPUTY, COLLEAGUE, BOSS)}, {}, None, ["leave"] * 4),
    ("named", {"persons": office(), "absences": away(HIM, deputy=BOSS, reason="ill")}, {}, BOSS, ["ill"]),
    ("rules", {"persons": office(rules=["superior", "team"]), "absences": away(HIM)}, {}, BOSS, ["leave"]),
    ("no rules", {"persons": office(rules=[]), "absences": away(HIM)}, {}, None, ["leave"]),
    ("in his shift", {"persons": office(), "shifts": shift(-1, 2, hand_over=30)}, {}, HIM, []),
    ("hand-over", {"persons": office(), "shifts": shift(-1, 0.5, hand_over=60, relief=COLLEAGUE)}, {}, COLLEAGUE,
     ["hand-over"]),
    ("off shift", {"persons": office(), "shifts": shift(-4, -1)}, {}, DEPUTY, ["off-shift"]),
    ("the office", {"persons": office()}, {HIM: "Seminar", DEPUTY: "away"}, COLLEAGUE, ["seminar", "away"]),
    ("phone offline", {"persons": office(), "agent-profiles": [{"extension": "1012"}]}, {}, DEPUTY, ["logged-out"]),
    ("call taker", {"persons": office(kind="inbound")}, {HIM: "break"}, DEPUTY, ["break"]),
    ("five steps", {"persons": chain(5), "absences": away(HIM)}, {}, COLLEAGUE, ["leave"] + ["no-phone"] * 4),
    ("six are too many", {"persons": chain(6), "absences": away(HIM)}, {}, None, ["leave"] + ["no-phone"] * 5),
]  # fmt: skip


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[TenantSystem]:
    system = TenantSystem(tmp_path)
    yield system
    system.close()


@pytest.fixture
async def phones() -> AsyncIterator[Phones]:
    async with AsyncExitStack() as stack:
        yield {
            key: await stack.enter_async_context(await Phone.open(f"10{key[-2:]}"))
            for key in (HIM, DEPUTY, COLLEAGUE, BOSS)
        }


async def furnish(server: Server, phones: Phones, **plan: list[Json]) -> None:
    for phone in phones.values():
        await server.api.add_agent(phone.uri, phone.name)
    await server.api.add_tenant()
    await server.api.add_access_number()
    default = {"kind": "queue", "target": "sales"}
    await server.api.add_plan(
        queues=[{"id": "sales", "name": "sales"}],
        responses=[{"tenant": "acme", "default": default}],
        teams=[{"id": "tours", "tenant": "acme"}],
        **plan,
    )


def invites(phones: Phones) -> dict[str, int]:
    return {key: len(phone.got("INVITE")) for key, phone in phones.items()}


async def test_the_table_of_absences_and_rules(
    server: Server, caller: Caller, phones: Phones, agency: TenantSystem
) -> None:
    """R0-09 R0-10 R0-11 R0-12: whoever is chosen is there, his phone rings and no other; nobody: the default queue."""
    staff = [agency.service("business-staff"), agency.service("inbound-staff", "xmlrpc")]
    await furnish(server, phones, services=staff)
    listener = await server.listen()
    for what, rows, words, taker, why in TABLE:
        kinds: Json = {word: [] for word in ("persons", "absences", "shifts", "agent-profiles")}
        await server.api.request("POST", "/v1/plan", kinds | rows, whole=True)
        agency.answers(business_staff={"states": words}, inbound_staff={"states": words})
        before = invites(phones)
        await call(server, caller, person=HIM)
        if taker is not None:
            await talks_to(caller, phones[taker])
        else:
            await listener.expect("call.queued", queue="sales")
            await caller.answered()
            await (await caller.bye()).expect(200)
        told = (await listener.expect("call.analysed"))["data"]
        assert (told["taker"], [one["why"] for one in told["passed"]]) == (taker, why), what
        assert told["reason"] == ("default" if taker is None else "token"), what
        assert invites(phones) == {key: n + (key == taker) for key, n in before.items()}, what
        await listener.expect("call.ended")


async def tandem(server: Server, *arguments: str, fails: bool = False) -> str:
    child = server.tandem(*arguments)
    assert await child.ended(30) == (1 if fails else 0), child.log()
    return child.log()


async def test_the_office_list_is_a_spreadsheet(server: Server, caller: Caller, phones: Phones, tmp_path: Path) -> None:
    """R0-10: circles and strangers are refused by row, and the rows in force decide; a nightly list of absences, whole,
    sends a clerk on leave and brings him back."""
    await furnish(server, phones, persons=office())
    persons, absences = tmp_path / "persons.csv", tmp_path / "absences.csv"
    head = "id,tenant,extension,superior,deputies\n"
    persons.write_text(f"{head}{HIM},acme,1012,{BOSS},ghost\n{DEPUTY},acme,1099,,\n{BOSS},acme,1015,{HIM},\n")
    told = await tandem(server, "import", str(persons), "-k", "persons", fails=True)
    for line, mistake in (
        (2, f"person {HIM}: superior: {HIM} -> {BOSS} -> {HIM} is a circle"),
        (2, f"person {HIM}: deputies: there is no person ghost"),
        (3, f"person {DEPUTY}: extension: there is no agent 1099"),
        (4, f"person {BOSS}: superior: {BOSS} -> {HIM} -> {BOSS} is a circle"),
    ):
        assert f"{persons}:{line}: {mistake}\n" in told, told

    absences.write_text(f"id,person,begins,ends\nl-1,{HIM},2020-01-01,2099-12-31\n")
    assert "1 created" in await tandem(server, "import", str(absences), "-k", "absences", "--whole")
    await call(server, caller, person=HIM)
    await talks_to(caller, phones[DEPUTY])
    absences.write_text("id,person,begins,ends\n")
    assert "removed: absence l-1\n" in await tandem(server, "import", str(absences), "-k", "absences", "--whole")
    await call(server, caller, person=HIM)
    await talks_to(caller, phones[HIM])
