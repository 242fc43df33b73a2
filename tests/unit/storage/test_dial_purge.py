"""Commands outlive their campaign, for as long as a law needs them and no longer: on both databases."""

from dataclasses import replace

import pytest

from b2bua.dialling.permission import Lists, ask
from b2bua.storage import Storage, dial_purge
from b2bua.storage.campaigns import Campaigns, CommandFilter
from b2bua.storage.dial_store import DialStore
from dialer.command import Record
from dialer.forbidden import Forbidden, Reason
from dialer.hours import read_week
from dialer.keeping import Keeping
from dialer.law_clock import Reading
from dialer.outcome import Outcome
from dialer.ports import Limit, Written
from dialer.profiles import BUILT_IN, DAY, UK, US_REG_F, AttemptLimit
from dialer.retry_rule import RetryRule
from tests.unit.storage.contacts import CAMPAIGN, NOW, command, make, number, prepared

EVERY = CommandFilter()
ALWAYS = read_week(["daily 00:00-24:00"])
LAWS = {
    "uk": replace(UK, countries=(), week=ALWAYS, keep_records=100 * DAY),
    "us-reg-f": replace(US_REG_F, countries=(), week=ALWAYS, regions=(), keep_records=400 * DAY),
}
LEGAL = replace(CAMPAIGN, caller_id="+12125550100", seller="Acme", callback_number="+12125550100", redial_gap=0.0)


async def called(store: DialStore, id: str, outcome: Outcome, at: float, node: str = "n1") -> None:
    """The first contact that is due, called and booked."""
    (one,) = await store.take(id, 1, at, node=node)
    name = f"{id}-{at:.0f}"
    await store.write_command(command(name, one, at=at))
    await store.book(Record(name, outcome, at, live=outcome is Outcome.ABANDONED), at)


async def verdict(store: DialStore, law: str, at: float, id: str = "spring") -> Reason | None:
    """What the law says of the campaign's first contact."""
    campaign = await store.campaign(id)
    contacts = await store.take(id, 1, at, node="n1")
    (answer,) = await ask(store, campaign, LAWS[law], contacts, Reading(at, at), Lists(), guaranteed=False)
    await store.give_back([contacts[0].id], "n1")
    return answer.verdict.reason if isinstance(answer.verdict, Forbidden) else None


@pytest.mark.parametrize(("law", "reason"), [("uk", Reason.ABANDONED), ("us-reg-f", Reason.ATTEMPTS)])
async def test_a_campaign_made_anew_knows_who_was_called(storage: Storage, law: str, reason: Reason) -> None:
    """Limits and gaps count over all campaigns of a tenant, those that are deleted included; nothing else of them shows
    in the new one."""
    campaign = replace(LEGAL, profile=law)
    again: dict[str, RetryRule] = dict.fromkeys((Outcome.ABANDONED, Outcome.BUSY), RetryRule(600.0, 0))
    store = await make(storage, replace(campaign, retries=again, attempts=20), [prepared(1, number(1))])
    for n in range(7):
        await called(store, "spring", Outcome.ABANDONED if n < 5 else Outcome.BUSY, NOW + n * 3600)
    later = NOW + 8 * 3600
    await store.order("spring", "stop", later)
    campaigns = Campaigns(storage)
    assert len(await campaigns.commands("spring", EVERY, limit=9)) == 7
    await campaigns.delete("spring", by="test", now=later)
    await make(storage, campaign, [prepared(1, number(1))], now=later)
    assert await verdict(store, law, later) is reason
    limit = Limit(later - 7 * DAY, 7)
    (one,) = await store.take("spring", 1, later, node="n1")
    assert await store.write_command(command("new", one, at=later), [limit]) is Written.LIMIT
    assert await campaigns.commands("spring", EVERY, limit=9) == []
    assert (await store.snapshot("spring", later, kind="demand")).body["commands"] == 0
    assert await store.write_command(command("new", one, at=later)) is Written.OK
    assert [one.command.id for one in await campaigns.commands("spring", EVERY, limit=9)] == ["new"]


async def test_commands_are_kept_as_long_as_their_law_says(storage: Storage) -> None:
    """`keep_days` of the law: of campaigns that are there, of deleted ones by their newest snapshot, and where no such
    law is left, by the longest; what has no record yet, and what is younger than the look-back, stays."""
    campaigns = Campaigns(storage)
    for id_, law, kept in (("a", "uk", False), ("b", "uk", True), ("c", "us-reg-f", True), ("d", "gone", False)):
        store = await make(storage, replace(LEGAL, id=id_, profile=law), [prepared(n, number(n)) for n in (1, 2)])
        await called(store, id_, Outcome.BUSY, NOW)
        await called(store, id_, Outcome.BUSY, NOW + 10 * DAY)
        if kept:
            await store.snapshot(id_, NOW, kind="stop")
        if id_ != "a":
            await store.order(id_, "stop", NOW)
            await campaigns.delete(id_, by="test", now=NOW)
    left = await make(storage, replace(LEGAL, id="e", profile="uk"), [prepared(1, number(3))])
    (one,) = await left.take("e", 1, NOW, node="n1")
    await left.write_command(command("open", one))
    keeping = Keeping(LAWS)
    assert await dial_purge.purge(storage, keeping, NOW + 99 * DAY) == 0
    assert await dial_purge.purge(storage, keeping, NOW + 101 * DAY) == 2, "one each of a and b"
    assert await dial_purge.purge(storage, keeping, NOW + 111 * DAY) == 2
    assert await dial_purge.purge(storage, keeping, NOW + 399 * DAY) == 0
    assert await dial_purge.purge(storage, keeping, NOW + 401 * DAY) == 2, "one each of c and d"
    assert await dial_purge.purge(storage, keeping, NOW + 9000 * DAY) == 2
    assert [one.id for one in await left.unfinished("n1")] == ["open"]


def test_what_a_law_looks_back_at_is_never_deleted() -> None:
    """A short `keep_days` ends no gap and no limit early, of whichever law or campaign it is."""
    short = {name: replace(law, keep_records=0.0) for name, law in BUILT_IN.items()}
    assert Keeping(short).of("us") == 90 * DAY, "as long as a campaign's own gap may be"
    year = replace(UK, attempts=(AttemptLimit(50, 365 * DAY),))
    assert Keeping(short | {"strict": year}).of("us") == 365 * DAY
    assert Keeping(BUILT_IN).of("gone") == 5 * 365 * DAY
