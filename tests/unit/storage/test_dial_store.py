"""Contacts are taken once, commands written before their INVITE, and each is booked once: on both databases."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa

from b2bua.storage import Conflict, NotFound, Storage, batch_rows, campaign_rows
from b2bua.storage.campaigns import Campaigns
from b2bua.storage.dial_store import DialStore
from b2bua.storage.dial_tables import dial_commands
from dialer.campaign import CampaignState
from dialer.command import Record
from dialer.contact import ContactState
from dialer.counts import Counts, HourCounts, hour_of
from dialer.disposition import Disposition
from dialer.outcome import Outcome
from dialer.ports import Limit, Written
from tests.unit.storage.contacts import CAMPAIGN, NOW, add, command, contact, make, number, prepared


async def test_contacts_come_by_priority_then_time_and_each_once(storage: Storage) -> None:
    """R3-03: eight that take at once share the contacts out, nobody gets one twice, urgent ones come first."""
    rows = [prepared(n, number(n), priority=n % 3, next_at=NOW - n) for n in range(1, 91)]
    store = await make(storage, rows=[*rows, prepared(91, number(91), priority=9, next_at=NOW + 1)])
    first = await store.take("spring", 10, NOW, node="n1")
    assert [one.row for one in first] == [89, 86, 83, 80, 77, 74, 71, 68, 65, 62]
    taken = await asyncio.gather(*(store.take("spring", 10, NOW, node=f"n{n}") for n in range(8)))
    got = Counter(one.id for some in (first, *taken) for one in some)
    assert set(got.values()) == {1}
    rest = await store.take("spring", 100, NOW, node="n1")
    assert len(got) + len(rest) == 90
    assert [one.row for one in await store.take("spring", 100, NOW + 1, node="n1")] == [91]


async def test_a_lease_ends_and_what_was_given_back_is_due(storage: Storage) -> None:
    """R3-13: contacts of a node that went away come back by themselves; those with a command do not."""
    store = await make(storage, rows=[prepared(n, number(n)) for n in range(1, 4)])
    one, two, three = await store.take("spring", 5, NOW, node="n1", lease=30.0)
    assert await store.write_command(command("c1", one)) is Written.OK
    await store.give_back([two.id], "n1", next_at=NOW + 5, reason="hours")
    assert await store.take("spring", 5, NOW, node="n2") == []
    assert [found.id for found in await store.take("spring", 5, NOW + 6, node="n2")] == [two.id]
    assert (await contact(storage, two.id)).reason == "hours"
    assert [found.id for found in await store.take("spring", 5, NOW + 31, node="n2")] == [three.id]
    assert await store.write_command(command("c3", three)) is Written.LEASE_LOST
    assert await store.take("spring", 5, NOW + 1e6, node="n2") != []
    assert (await contact(storage, one.id)).state is ContactState.LEASED


async def test_a_call_back_waits_for_its_agent_and_then_for_anybody(storage: Storage) -> None:
    """An agreed call-back is the agent's; after the campaign's patience anybody calls."""
    rows = [prepared(1, number(1), next_at=NOW, agent="1001"), prepared(2, number(2))]
    store = await make(storage, rows=rows)
    taken = await store.take("spring", 5, NOW, node="n1", agents=["1002"], lease=1e6)
    assert [one.row for one in taken] == [2]
    late = NOW + CAMPAIGN.callback_patience
    assert await store.take("spring", 5, late - 1, node="n1", agents=["1002"]) == []
    (mine,) = await store.take("spring", 5, NOW, node="n1", agents=["1002", "1001"])
    await store.give_back([mine.id], "n1")
    assert len(await store.take("spring", 5, late, node="n1")) == 1


async def test_who_is_given_an_agent_without_a_time_waits_for_him(storage: Storage) -> None:
    """The column `agent` of a file, and an agent given by hand: his patience begins then, and not before the start."""
    rows = [prepared(1, number(1), agent="1001"), prepared(2, number(2)), prepared(3, number(3), next_at=NOW + 50)]
    store = await make(storage, rows=rows, start=False)
    patience, start = CAMPAIGN.callback_patience, NOW + 2 * CAMPAIGN.callback_patience
    await store.order("spring", "start", start, node="n1")
    change = {"agent": "1001"}
    by_hand = [
        await Campaigns(storage).change_contact("spring", f"spring-b1-00000{n}", change, by="test", now=start + n)
        for n in (1, 2)
    ]
    assert [one.next_at for one in by_hand] == [start + 1, start + 2]
    assert await store.take("spring", 5, start + 9, node="n1", agents=["1002"]) == []
    mine = await store.take("spring", 5, start + 9, node="n1", agents=["1001"])
    assert [(one.row, one.next_at) for one in mine] == [(1, start), (2, start + 1), (3, start + 2)], "as calls see it"
    await store.give_back([one.id for one in mine], "n1")
    assert await store.take("spring", 5, start + patience - 1, node="n1") == []
    assert [one.row for one in await store.take("spring", 5, start + patience + 1, node="n1")] == [1, 2]


async def test_a_contact_can_be_taken_by_name(storage: Storage) -> None:
    """Preview and call-backs take one contact, due or not, but never one that another has."""
    store = await make(storage, rows=[prepared(1, number(1), next_at=NOW + 1e6)])
    only = "spring-b1-000000"
    assert (await store.take_one(only, NOW, node="n1")) is not None
    assert await store.take_one(only, NOW, node="n2") is None
    assert await store.take_one("nobody", NOW, node="n2") is None
    await store.give_back([only], "n1")
    await store.order("spring", "pause", NOW)
    assert await store.take_one(only, NOW, node="n1") is None


async def test_a_command_is_written_only_where_it_may_be(storage: Storage) -> None:
    """R3-03, R3-04: each reason not to dial is found in the step that writes the command."""
    rows = [prepared(n, number(n), number(100 + n)) for n in range(1, 9)]
    store = await make(storage, replace(CAMPAIGN, do_not_call=("national",)), rows)
    taken = {one.row: one for one in await store.take("spring", 9, NOW, node="n1")}
    assert await store.write_command(command("c1", taken[1])) is Written.OK
    assert await store.write_command(command("c1", taken[1])) is Written.OK, "asked again after a timeout"
    assert await store.write_command(command("c1b", taken[1], number=number(101))) is not Written.OK
    assert await store.write_command(command("c2", taken[2], number=number(1))) is Written.NOT_ITS_NUMBER
    assert await store.write_command(command("c2", taken[2], number="+1999")) is Written.NOT_ITS_NUMBER
    assert await store.write_command(command("c3", taken[3], node="n2")) is Written.LEASE_LOST
    await store.list_number("acme", number(4), "asked", NOW)
    assert await store.write_command(command("c4", taken[4])) is Written.LISTED
    await store.list_number("", number(5), "register", NOW, list="national")
    assert await store.write_command(command("c5", taken[5])) is Written.LISTED
    await store.list_number("other", number(6), "asked", NOW)
    await store.list_number("", number(6), "register", NOW, list="another-country")
    assert await store.write_command(command("c6", taken[6])) is Written.OK
    await store.order("spring", "pause", NOW)
    assert await store.write_command(command("c7", taken[7])) is Written.NOT_RUNNING
    assert [one.id for one in await store.unfinished("n1")] == ["c1", "c6"]
    assert await store.unfinished("n2") == []


async def test_one_number_is_in_one_call_of_a_tenant(storage: Storage) -> None:
    """Two campaigns have the same number: while one calls it, the other does not; sixteen at once, one wins."""
    store = await make(storage, rows=[prepared(1, number(1))])
    others = [replace(CAMPAIGN, id=f"other{n}") for n in range(15)]
    mine = [*await store.take("spring", 1, NOW, node="n1")]
    for other in others:
        await make(storage, other, [prepared(1, number(1))])
        mine += await store.take(other.id, 1, NOW, node="n1")
    asked = [store.write_command(command(f"c{n:02}", one)) for n, one in enumerate(mine)]
    assert Counter(await asyncio.gather(*asked)) == {Written.OK: 1, Written.IN_CALL: 15}


async def test_limits_hold_over_all_campaigns_of_a_tenant(storage: Storage) -> None:
    """So many calls to a number in so long, however they ended, and gaps after one outcome."""
    store = await make(storage, rows=[prepared(1, number(1))])
    at = NOW
    for n, outcome in enumerate((Outcome.BUSY, Outcome.TRUNK_FAULT, Outcome.NO_ANSWER)):
        (one,) = await store.take("spring", 1, at, node="n1")
        assert await store.write_command(command(f"c{n}", one, at=at)) is Written.OK
        await store.book(Record(f"c{n}", outcome, at), at)
        at += 10_000
    other = replace(CAMPAIGN, id="other")
    await make(storage, other, [prepared(1, number(1))])
    (one,) = await store.take("other", 1, at, node="n1")
    again = command("d", one, at=at)
    assert await store.write_command(again, [Limit(0.0, 2)]) is Written.LIMIT
    assert await store.write_command(again, [Limit(0.0, 9), Limit(NOW, 1, Outcome.BUSY)]) is Written.LIMIT
    assert await store.write_command(again, [Limit(NOW + 1, 1, Outcome.BUSY), Limit(NOW + 1, 2)]) is Written.OK


async def test_each_command_has_one_final_record(storage: Storage) -> None:
    """R3-09: of many that book the same command one wins; record, step, counters and list change together."""
    store = await make(storage, rows=[prepared(1, number(1)), prepared(2, number(2))])
    one, two = await store.take("spring", 2, NOW, node="n1")
    await store.write_command(command("c1", one))
    await store.write_command(command("c2", two))
    steps = await asyncio.gather(*(store.book(Record("c1", Outcome.BUSY, NOW + n), NOW + n) for n in range(8)))
    assert sum(step is not None for step in steps) == 1
    assert await store.counters("spring", NOW) == [HourCounts(hour_of(NOW), Counts(attempts=1, busy=1))]
    gone = Record("c2", Outcome.ABANDONED, NOW, live=True, opted_out=True, call="call-2")
    assert (step := await store.book(gone, NOW)) is not None
    assert step.list_number
    assert (await contact(storage, two.id)).state is ContactState.CLOSED
    facts = await store.facts("spring", [number(2)], 0.0)
    assert facts[number(2)].listed == "own"
    assert [(call.outcome, call.live) for call in facts[number(2)].calls] == [(Outcome.ABANDONED, True)]
    with pytest.raises(NotFound):
        await store.book(Record("c9", Outcome.BUSY, NOW), NOW)
    query = sa.select(dial_commands.c.id, dial_commands.c.outcome, dial_commands.c.call).order_by(dial_commands.c.id)
    rows = await storage.read(lambda conn: [tuple(row) for row in conn.execute(query)])
    assert rows == [("c1", "busy", ""), ("c2", "abandoned", "call-2")]


async def test_what_the_agent_says_after_the_talk(storage: Storage) -> None:
    """The disposition of the wrap-up makes the contact's step again, and counts no second attempt."""
    words = (Disposition("later", then="call-back"), Disposition("never", then="do-not-call"))
    store = await make(storage, replace(CAMPAIGN, dispositions=words), [prepared(n, number(n)) for n in (1, 2)])
    for one in await store.take("spring", 2, NOW, node="n1"):
        await store.write_command(command(f"c{one.row}", one))
        talk = Record(f"c{one.row}", Outcome.ANSWERED, NOW, live=True, agent="1001", connected_at=NOW, late=True)
        await store.book(talk, NOW)
        assert (await contact(storage, one.id)).reason == "answered"
        (known,) = (await store.facts("spring", [one.number.number], 0.0))[one.number.number].calls
        assert (known.agent, known.connected, known.late) == ("1001", True, True)
    step = await store.dispose("c1", "later", NOW, agent="1001", call_back_at=NOW + 50)
    assert step is not None
    (back,) = await store.take("spring", 2, NOW + 50, node="n1", agents=["1001"])
    assert (back.attempts, back.numbers[0].attempts, back.outcomes, back.agent) == (1, 1, {"answered": 1}, "1001")
    await store.write_command(command("c3", back))
    assert await store.dispose("c1", "later", NOW, agent="1001") is None, "it is being called again"
    await store.dispose("c2", "never", NOW, agent="1001")
    assert (await store.facts("spring", [number(2)], 0.0))[number(2)].listed == "own"
    with pytest.raises(NotFound):
        await store.dispose("c3", "later", NOW, agent="1001")


@pytest.mark.parametrize("since", ["called again", "held", "withdrawn", "no talk", "made anew"])
async def test_never_again_is_heard_whatever_has_become_of_the_contact(storage: Storage, since: str) -> None:
    """The agent's word of do-not-call lists the number, also where the contact's step is not made again with it."""
    words = (Disposition("later", then="call-back"), Disposition("never", then="do-not-call"))
    campaign = replace(CAMPAIGN, dispositions=words)
    store = await make(storage, campaign, [prepared(1, number(1))])
    (one,) = await store.take("spring", 1, NOW, node="n1")
    await store.write_command(command("c1", one))
    outcome = Outcome.MACHINE if since == "no talk" else Outcome.ANSWERED
    await store.book(Record("c1", outcome, NOW, agent="1001", disposition="later", call_back_at=NOW + 5), NOW)
    campaigns = Campaigns(storage)
    match since:
        case "called again":
            (again,) = await store.take("spring", 1, NOW + 5, node="n1", agents=["1001"])
            await store.write_command(command("c2", again))
        case "held":
            await campaigns.change_contact("spring", one.id, {"state": "held"}, by="test", now=NOW)
        case "withdrawn":
            await campaigns.withdraw("spring", "b1", by="test", now=NOW)
        case "made anew":
            await store.order("spring", "stop", NOW)
            await campaigns.delete("spring", by="test", now=NOW)
            await make(storage, campaign, [prepared(2, number(2))])
    await store.dispose("c1", "never", NOW, agent="1001")
    assert (await store.facts("spring", [number(1)], 0.0))[number(1)].listed == "own"


async def test_a_number_asked_not_to_be_called_while_its_campaign_was_deleted(storage: Storage) -> None:
    """A campaign that is stopped lets its talks go on: what a called asks for holds though it is gone by then."""
    store = await make(storage, rows=[prepared(1, number(1))])
    (one,) = await store.take("spring", 1, NOW, node="n1")
    await store.write_command(command("c1", one))
    await store.order("spring", "stop", NOW)
    await Campaigns(storage).delete("spring", by="test", now=NOW)
    assert await store.book(Record("c1", Outcome.OPTED_OUT, NOW, live=True), NOW) is not None
    await make(storage)
    assert (await store.facts("spring", [number(1)], 0.0))[number(1)].listed == "own"


async def test_a_listed_number_closes_its_contacts_at_once(storage: Storage) -> None:
    """Honoured at once: open contacts with no other number close, whatever campaign of the tenant they are in."""
    store = await make(storage, rows=[prepared(1, number(1)), prepared(2, number(2), number(3))])
    other = replace(CAMPAIGN, id="other", tenant="beta")
    await make(storage, other, [prepared(1, number(1))])
    before = await store.revision()
    assert await store.list_number("acme", number(1), "web form", NOW)
    assert await store.list_number("acme", number(2), "web form", NOW)
    assert not await store.list_number("acme", number(1), "again", NOW)
    assert await store.revision() > before
    states = [
        (await contact(storage, f"{of}-b1-{n:06}")).state for of, n in (("spring", 0), ("spring", 1), ("other", 0))
    ]
    assert states == [ContactState.CLOSED, ContactState.OPEN, ContactState.OPEN]


async def test_withheld_contacts_wait_or_lose_their_number(storage: Storage) -> None:
    """A check before the command: counted as withheld, no attempt, and for good only where it never may be."""
    store = await make(storage, rows=[prepared(1, number(1)), prepared(2, number(2))])
    one, two = await store.take("spring", 2, NOW, node="n1")
    await store.withhold(one.id, "n1", "hours", NOW, next_at=NOW + 3600)
    await store.withhold(two.id, "n1", "emergency", NOW, next_at=None)
    assert await store.withhold(two.id, "n1", "emergency", NOW, next_at=None) is None
    waiting, closed = await contact(storage, one.id), await contact(storage, two.id)
    assert (waiting.next_at, waiting.reason, waiting.attempts) == (NOW + 3600, "hours", 0)
    assert (closed.state, closed.reason) == (ContactState.CLOSED, "emergency")
    assert (await store.counters("spring", 0.0))[0].counts == Counts(withheld=2)


async def test_a_batch_withdrawn_while_it_is_called(storage: Storage) -> None:
    """The list changes while the campaign runs: nobody of it is called any more, a call in progress is booked."""
    store = await make(storage, rows=[prepared(n, number(n)) for n in range(1, 5)])
    await add(storage, CAMPAIGN, "b2", [prepared(1, number(10))])
    taken = {one.row: one for one in await store.take("spring", 3, NOW, node="n1") if one.batch == "b1"}
    await store.write_command(command("c1", taken[1]))
    await storage.write(lambda conn: batch_rows.withdraw(conn, "spring", "b1", NOW))
    after: int | None = 0
    while after is not None:
        last = after
        after = await storage.write(lambda conn: batch_rows.close_some(conn, "spring", "b1", last))  # noqa: B023
    assert await store.write_command(command("c2", taken[2])) is not Written.OK
    assert not await store.is_done("spring")
    await store.book(Record("c1", Outcome.BUSY, NOW), NOW)
    found = await contact(storage, taken[1].id)
    assert (found.state, found.reason, found.attempts) == (ContactState.CLOSED, "withdrawn", 1)
    assert [one.batch for one in await store.take("spring", 9, NOW + 1e6, node="n1")] == ["b2"]
    await add(storage, CAMPAIGN, "b3", [prepared(1, number(2))])
    assert len(await store.take("spring", 9, NOW, node="n1")) == 1, "its numbers may come again in another batch"


async def test_the_end_is_seen_when_the_last_has_its_result(storage: Storage) -> None:
    """R3-08, R3-13: not before the last record; then a complete snapshot is kept."""
    store = await make(storage, replace(CAMPAIGN, retries={}), [prepared(n, number(n)) for n in range(1, 4)])
    taken = await store.take("spring", 3, NOW, node="n1")
    for n, one in enumerate(taken):
        await store.write_command(command(f"c{n}", one))
    for n, outcome in enumerate((Outcome.BUSY, Outcome.ANSWERED, Outcome.NO_ANSWER)):
        assert not await store.is_done("spring")
        assert not (await store.progress("spring", NOW)).done
        await store.book(Record(f"c{n}", outcome, NOW, agent="1001" if n == 1 else ""), NOW)
    assert await store.is_done("spring")
    progress = await store.progress("spring", NOW)
    assert (progress.done, progress.contacts, progress.closed, progress.counts.attempts) == (True, 3, 3, 3)
    await store.order("spring", "end", NOW, reason="every contact has its result")
    body = (await store.snapshot("spring", NOW, kind="end")).body
    assert body["campaign"]["state"] == "ended"
    assert body["contacts"] == {"closed": 3}
    assert body["outcomes"] == {"answered": 1, "busy": 1, "no-answer": 1}
    assert (body["commands"], body["unfinished"], body["agents"]) == (3, [], {"1001": 1})
    assert body["law"] == [{"hour": hour_of(NOW), "attempts": 3, "busy": 1, "no_answer": 1}]
    assert [one["id"] for one in body["batches"]] == ["b1"]


async def test_orders_follow_the_table_of_states(storage: Storage) -> None:
    """R3-12: a campaign that may not start ends with a reason; an order that does not fit is refused."""
    store = await make(storage, start=False)
    with pytest.raises(Conflict, match="is draft"):
        await store.order("spring", "pause", NOW)
    assert (await store.order("spring", "start", NOW, node="n1")).node == "n1"
    assert [one.id for one in await store.of_node("n1")] == ["spring"]
    assert (await store.order("spring", "drain", NOW)).state is CampaignState.DRAINING
    assert (await store.order("spring", "resume", NOW)).state is CampaignState.RUNNING
    ended = await store.order("spring", "end", NOW, reason="queue sales has no agent")
    assert (ended.state, ended.reason, ended.node) == (CampaignState.ENDED, "queue sales has no agent", "")
    assert await store.of_node("n1") == []
    with pytest.raises(NotFound):
        await store.order("nobody", "start", NOW)


async def test_a_campaign_does_not_end_while_a_batch_is_loading(storage: Storage) -> None:
    """R3-08: its contacts are not there yet, and they have no result; nor does one end between a look and the order."""
    store = await make(storage)
    assert await store.is_done("spring")
    begun = await Campaigns(storage).begin_batch("spring", "b2", "csv", node="n1", by="test", now=NOW)
    assert not await store.is_done("spring")
    assert not await store.end_if_done("spring", NOW, node="n1"), "seen as done a moment ago"
    assert (await store.campaign("spring")).state is CampaignState.RUNNING

    def finish(conn: sa.Connection) -> None:
        batch_rows.add(conn, CAMPAIGN, begun, [prepared(1, number(1))], [], rows=1, share=1.0, new_id=lambda: "x1")
        batch_rows.open_some(conn, "spring", "b2", 0)
        batch_rows.finish(conn, "spring", "b2", NOW)

    await storage.write(finish)
    assert not await store.end_if_done("spring", NOW, node="n1")
    (one,) = await store.take("spring", 1, NOW, node="n1")
    await store.write_command(command("c1", one))
    await store.book(Record("c1", Outcome.ANSWERED, NOW), NOW)
    assert await store.end_if_done("spring", NOW, node="n1")
    assert ((await store.campaign("spring")).state, (await store.campaign("spring")).reason) == ("ended", "done")
    with pytest.raises(Conflict, match="is ended"):
        await store.end_if_done("spring", NOW, node="n1")


async def test_a_deleted_campaign_leaves_its_evidence(storage: Storage) -> None:
    """The law's counters stay; a running campaign cannot be deleted; a removal broken off is gone on with."""
    store = await make(storage, rows=[prepared(n, number(n)) for n in range(1, 8)])
    (one,) = await store.take("spring", 1, NOW, node="n1")
    await store.write_command(command("c1", one))
    await store.book(Record("c1", Outcome.ABANDONED, NOW, live=True), NOW)
    with pytest.raises(Conflict, match="stop it first"):
        await storage.write(lambda conn: campaign_rows.delete(conn, "spring", by="test", now=NOW))
    await store.order("spring", "stop", NOW)
    await storage.write(lambda conn: campaign_rows.delete(conn, "spring", by="test", now=NOW))
    await storage.write(lambda conn: campaign_rows.delete_some(conn, "spring", 3))
    with pytest.raises(Conflict, match="not wholly removed"):
        await make(storage)
    await Campaigns(storage).delete("spring", by="test", now=NOW)
    with pytest.raises(NotFound):
        await Campaigns(storage).delete("spring", by="test", now=NOW)
    assert (await store.counters("spring", 0.0))[0].counts.abandoned == 1
    await make(storage, rows=[prepared(1, number(1))])
    assert len(await DialStore(storage).take("spring", 9, NOW, node="n1")) == 1
    assert len((await store.facts("spring", [number(1)], 0.0))[number(1)].calls) == 1, "and so does the call"
