"""Drain and reload of this node, and what its policies have counted today."""

from fastapi import APIRouter
from pydantic import Field

from b2bua.calls.operation import Operation
from b2bua.settings import SettingsError
from b2bua.web.desk import Configurer, Desk, Operator, SeesAll, TheDesk
from b2bua.web.models import Epoch, In, Out
from b2bua.web.problems import Problem, not_found

router = APIRouter(prefix="/v1", tags=["operation"])


class DrainIn(In):
    """How the node is drained."""

    end_after: float | None = Field(
        default=None, ge=0, le=604800, description="Seconds after which calls that are left are ended; null: never."
    )


class DrainOut(Out):
    """Whether the node takes new calls."""

    draining: bool
    since: Epoch | None
    by: str
    ends_at: Epoch | None = Field(description="When calls that are left are ended.")
    calls: int = Field(description="Calls that live now.")


class ReloadOut(Out):
    """What a reload has changed."""

    applied: list[str] = Field(description="Keys that are another from now on.", examples=[["trunks.north.target"]])
    waiting: list[str] = Field(description="Keys that differ and need a restart.", examples=[["node.name"]])


class CountOut(Out):
    """One count of a policy, of today."""

    policy: str
    key: str = Field(description="The agent, tenant, trunk or number it is of; empty: all calls of the policy.")
    calls: int = Field(description="At this moment.")
    minutes: float
    cost: float


class CountList(Out):
    """Counts of this node, by policy."""

    counts: list[CountOut]


@router.get("/drain")
async def show_drain(desk: TheDesk, caller: SeesAll) -> DrainOut:
    """Whether this node takes new calls, and how many it has."""
    return DrainOut.model_validate(operation_of(desk).drain_view())


@router.put("/drain")
async def start_drain(body: DrainIn, desk: TheDesk, caller: Operator) -> DrainOut:
    """Take no new calls: they get 503 with Retry-After, OPTIONS too. Emergency calls pass."""
    found = operation_of(desk).drain(caller.by, body.end_after)
    await desk.note(caller, "drain", "node", desk.settings.node.name, body.model_dump())
    return DrainOut.model_validate(found)


@router.delete("/drain")
async def end_drain(desk: TheDesk, caller: Operator) -> DrainOut:
    """Take new calls again."""
    found = operation_of(desk).undrain(caller.by)
    await desk.note(caller, "undrain", "node", desk.settings.node.name)
    return DrainOut.model_validate(found)


@router.post("/reload")
async def reload(desk: TheDesk, caller: Configurer) -> ReloadOut:
    """Read the configuration again; calls go on. 422 with all mistakes: then everything stays as it was."""
    try:
        found = await operation_of(desk).reload(caller.by)
    except SettingsError as error:
        mistakes = [{"field": one.key, "message": f"{one.where}: {one.what}"} for one in error.mistakes]
        raise Problem(422, "invalid", str(error), errors=mistakes) from None
    await desk.note(caller, "reload", "node", desk.settings.node.name, {"applied": list(found.applied)})
    return ReloadOut.model_validate(found)


@router.get("/outside")
async def show_outside(desk: TheDesk, caller: SeesAll) -> CountList:
    """What calls to the outside have come to today on this node, for each policy that counts."""
    return CountList(counts=[CountOut.model_validate(one) for one in operation_of(desk).counts()])


def operation_of(desk: Desk) -> Operation:
    """The part of the node that operators ask. Problem 404 where there is none."""
    if desk.node.operation is None:
        raise not_found("part of this node to", "operate")
    return desk.node.operation
