"""Agents: who takes calls, at a fixed contact behind one of our inside listeners."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter

from b2bua.web.desk import Configurer, Desk, SeesAll, TheDesk
from b2bua.web.models import Digits, In, Label, Out, merged
from b2bua.web.problems import Problem
from routing.directory import Agent

router = APIRouter(prefix="/v1/agents", tags=["agents"])


class AgentFields(In):
    """An agent without the extension."""

    name: Label
    contact: str = Field(
        pattern=r"^sips?:([0-9A-Za-z_.!~*'()&=+$,;?/%-]{1,64}@)?([0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
        r"(:[0-9]{1,5})?(;[0-9A-Za-z_.!~*'()%+-]{1,64}(=[0-9A-Za-z_.!~*'()%+:\[\]-]{1,64})?){0,8}$",
        description="SIP URI of the phone.",
        examples=["sip:8001@192.0.2.10:5060"],
    )
    listener: str = Field(description="The inside listener of this node that reaches it.", examples=["inside"])
    enabled: bool = True


class AgentIn(AgentFields):
    """A new agent."""

    extension: Digits = Field(examples=["8001"])


class AgentOut(Out):
    """An agent as he is kept."""

    extension: str
    name: str
    contact: str
    listener: str
    enabled: bool


class AgentList(Out):
    """All agents, by extension."""

    agents: list[AgentOut]


_FIELDS = TypeAdapter(AgentFields)


@router.get("")
async def list_agents(desk: TheDesk, caller: SeesAll) -> AgentList:
    """All agents."""
    return AgentList(agents=[AgentOut.model_validate(agent) for agent in await desk.agents.list()])


@router.post("", status_code=201)
async def create_agent(body: AgentIn, desk: TheDesk, caller: Configurer, response: Response) -> AgentOut:
    """Add an agent."""
    agent = agent_of(desk, body.extension, body)
    async with desk.changing:
        await desk.agents.create(agent, by=caller.by, now=desk.wall())
        await desk.changed()
    response.headers["Location"] = f"/v1/agents/{agent.extension}"
    return AgentOut.model_validate(agent)


@router.get("/{extension}")
async def show_agent(extension: str, desk: TheDesk, caller: SeesAll) -> AgentOut:
    """One agent."""
    return AgentOut.model_validate(await desk.agents.get(extension))


@router.put("/{extension}")
async def replace_agent(extension: str, body: AgentFields, desk: TheDesk, caller: Configurer) -> AgentOut:
    """Replace everything but the extension."""
    async with desk.changing:
        return await _replace(desk, extension, body, caller.by)


@router.patch("/{extension}")
async def change_agent(extension: str, body: dict[str, Any], desk: TheDesk, caller: Configurer) -> AgentOut:
    """Change what is named (JSON merge patch, RFC 7396)."""
    async with desk.changing:
        current = AgentOut.model_validate(await desk.agents.get(extension)).model_dump(exclude={"extension"})
        return await _replace(desk, extension, merged(_FIELDS, current, body), caller.by)


@router.delete("/{extension}", status_code=204)
async def delete_agent(extension: str, desk: TheDesk, caller: Configurer) -> None:
    """Remove him. 409 while a tenant, an access number or a route names him."""
    async with desk.changing:
        await desk.agents.delete(extension, by=caller.by, now=desk.wall())
        await desk.changed()


async def _replace(desk: Desk, extension: str, body: AgentFields, by: str) -> AgentOut:
    agent = agent_of(desk, extension, body)
    await desk.agents.replace(agent, by=by, now=desk.wall())
    await desk.changed()
    return AgentOut.model_validate(agent)


def agent_of(desk: Desk, extension: str, body: AgentFields) -> Agent:
    """The agent of a body. Raises Problem when this node has no such inside listener."""
    inside = [name for name, listener in desk.settings.listeners.items() if listener.side == "inside"]
    if body.listener not in inside:
        what = f"there is no inside listener {body.listener}; there are: {', '.join(sorted(inside)) or 'none'}"
        raise Problem(409, "conflict", what, errors=[{"field": "listener", "message": what}])
    return Agent(extension, body.name, body.contact, body.listener, body.enabled)
