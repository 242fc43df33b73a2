"""Addresses that are banned at the gate: list, add, lift."""

from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from b2bua.sip.bans import Bans, CannotBan
from b2bua.web.desk import Desk, Operator, SeesAll, TheDesk
from b2bua.web.models import Epoch, In, Out
from b2bua.web.problems import Problem, invalid, not_found

router = APIRouter(prefix="/v1/bans", tags=["bans"])

Address = Annotated[str, Path(max_length=64, description="An IPv4 or IPv6 address.")]


class BanIn(In):
    """A ban by hand."""

    address: str = Field(max_length=64, description="An IPv4 or IPv6 address.", examples=["192.0.2.66"])
    reason: str = Field(
        default="by hand", min_length=1, max_length=40, pattern=r"^[\x20-\x7e]+$", description="For the list."
    )
    seconds: float = Field(default=3600, gt=0, le=31_536_000, description="How long it lasts.")


class BanOut(Out):
    """An address that gets no answer for a while."""

    address: str
    reason: str = Field(
        description="`flood`, `malformed`, `scanner`, `connections`, `password` ..., or as somebody wrote it."
    )
    since: Epoch
    left: float = Field(description="Seconds until it ends by itself.")
    dropped: int = Field(description="Requests dropped by the gate itself; the kernel drops most before it.")
    automatic: bool = Field(description="The gate's own decision.")


class BanList(Out):
    """All bans, the latest first."""

    bans: list[BanOut]


@router.get("")
async def list_bans(desk: TheDesk, caller: SeesAll) -> BanList:
    """Who is banned on this node, why, and how long yet."""
    return BanList(bans=[BanOut.model_validate(ban) for ban in bans_of(desk).bans()])


@router.post("", status_code=201)
async def add_ban(body: BanIn, desk: TheDesk, caller: Operator) -> BanOut:
    """Ban an address on this node, until it ends, is lifted, or the node restarts. 409 for one of a trunk or office."""
    bans = bans_of(desk)
    try:
        bans.ban(body.address, body.reason, body.seconds, caller.by)
    except CannotBan as error:
        raise Problem(409, "conflict", str(error)) from None
    except ValueError:
        raise invalid([("address", "is no IP address")]) from None
    await desk.note(caller, "create", "ban", body.address, body.model_dump())
    made = str(ip_address(body.address))
    return next(BanOut.model_validate(ban) for ban in bans.bans() if ban.address == made)


@router.delete("/{address}", status_code=204)
async def lift_ban(address: Address, desk: TheDesk, caller: Operator) -> None:
    """Lift it at once."""
    try:
        lifted = bans_of(desk).lift(address, caller.by)
    except ValueError:
        raise invalid([("address", "is no IP address")]) from None
    if not lifted:
        raise not_found("ban of", address)
    await desk.note(caller, "delete", "ban", address)


def bans_of(desk: Desk) -> Bans:
    """The gate's. Problem 404 where this node has none."""
    if desk.node.bans is None:
        raise not_found("gate with", "bans")
    return desk.node.bans
