"""Campaigns as JSON and back, by the same rules as the values of the plan."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from b2bua.jsontext import decode, encode
from b2bua.storage.plan_values import plain, read
from dialer.campaign import Campaign, CampaignState
from routing.plan import Kind

KIND = Kind("campaigns", Campaign, "id", lambda value, plan, directory: ())
"Reads and shows like a kind of the plan, but is none: its state is the dialler's."

LIFE = ("state", "reason", "node")
"Fields that nobody writes but by an order."


def read_campaign(data: Mapping[str, Any]) -> Campaign:
    """What an owner wrote as a value. Raises BadValue with all mistakes; `state`, `reason` and `node` are left out."""
    campaign: Campaign = read(KIND, {name: value for name, value in data.items() if name not in LIFE})
    return campaign


def written(campaign: Campaign) -> dict[str, Any]:
    """What its owner wrote, as JSON has it."""
    shown: dict[str, Any] = plain(campaign)
    return {name: value for name, value in shown.items() if name not in LIFE}


def shown(campaign: Campaign) -> dict[str, Any]:
    """All of it as JSON has it."""
    made: dict[str, Any] = plain(campaign)
    return made


def body_of(campaign: Campaign) -> str:
    """As its row keeps it."""
    return encode(written(campaign))


@lru_cache(maxsize=1000)
def _of_body(body: str) -> Campaign:
    data = decode(body)
    data.get("pacing", {}).pop("horizon", None)  # a field of earlier days that nobody ever read
    return read_campaign(data)


def of_snapshot(shown: Mapping[str, Any]) -> Campaign:
    """The campaign of a snapshot, which has all of it."""
    return of_row(encode(shown), *(str(shown.get(name, "")) for name in LIFE))


def of_row(body: str, state: str, reason: str = "", node: str = "") -> Campaign:
    """The campaign of a row."""
    return replace(_of_body(body), state=CampaignState(state), reason=reason, node=node)
