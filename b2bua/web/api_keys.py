"""API keys: made and revoked by administrators; the secret is in one answer and nowhere else."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from b2bua.storage.api_keys import ApiKey, Role
from b2bua.web.desk import KeyKeeper, TheDesk
from b2bua.web.models import Epoch, Extension, In, Label, Out, Slug
from b2bua.web.problems import Problem, invalid
from b2bua.web.rights import MAY_BE_SCOPED

router = APIRouter(prefix="/v1/api-keys", tags=["API keys"])


class KeyIn(In):
    """A new key."""

    name: Label = Field(description="What it is for.", examples=["voice platform of acme"])
    role: Role
    tenant: Slug | None = Field(
        default=None, description="The only tenant it reaches: needed for `tenant`, allowed for `listener`."
    )
    extension: Extension | None = Field(
        default=None, description="The agent whose key it is: needed for `agent`, for nothing else."
    )
    expires_at: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Epoch seconds; null: never.")


class KeyOut(Out):
    """A key without its secret."""

    id: str
    name: str
    role: Role
    tenant: str | None
    extension: str | None
    created_at: Epoch
    expires_at: float | None
    last_used: float | None = Field(description="Exact to the minute.")
    revoked_at: float | None


class KeyMade(KeyOut):
    """A new key with its secret, which is shown this once."""

    secret: str = Field(examples=["tdm_..."])


class KeyList(Out):
    """All keys, oldest first, revoked ones too."""

    api_keys: list[KeyOut]


@router.get("")
async def list_keys(desk: TheDesk, caller: KeyKeeper) -> KeyList:
    """All keys."""
    return KeyList(api_keys=[KeyOut.model_validate(key) for key in await desk.keys.list()])


@router.post("", status_code=201)
async def make_key(body: KeyIn, desk: TheDesk, caller: KeyKeeper, response: Response) -> KeyMade:
    """Make a key. Only a hash of the secret is kept."""
    now = desk.wall()
    mistakes = []
    if body.role is Role.TENANT and body.tenant is None:
        mistakes.append(("tenant", "is needed for the role tenant"))
    if (body.role is Role.AGENT) != (body.extension is not None):
        mistakes.append(("extension", "is needed for the role agent, and for it alone"))
    if body.tenant is not None and body.role not in MAY_BE_SCOPED:
        mistakes.append(("tenant", f"a key with the role {body.role} reaches all tenants"))
    if body.expires_at is not None and body.expires_at <= now:
        mistakes.append(("expires_at", "is in the past"))
    if mistakes:
        raise invalid(mistakes)
    secret, key = await desk.keys.create(
        body.name,
        body.role,
        by=caller.by,
        now=now,
        tenant=body.tenant,
        expires_at=body.expires_at,
        extension=body.extension,
    )
    response.headers["Location"] = f"/v1/api-keys/{key.id}"
    return KeyMade(secret=secret, **KeyOut.model_validate(key).model_dump())


@router.delete("/{id}")
async def revoke_key(id: str, desk: TheDesk, caller: KeyKeeper) -> KeyOut:
    """End a key at once. 409 for the last administrator's, else nobody could make another through the API."""
    now = desk.wall()
    async with desk.changing:
        if _is_last_admin(await desk.keys.list(), id, now):
            raise Problem(409, "last-admin", "this is the last valid key with the role admin: make another one first")
        revoked = await desk.keys.revoke(id, by=caller.by, now=now)
    desk.keyring.forget(id)
    return KeyOut.model_validate(revoked)


def _is_last_admin(keys: list[ApiKey], id: str, now: float) -> bool:
    return [key.id for key in keys if key.role is Role.ADMIN and key.is_valid(now)] == [id]
