"""Campaigns: what they are, their state, their progress and snapshots."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from pydantic import Field, TypeAdapter

from b2bua.storage import NotFound
from b2bua.storage.campaign_values import KIND, LIFE, read_campaign, shown, written
from b2bua.storage.plan_values import BadValue, adapter
from b2bua.web.desk import Campaigner, Configurer, Desk, TheDesk
from b2bua.web.models import Epoch, In, Out, merge
from b2bua.web.problems import Problem, invalid, not_found, of_validation
from b2bua.web.rights import Caller
from dialer.campaign import Campaign
from dialer.campaign_checks import mistakes, not_ready
from dialer.ports import Progress, Snapshot
from routing.plan_checks import split

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

REF = "#/components/schemas/{model}"
ANSWER: dict[str, Any] = {"content": {"application/json": {"schema": {"$ref": REF.format(model="Campaign")}}}}
ASKS: dict[str, Any] = {"requestBody": {"required": True, **ANSWER}}
LIST: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"campaigns": {"type": "array", "items": {"$ref": REF.format(model="Campaign")}}},
                "required": ["campaigns"],
            }
        }
    }
}

Given = Annotated[dict[str, Any], Body()]


def describe(document: dict[str, Any]) -> None:
    """Put the campaign's JSON schema into the OpenAPI document, whose operations refer to it."""
    _, made = TypeAdapter.json_schemas([("c", "validation", adapter(KIND))], ref_template=REF)
    document["components"]["schemas"].update(made.get("$defs", {}))


class OrderIn(In):
    """Why an order is given."""

    reason: str = Field(default="", max_length=200, description="Kept with the campaign and in the audit log.")


class CountsOut(Out):
    """What the law counts; docs/campaigns.md says what each is."""

    attempts: int
    live: int
    abandoned: int
    abandoned_idle: int
    late: int
    connected: int
    machines: int
    machine_as_human: int
    busy: int
    no_answer: int
    short_ring: int
    rejected: int
    invalid: int
    trunk_faults: int
    opted_out: int
    cancelled: int
    withheld: int
    unknown: int
    analysed_live: int
    inbound_abandoned: int


class ProgressOut(Out):
    """How far a campaign is."""

    campaign: str
    state: str
    reason: str
    contacts: int
    open: int
    leased: int = Field(description="Taken by a node: about to be called, or in a call.")
    held: int
    closed: int
    due: int = Field(description="Open, and their time has come.")
    in_call: int = Field(description="Commands without a record.")
    next_at: float | None = Field(description="When the next open contact is due.")
    done: bool = Field(description="Every contact has its result and every command its record.")
    counts: CountsOut


class HourOut(CountsOut):
    """One hour of a campaign."""

    hour: Epoch


class CountersOut(Out):
    """What the law counts, by the hour, oldest first."""

    hours: list[HourOut]


class SnapshotOut(Out):
    """A campaign at one moment."""

    campaign: str
    at: Epoch
    kind: str = Field(description="`end`, `stop` or `demand`.")
    body: dict[str, Any]


class SnapshotList(Out):
    """Snapshots, newest first."""

    snapshots: list[SnapshotOut]


@router.get("", name="list_campaigns", response_model=None, responses={200: LIST})
async def list_campaigns(
    desk: TheDesk, caller: Campaigner, tenant: Annotated[str | None, Query(max_length=64)] = None
) -> dict[str, Any]:
    """All campaigns by id; a tenant's key sees its own."""
    return {"campaigns": [shown(one) for one in await desk.campaigns.list(caller.scope(tenant))]}


@router.post(
    "", name="create_campaign", status_code=201, response_model=None, responses={201: ANSWER}, openapi_extra=ASKS
)
async def create_campaign(body: Given, desk: TheDesk, caller: Configurer, response: Response) -> Any:
    """Add one as a draft. 409 lists everything that speaks against it."""
    made = await desk.campaigns.create(_value(desk, body), by=caller.by, now=desk.wall())
    response.headers["Location"] = f"/v1/campaigns/{made.id}"
    return shown(made)


@router.get("/{id}", name="show_campaign", response_model=None, responses={200: ANSWER})
async def show_campaign(id: str, desk: TheDesk, caller: Campaigner) -> Any:
    """One campaign with its state."""
    return shown(await reached(desk, caller, id))


@router.put("/{id}", name="put_campaign", response_model=None, responses={200: ANSWER}, openapi_extra=ASKS)
async def put_campaign(id: str, body: Given, desk: TheDesk, caller: Configurer) -> Any:
    """Create it, or replace its definition; its state stays, and a running one goes on with the new one at once."""
    if body.setdefault("id", id) != id:
        raise invalid([("id", f"must be {id}, as in the path: it cannot be changed")])
    made = _value(desk, body)
    async with desk.changing:
        known = {one.id for one in await desk.campaigns.list()}
        change = desk.campaigns.replace if id in known else desk.campaigns.create
        return shown(await change(made, by=caller.by, now=desk.wall()))


@router.patch("/{id}", name="change_campaign", response_model=None, responses={200: ANSWER}, openapi_extra=ASKS)
async def change_campaign(id: str, body: Given, desk: TheDesk, caller: Configurer) -> Any:
    """Change what is named (JSON merge patch, RFC 7396); lists are replaced whole. States are changed by orders."""
    if body.get("id", id) != id:
        raise invalid([("id", "cannot be changed")])
    async with desk.changing:
        old = await desk.campaigns.get(id)
        if told := [name for name in LIFE if name in body]:
            raise invalid([(name, "is changed by orders: POST .../start, pause, resume, drain, stop") for name in told])
        made = _value(desk, merge(written(old), body))
        return shown(await desk.campaigns.replace(made, by=caller.by, now=desk.wall()))


@router.delete("/{id}", name="delete_campaign", status_code=204)
async def delete_campaign(id: str, desk: TheDesk, caller: Configurer) -> None:
    """Remove it with its contacts. Its calls stay on record until no law needs them, the law's counters and its
    snapshots for good. 409 while it runs."""
    await desk.campaigns.delete(id, by=caller.by, now=desk.wall())


@router.get("/{id}/mistakes")
async def check_campaign(id: str, desk: TheDesk, caller: Campaigner) -> dict[str, Any]:
    """Everything that keeps it from starting, as `errors` of a refused start would list it; an empty list: nothing."""
    found = await reached(desk, caller, id)
    return {"errors": _errors(desk, found, start=True)}


def _order(order: str, text: str) -> None:
    """The end point of one order."""

    async def give(id: str, desk: TheDesk, caller: Campaigner, body: OrderIn | None = None) -> Any:
        found = await reached(desk, caller, id)
        if order == "start" and (errors := _errors(desk, found, start=True)):
            raise _refused(errors)
        reason = body.reason if body else ""
        node = desk.settings.node.name
        made = await desk.campaigns.order(id, order, node=node, reason=reason, by=caller.by, now=desk.wall())
        if desk.node.dialling is not None:
            desk.node.dialling.look_soon()
        return shown(made)

    give.__doc__ = text
    route = router.post(f"/{{id}}/{order}", name=f"{order}_campaign", response_model=None, responses={200: ANSWER})
    route(give)


for _word, _text in {
    "start": "Begin to dial, on this node. 409 lists everything that keeps it from starting.",
    "pause": "Begin no new call; calls in progress go on.",
    "resume": "Go on after a pause, or after all while it drains.",
    "drain": "Begin no new call, and stop when the last one has ended.",
    "stop": "Begin no new call and end those that nobody has answered.",
}.items():
    _order(_word, _text)


@router.get("/{id}/progress")
async def show_progress(id: str, desk: TheDesk, caller: Campaigner) -> ProgressOut:
    """How far it is, now."""
    await reached(desk, caller, id)
    found: Progress = await desk.campaigns.progress(id, desk.wall())
    return ProgressOut.model_validate(found)


@router.get("/{id}/counters")
async def show_counters(
    id: str,
    desk: TheDesk,
    caller: Campaigner,
    since: Annotated[float, Query(ge=0, description="Epoch seconds.")] = 0.0,
) -> CountersOut:
    """What the law counts, by the hour; also of a campaign that is deleted."""
    await remembered(desk, caller, id)
    hours = await desk.dialling.counters(id, since)
    return CountersOut(
        hours=[HourOut(hour=one.hour, **CountsOut.model_validate(one.counts).model_dump()) for one in hours]
    )


@router.get("/{id}/snapshots")
async def list_snapshots(id: str, desk: TheDesk, caller: Campaigner) -> SnapshotList:
    """Those that were kept, newest first; also of a campaign that is deleted."""
    tenant = (await remembered(desk, caller, id)).tenant
    found = [one for one in await desk.campaigns.snapshots(id) if one.body["campaign"].get("tenant") == tenant]
    return SnapshotList(snapshots=[SnapshotOut.model_validate(one) for one in found])


@router.post("/{id}/snapshots", status_code=201)
async def make_snapshot(id: str, desk: TheDesk, caller: Campaigner) -> SnapshotOut:
    """Make one now and keep it (R3-13)."""
    await reached(desk, caller, id)
    made: Snapshot = await desk.dialling.snapshot(id, desk.wall(), kind="demand")
    await desk.note(caller, "snapshot", "campaign", id)
    return SnapshotOut.model_validate(made)


async def reached(desk: Desk, caller: Caller, id: str) -> Campaign:
    """The campaign, if this key reaches its tenant. Problem 404 else."""
    found = await desk.campaigns.get(id)
    if not caller.reaches(found.tenant):
        raise not_found("campaign", id)
    return found


async def remembered(desk: Desk, caller: Caller, id: str) -> Campaign:
    """The campaign, or if it is deleted, as its newest snapshot has it: what is evidence is shown all the same."""
    try:
        return await reached(desk, caller, id)
    except NotFound:
        found = await desk.campaigns.deleted(id)
        if found is None or not caller.reaches(found.tenant):
            raise
        return found


def _value(desk: Desk, data: Mapping[str, Any]) -> Campaign:
    """What was written. Raises Problem 422 for what cannot be read, 409 for what cannot be right."""
    try:
        made = read_campaign(data)
    except BadValue as error:
        raise of_validation(error.errors) from None
    if errors := _errors(desk, made, start=False):
        raise _refused(errors)
    return made


def _errors(desk: Desk, campaign: Campaign, *, start: bool) -> list[dict[str, str]]:
    trunks = {name: trunk.target is not None for name, trunk in desk.settings.trunks.items()}
    trunks |= dict.fromkeys(desk.settings.trunk_groups, True)
    directory, plan = desk.node.directory(), desk.node.plan()
    found = list(mistakes(campaign, plan, directory, trunks=trunks, laws=desk.settings.laws()))
    if start:
        found += not_ready(campaign)
    entity = f"campaign {campaign.id}"
    return [
        {"field": field, "message": message, "entity": entity} for field, message in map(split, dict.fromkeys(found))
    ]


def _refused(errors: list[dict[str, str]]) -> Problem:
    told = "; ".join(f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in errors[:5])
    return Problem(409, "conflict", told, errors=errors)
