"""Trunks belong to the configuration file: the API shows them and their state, takes them out of service, and names the
file to whoever would change them."""

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import Field

from b2bua.settings import Trunk
from b2bua.sip.trunk_view import view
from b2bua.web.desk import Configurer, Desk, SeesAll, Starter, TheDesk
from b2bua.web.models import In, Out
from b2bua.web.problems import Problem, not_found

router = APIRouter(prefix="/v1/trunks", tags=["trunks"])


class FarEndOut(Out):
    """An address that its calls are sent to."""

    address: str
    state: str
    losses: int = Field(description="Answers missing in a row.")
    priority: int
    weight: int
    left_alone: float = Field(description="Seconds for which it still gets no call, as it has asked (Retry-After).")


class MaintenanceIn(In):
    """In or out of service."""

    on: bool


class TrunkOut(Out):
    """A trunk as the configuration has it."""

    name: str = Field(examples=["carrier"])
    listener: str
    addresses: list[str]
    sources: list[str]
    diversion_pick: str
    prefix: str
    access_id_width: int | None
    sequence_width: int
    check_digit: str
    max_digits: int
    numbers: int = Field(description="Sequence numbers there are for one access ID.")
    target: str | None = Field(description="Where calls over it are sent to.")
    state: str = Field(
        description="up, unknown, warning (never answered OPTIONS), out; no-address; inbound: no calls go out there."
    )
    maintenance: bool = Field(description="No new calls.")
    calls_in: int
    calls_out: int
    minutes_today: float = Field(description="Minutes of talk on calls that went out, today.")
    registered: str = Field(description="yes, no, or empty where we do not register.")
    why: str = Field(description="What the registrar said last, where we are not registered.")
    far_ends: list[FarEndOut]


class TrunkList(Out):
    """All trunks, by name."""

    trunks: list[TrunkOut]


@router.get("")
async def list_trunks(desk: TheDesk, caller: SeesAll) -> TrunkList:
    """All trunks."""
    found = sorted(desk.settings.trunks.items())
    return TrunkList(trunks=[_shown(desk, name, trunk) for name, trunk in found])


@router.get("/{name}")
async def show_trunk(name: str, desk: TheDesk, caller: SeesAll) -> TrunkOut:
    """One trunk."""
    trunk = desk.settings.trunks.get(name)
    if trunk is None:
        raise not_found("trunk", name)
    return _shown(desk, name, trunk)


@router.post("/{name}/maintenance")
async def maintain_trunk(name: str, body: MaintenanceIn, desk: TheDesk, caller: Starter) -> TrunkOut:
    """Take a trunk out of service, or back: in maintenance it gets and brings no new calls, running ones stay.

    It stays so over a restart.
    """
    if not desk.node.trunks.maintain(name, body.on, caller.by):
        raise not_found("trunk", name)
    await desk.note(caller, "maintenance", "trunk", name, {"on": body.on})
    return _shown(desk, name, desk.settings.trunks[name])


async def refuse(desk: TheDesk, caller: Configurer) -> None:
    """409: the configuration file owns trunks; `detail` names it."""
    raise _owned(desk)


async def refuse_one(name: str, desk: TheDesk, caller: Configurer) -> None:
    """409: the configuration file owns trunks; `detail` names it."""
    raise _owned(desk)


router.add_api_route("", refuse, methods=["POST"], name="create_trunk", status_code=409, response_model=None)
for _method, _name in (("PUT", "replace_trunk"), ("PATCH", "change_trunk"), ("DELETE", "delete_trunk")):
    router.add_api_route("/{name}", refuse_one, methods=[_method], name=_name, status_code=409, response_model=None)


def _owned(desk: Desk) -> Problem:
    file = desk.settings.file
    where = f"the configuration file {file}" if file else "the embedded defaults (there is no configuration file)"
    return Problem(409, "owned-by-file", f"trunks belong to {where}: change them there and reload")


def _shown(desk: Desk, name: str, trunk: Trunk) -> TrunkOut:
    now = view(desk.node.trunks, name)
    assert now is not None  # the desk has every trunk of the settings
    return TrunkOut(
        name=name,
        listener=trunk.listener,
        addresses=[str(address) for address in trunk.addresses],
        sources=[str(source) for source in trunk.sources],
        diversion_pick=trunk.diversion_pick,
        prefix=trunk.prefix,
        access_id_width=trunk.access_id_width,
        sequence_width=trunk.sequence_width,
        check_digit=trunk.check_digit,
        max_digits=trunk.max_digits,
        numbers=desk.profiles[name].plan.numbers,
        target=trunk.target,
        state=now.state,
        maintenance=now.maintenance,
        calls_in=now.calls_in,
        calls_out=now.calls_out,
        minutes_today=now.minutes_today,
        registered=now.registered,
        why=now.why,
        far_ends=[FarEndOut(**asdict(far)) for far in now.addresses],
    )
