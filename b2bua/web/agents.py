"""Agents: who takes calls, at a fixed contact behind one of our inside listeners, or where his phone registers."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter

from b2bua.sip.digest import ha1
from b2bua.web.desk import Configurer, Desk, SeesAll, TheDesk
from b2bua.web.models import Digits, In, Label, Out, merged
from b2bua.web.problems import Problem
from routing.directory import Agent, Credentials

router = APIRouter(prefix="/v1/agents", tags=["agents"])


KEPT = "***"
"Stands for a password that is kept as it is."

Password = Annotated[
    str,
    Field(
        pattern=r"^(\*\*\*|[^\x00-\x1f\x7f]{8,128})$",
        description="Password of the phone, 8 to 128 characters; only hashes of it are kept. `***`, or nothing, keeps "
        "the one there is; null: the phone cannot register (any more).",
    ),
]


class AgentFields(In):
    """An agent without the extension."""

    name: Label
    contact: str = Field(
        default="",
        pattern=r"^$|^sips?:([0-9A-Za-z_.!~*'()&=+$,;?/%-]{1,64}@)?([0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
        r"(:[0-9]{1,5})?(;[0-9A-Za-z_.!~*'()%+-]{1,64}(=[0-9A-Za-z_.!~*'()%+:\[\]-]{1,64})?){0,8}$",
        description="SIP URI of the phone; empty: where it has registered.",
        examples=["sip:8001@192.0.2.10:5060"],
    )
    listener: str = Field(
        default="", description="The inside listener of this node that reaches the contact.", examples=["inside"]
    )
    enabled: bool = True
    password: Password | None = KEPT
    srtp: Literal["off", "optional", "required"] | None = Field(
        default=None, description="Encrypted sound of the phone, both ways; null: as its listener has it."
    )
    srtp_keys: list[Literal["sdes", "dtls"]] = Field(
        default=[], max_length=2, description="How its keys are agreed on, best first; empty: as its listener has it."
    )


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
    password: str | None
    "`***` where one is kept."
    srtp: Literal["off", "optional", "required"] | None
    srtp_keys: list[Literal["sdes", "dtls"]]

    @classmethod
    def of(cls, agent: Agent) -> "AgentOut":
        kept = None if agent.credentials is None else KEPT
        return cls(
            extension=agent.extension,
            name=agent.name,
            contact=agent.contact,
            listener=agent.listener,
            enabled=agent.enabled,
            password=kept,
            srtp=agent.srtp,
            srtp_keys=list(agent.srtp_keys),
        )


class AgentList(Out):
    """All agents, by extension."""

    agents: list[AgentOut]


_FIELDS = TypeAdapter(AgentFields)


@router.get("")
async def list_agents(desk: TheDesk, caller: SeesAll) -> AgentList:
    """All agents."""
    return AgentList(agents=[AgentOut.of(agent) for agent in await desk.agents.list()])


@router.post("", status_code=201)
async def create_agent(body: AgentIn, desk: TheDesk, caller: Configurer, response: Response) -> AgentOut:
    """Add an agent."""
    agent = agent_of(desk, body.extension, body)
    async with desk.changing:
        await desk.agents.create(agent, by=caller.by, now=desk.wall())
        await desk.changed()
    response.headers["Location"] = f"/v1/agents/{agent.extension}"
    return AgentOut.of(agent)


@router.get("/{extension}")
async def show_agent(extension: str, desk: TheDesk, caller: SeesAll) -> AgentOut:
    """One agent."""
    return AgentOut.of(await desk.agents.get(extension))


@router.put("/{extension}")
async def replace_agent(extension: str, body: AgentFields, desk: TheDesk, caller: Configurer) -> AgentOut:
    """Replace everything but the extension."""
    async with desk.changing:
        return await _replace(desk, extension, body, caller.by)


@router.patch("/{extension}")
async def change_agent(extension: str, body: dict[str, Any], desk: TheDesk, caller: Configurer) -> AgentOut:
    """Change what is named (JSON merge patch, RFC 7396)."""
    async with desk.changing:
        current = AgentOut.of(await desk.agents.get(extension)).model_dump(exclude={"extension"})
        return await _replace(desk, extension, merged(_FIELDS, current, body), caller.by)


@router.delete("/{extension}", status_code=204)
async def delete_agent(extension: str, desk: TheDesk, caller: Configurer) -> None:
    """Remove him and end his API keys. 409 while a tenant, an access number or a route names him."""
    async with desk.changing:
        await desk.agents.delete(extension, by=caller.by, now=desk.wall())
        desk.keyring.forget_agent(extension)
        await desk.changed()


async def _replace(desk: Desk, extension: str, body: AgentFields, by: str) -> AgentOut:
    agent = agent_of(desk, extension, body)
    keep = _with_credentials_of if body.password == KEPT else None
    agent = await desk.agents.replace(agent, by=by, now=desk.wall(), keep=keep)
    await desk.changed()
    return AgentOut.of(agent)


def _with_credentials_of(there: Agent, agent: Agent) -> Agent:
    return replace(agent, credentials=there.credentials)


def agent_of(desk: Desk, extension: str, body: AgentFields) -> Agent:
    """The agent of a body. Raises Problem when this node has no such inside listener, or he could not be reached."""
    inside = [name for name, listener in desk.settings.listeners.items() if listener.side == "inside"]
    if body.listener not in inside and (body.contact or body.listener):
        what = f"there is no inside listener {body.listener}; there are: {', '.join(sorted(inside)) or 'none'}"
        raise Problem(409, "conflict", what, errors=[{"field": "listener", "message": what}])
    credentials = _credentials(desk, extension, body.password)
    if not body.contact and credentials is None:
        what = "an agent needs the contact of his phone, or a password with which it registers"
        raise Problem(409, "conflict", what, errors=[{"field": "contact", "message": what}])
    keys = tuple(dict.fromkeys(body.srtp_keys))
    agent = Agent(extension, body.name, body.contact, body.listener, body.enabled, credentials, body.srtp, keys)
    if what := _unusable_keys(desk, agent):
        raise Problem(409, "conflict", what, errors=[{"field": "srtp_keys", "message": what}])
    return agent


def _unusable_keys(desk: Desk, agent: Agent) -> str:
    """Why his phone's keys could be agreed on behind none of the listeners that reach it, "" where they can."""
    if agent.srtp is None and not agent.srtp_keys:
        return ""
    inside = {name: face for name, face in desk.settings.listeners.items() if face.side == "inside"}
    faces = [inside[agent.listener]] if agent.contact else list(inside.values())
    for face in faces:
        use = face.srtp if agent.srtp is None else agent.srtp
        if use == "off" or face.unread(agent.srtp_keys or face.srtp_keys):
            return ""
    return 'sdes would send its keys for everybody to read: name srtp_keys ["dtls"], or a listener of transport tls'


def _credentials(desk: Desk, extension: str, password: str | None) -> Credentials | None:
    """What is kept of a password; it is forgotten here."""
    if password is None:
        return None
    if password == KEPT:
        known = desk.node.directory().agents.get(extension)
        return known.credentials if known is not None else None
    realm = desk.settings.phones.realm
    if not realm:
        what = "phones cannot register here: set phones.realm in the settings of the node first"
        raise Problem(409, "conflict", what, errors=[{"field": "password", "message": what}])
    return Credentials(realm, ha1("MD5", extension, realm, password), ha1("SHA-256", extension, realm, password))
