"""Campaigns as they dial, on this node: live progress, and what an agent says of a contact he looks at."""

from fastapi import APIRouter
from pydantic import Field

from b2bua.web.campaigns import reached
from b2bua.web.desk import Attendant, Campaigner, TheDesk
from b2bua.web.models import In, Out
from b2bua.web.problems import not_found

router = APIRouter(prefix="/v1/campaigns/{id}", tags=["campaigns"])


class LiveOut(Out):
    """A campaign at this moment."""

    campaign: str
    state: str
    reason: str = Field(description="Why it dials as it does, or does not: the cause of the last decision, or a gate.")
    calls: int = Field(description="Calls that the last decision started.")
    in_flight: dict[str, int] = Field(description="Its calls by phase.")
    ages: dict[str, int] = Field(description="Calls without an agent, by age in seconds.")
    agents: dict[str, int] = Field(description="`idle`, `talking`, `wrapping`, `paused`, `by_hand`.")
    busy: float = Field(description="Talking share of the agents on duty.")
    stock: int = Field(description="Contacts that are ready to be called.")
    abandoned: dict[str, float] = Field(description="Abandoned share of the live answers, by window of the law.")
    cap: float
    none_idle: float = Field(description="Abandoned while no agent was idle, as a share, over 24 hours.")
    outcomes: dict[str, int] = Field(description="Records since it runs here.")
    learned: dict[str, float] = Field(description="`answers`, `share`, and mean seconds of `ring`, `talk`, `wrap`.")


class ChoiceIn(In):
    """What the agent says."""

    dial: bool = Field(description="True: call this contact; false: the next one.")


@router.get("/live")
async def show_live(id: str, desk: TheDesk, caller: Campaigner) -> LiveOut:
    """What it does at this moment. 404 where it does not run on this node."""
    await reached(desk, caller, id)
    found = desk.node.dialling.view(id) if desk.node.dialling is not None else None
    if found is None:
        raise not_found("campaign at work", id)
    return LiveOut.model_validate(found)


@router.post("/commands/{command}/choice", status_code=204)
async def choose(id: str, command: str, body: ChoiceIn, desk: TheDesk, caller: Attendant) -> None:
    """Preview: call the contact that is shown, or skip it. 404 when nobody looks at one under this command. An agent's
    key: what he himself looks at."""
    await reached(desk, caller, id)
    node = desk.node.dialling
    if node is None or not node.choose(id, command, body.dial, caller.extension or ""):
        raise not_found("contact on a screen", command)
