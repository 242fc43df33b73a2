"""What campaigns that are under way need of the business: nobody takes a queue, calendar or tenant from under them."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from b2bua.storage import campaign_rows
from b2bua.storage.business import Business
from b2bua.storage.errors import Conflict
from dialer.campaign import Campaign
from dialer.campaign_checks import mistakes
from routing import conflicts
from routing.plan_checks import split


def refuse_needed(conn: sa.Connection, before: Business, after: Business) -> None:
    """Raise Conflict with every mistake that a change would bring into a campaign that runs, is paused or drains: its
    calls would go on, and who answers them would find nobody."""
    alive = campaign_rows.alive(conn)
    if not alive:
        return
    known = set(_mistakes(alive, before))
    if worse := [one for one in _mistakes(alive, after) if one not in known]:
        told = "; ".join(f"{one.entity}, {one.field or 'whole'}: {one.message}" for one in worse)
        raise Conflict(f"{told}: stop the campaign first", worse)


def _mistakes(alive: Sequence[Campaign], business: Business) -> Iterator[conflicts.Conflict]:
    """Of the business alone: trunks and laws are settings, which are checked elsewhere."""
    directory = business.directory()
    for campaign in alive:
        trunks, laws = dict.fromkeys(campaign.trunks, True), (campaign.profile,)
        for told in mistakes(campaign, business.plan, directory, trunks=trunks, laws=laws):
            yield conflicts.Conflict(f"campaign {campaign.id}", *split(told))
