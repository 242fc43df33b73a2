"""Registered phones: where they are, and how to send one away."""

from fastapi import APIRouter, Query

from b2bua.sip.bindings import Binding
from b2bua.web.desk import Configurer, SeesAll, TheDesk
from b2bua.web.models import Out
from b2bua.web.problems import Problem

router = APIRouter(prefix="/v1/registrations", tags=["agents"])


class RegistrationOut(Out):
    """One phone of an agent."""

    extension: str
    contact: str
    "As the phone wrote it."
    target: str
    "Where it is rung."
    source: str
    "Address and port that its REGISTER came from."
    transport: str
    listener: str
    q: float
    path: list[str]
    instance: str
    user_agent: str
    since: float
    "When it registered first, seconds since 1970."
    expires_at: float
    reachable: bool
    "False: it has not answered our last OPTIONS."

    @classmethod
    def of(cls, one: Binding) -> "RegistrationOut":
        return cls(
            extension=one.extension,
            contact=one.uri,
            target=one.target,
            source=str(one.source),
            transport=one.source.transport,
            listener=one.source.listener,
            q=one.q,
            path=list(one.path),
            instance=one.instance,
            user_agent=one.user_agent,
            since=one.since,
            expires_at=one.expires_at,
            reachable=one.reachable,
        )


class RegistrationList(Out):
    """Phones registered with this node, by extension."""

    registrations: list[RegistrationOut]


class Dropped(Out):
    """How many were sent away."""

    dropped: int


@router.get("")
async def list_registrations(desk: TheDesk, caller: SeesAll, extension: str | None = None) -> RegistrationList:
    """All phones that are registered, or those of one extension."""
    found = desk.node.phones.all() if desk.node.phones is not None else []
    wanted = [one for one in found if extension is None or one.extension == extension]
    return RegistrationList(registrations=[RegistrationOut.of(one) for one in wanted])


@router.delete("/{extension}")
async def drop_registrations(
    extension: str, desk: TheDesk, caller: Configurer, contact: str | None = Query(default=None, max_length=512)
) -> Dropped:
    """Forget an extension's phones, or the one with this contact. A phone that has the password registers again."""
    phones = desk.node.phones
    dropped = phones.drop(extension, contact, desk.wall()) if phones is not None else 0
    if not dropped:
        raise Problem(404, "not-found", f"no such phone of {extension} is registered")
    await desk.note(caller, "drop", "registration", extension, {"contact": contact, "dropped": dropped})
    return Dropped(dropped=dropped)
