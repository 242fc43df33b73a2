"""Trunks belong to the configuration file: the API shows them, and names the file to whoever would change them."""

from fastapi import APIRouter
from pydantic import Field

from b2bua.settings import Trunk
from b2bua.web.desk import Configurer, Desk, SeesAll, TheDesk
from b2bua.web.models import Out
from b2bua.web.problems import Problem, not_found
from routing.correlation import TrunkProfile

router = APIRouter(prefix="/v1/trunks", tags=["trunks"])


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


class TrunkList(Out):
    """All trunks, by name."""

    trunks: list[TrunkOut]


@router.get("")
async def list_trunks(desk: TheDesk, caller: SeesAll) -> TrunkList:
    """All trunks."""
    found = sorted(desk.settings.trunks.items())
    return TrunkList(trunks=[_shown(name, trunk, desk.profiles[name]) for name, trunk in found])


@router.get("/{name}")
async def show_trunk(name: str, desk: TheDesk, caller: SeesAll) -> TrunkOut:
    """One trunk."""
    trunk = desk.settings.trunks.get(name)
    if trunk is None:
        raise not_found("trunk", name)
    return _shown(name, trunk, desk.profiles[name])


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
    return Problem(409, "owned-by-file", f"trunks belong to {where}: change them there and restart")


def _shown(name: str, trunk: Trunk, profile: TrunkProfile) -> TrunkOut:
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
        numbers=profile.plan.numbers,
    )
