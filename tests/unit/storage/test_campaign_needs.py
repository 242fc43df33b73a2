"""What a campaign that is under way names stays where it is, as what the plan names does: on both databases."""

from dataclasses import replace

import pytest

from b2bua.storage import Conflict, Storage
from b2bua.storage.catalogue import agents, tenants
from b2bua.storage.plan import Plans
from dialer.campaign import Campaign
from routing.calendar import Calendar
from routing.directory import Agent, Tenant
from routing.plan import KINDS
from routing.queue import Queue
from tests.unit.storage.contacts import NOW, make

ACME = Tenant("acme", "Acme", "77", frozenset({"carrier"}), frozenset({"02112345678"}))
CAMPAIGN = Campaign(
    "spring", "acme", trunks=("carrier",), queue="sales", agent="801", calendar="office", profile="us"
)  # fmt: skip


async def test_nothing_goes_that_a_campaign_under_way_names(storage: Storage) -> None:
    """Its tenant, queue, agent and calendar, one by one or left out of a file; once it is stopped they may go."""
    plans, businesses, desks = Plans(storage), tenants(storage), agents(storage)
    await businesses.create(ACME, by="test", now=NOW)
    await desks.create(Agent("801", "Desk", "sip:801@192.0.2.5", "inside"), by="test", now=NOW)
    await plans.put_all([Queue("sales", "Sales"), Calendar("office", zone="UTC")], by="test", now=NOW)
    store = await make(storage, CAMPAIGN)
    await store.order("spring", "pause", NOW)
    for kind, key, told in (("queues", "sales", "queue"), ("calendars", "office", "calendar")):
        with pytest.raises(Conflict, match=f"campaign spring, {told}: there is no {told} {key}.*stop the campaign"):
            await plans.delete(KINDS[kind], key, by="test", now=NOW)
    whole = frozenset({"queues"})
    for rehearse in (True, False):
        with pytest.raises(Conflict, match="campaign spring, queue"):
            await plans.put_all([Queue("other", "Other")], by="test", now=NOW, whole=whole, rehearse=rehearse)
    with pytest.raises(Conflict, match="campaign spring, agent: there is no agent 801"):
        await desks.delete("801", by="test", now=NOW)
    with pytest.raises(Conflict, match="campaign spring, tenant: there is no tenant acme"):
        await businesses.delete("acme", by="test", now=NOW)
    await businesses.replace(replace(ACME, enabled=False), by="test", now=NOW)
    await plans.replace(Queue("sales", "Sales", weight=3), by="test", now=NOW)
    await store.order("spring", "stop", NOW)
    for kind, key in (("queues", "sales"), ("calendars", "office")):
        await plans.delete(KINDS[kind], key, by="test", now=NOW)
    await desks.delete("801", by="test", now=NOW)
    await businesses.delete("acme", by="test", now=NOW)
