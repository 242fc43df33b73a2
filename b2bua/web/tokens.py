"""Tokens: a tenant's system leaves a row before its call comes, and gets the number to call with (R1-01, R1-02)."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from b2bua.storage.tokens import NewToken, State, Token
from b2bua.web.desk import Desk, TheDesk, TokenUser
from b2bua.web.models import Data, Epoch, Extension, In, Number, Out, Page
from b2bua.web.problems import Problem, invalid, not_found
from b2bua.web.rights import Caller
from routing.correlation import TrunkProfile
from routing.directory import Tenant

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])

MOST = 500
"Tokens of one bulk request; they are read and answered on the loop that carries the calls."


class NewTokenIn(In):
    """What a tenant's system knows of one of its users."""

    caller: Number | None = Field(
        default=None, description="The real caller's number (the effective caller).", examples=["13800138000"]
    )
    extension: Extension | None = Field(default=None, description="The agent he asked for.", examples=["8001"])
    data: Data = Field(default_factory=dict)
    sequence: str | None = Field(
        default=None, pattern=r"^[0-9]{1,14}$", description="The tenant's own number; left out, one is drawn."
    )


class _Whose(In):
    tenant: str | None = Field(default=None, max_length=64, description="Needed unless the key belongs to a tenant.")
    ttl: float | None = Field(default=None, gt=0, description="Seconds; at most the tenant's `token_ttl`, the default.")
    trunk: str | None = Field(
        default=None, max_length=64, description="The trunk the call will take, where the numbers differ by trunk."
    )


class TokenIn(NewTokenIn, _Whose):
    """One token to issue."""


class TokensIn(_Whose):
    """Many tokens to issue at once."""

    tokens: Annotated[list[NewTokenIn], Field(min_length=1, max_length=MOST)]


class Issued(BaseModel):
    """An issued token: dial the access number with `original_called_number` as the original called number."""

    tenant: str = Field(examples=["acme"])
    access_id: str = Field(examples=["7001"])
    sequence: str = Field(examples=["04817263"])
    original_called_number: str = Field(examples=["700104817263"])
    original_called_numbers: dict[str, str] | None = Field(
        default=None, description="By trunk, where the tenant's trunks write it differently."
    )
    expires_at: Epoch


class IssuedMany(BaseModel):
    """The tokens of a bulk request, in its order."""

    tokens: list[Issued]


class TokenOut(Out):
    """A token as it is now; a free one is of no use after `expires_at`."""

    tenant: str
    sequence: str
    state: State
    caller: str | None
    extension: str | None
    data: dict[str, Any]
    issued_at: float
    expires_at: float
    call: str | None
    claimed_at: float | None
    consumed_at: float | None


class TokenPage(Out):
    """Tokens by sequence number."""

    tokens: list[TokenOut]
    next: str | None = Field(description="`after` of the next page; null at the end.")


TenantQuery = Annotated[str | None, Query(max_length=64, description="Needed unless the key belongs to a tenant.")]


@router.post("", status_code=201, response_model=Issued)
async def issue_token(body: TokenIn, desk: TheDesk, caller: TokenUser) -> Response:
    """Issue a token. It is in the table when the answer comes, so the call may follow at once (R1-02)."""
    tenant, plans = _tenant(desk, caller, body)
    issued = await desk.tokens.issue(
        tenant.id, _new(body, plans, ""), width=_width(plans), ttl=_ttl(tenant, body), now=desk.wall()
    )
    return _json(201, _answer(tenant, plans, issued))


@router.post("/bulk", status_code=201, response_model=IssuedMany)
async def issue_tokens(body: TokensIn, desk: TheDesk, caller: TokenUser) -> Response:
    """Issue up to 500 tokens, all or none of them unless a number of the tenant's own is alive already."""
    tenant, plans = _tenant(desk, caller, body)
    news = [_new(new, plans, f"tokens.{at}.") for at, new in enumerate(body.tokens)]
    issued = await desk.tokens.issue_many(tenant.id, news, width=_width(plans), ttl=_ttl(tenant, body), now=desk.wall())
    return _json(201, {"tokens": [_answer(tenant, plans, token) for token in issued]})


@router.get("")
async def list_tokens(
    desk: TheDesk,
    caller: TokenUser,
    tenant: TenantQuery = None,
    state: State | None = None,
    after: Annotated[str | None, Query(max_length=20)] = None,
    limit: Page = 100,
) -> TokenPage:
    """Tokens of a tenant, by sequence number."""
    found = await desk.tokens.page(_whose(caller, tenant), limit=limit, after=after, state=state)
    tokens = [TokenOut.model_validate(token) for token in found]
    return TokenPage(tokens=tokens, next=tokens[-1].sequence if len(tokens) == limit else None)


@router.get("/{sequence}")
async def show_token(sequence: str, desk: TheDesk, caller: TokenUser, tenant: TenantQuery = None) -> TokenOut:
    """One token, whatever its state, until it is purged."""
    found = await desk.tokens.look_up(_whose(caller, tenant), sequence)
    if found is None:
        raise not_found("token", sequence)
    return TokenOut.model_validate(found)


@router.delete("/{sequence}")
async def revoke_token(sequence: str, desk: TheDesk, caller: TokenUser, tenant: TenantQuery = None) -> TokenOut:
    """Withdraw a token that no call has. 409 when a call has it or had it."""
    whose = _whose(caller, tenant)
    revoked = await desk.tokens.revoke(whose, sequence, desk.wall())
    await desk.note(caller, "revoke", "token", f"{whose}/{sequence}")
    return TokenOut.model_validate(revoked)


def _whose(caller: Caller, tenant: str | None) -> str:
    found = caller.scope(tenant)
    if found is None:
        raise invalid([("tenant", "must be named: this key belongs to no tenant")])
    return found


def _tenant(desk: Desk, caller: Caller, body: _Whose) -> tuple[Tenant, dict[str, TrunkProfile]]:
    """The tenant to issue for, and its trunks that this node knows; only the one that was named, if any was."""
    whose = _whose(caller, body.tenant)
    tenant = desk.node.directory().tenants.get(whose)
    if tenant is None:
        raise not_found("tenant", whose)
    if not tenant.enabled:
        raise Problem(409, "disabled", f"tenant {whose} is disabled")
    plans = {name: desk.profiles[name] for name in sorted(tenant.trunks) if name in desk.profiles}
    if body.trunk is not None:
        if body.trunk not in plans:
            raise invalid([("trunk", f"is not one of tenant {whose}'s: {', '.join(plans) or 'it has none'}")])
        plans = {body.trunk: plans[body.trunk]}
    if not plans:
        raise Problem(
            409, "no-trunk", f"tenant {whose} is bound to no trunk of this node, so there is no number to call"
        )
    return tenant, plans


def _new(body: NewTokenIn, plans: dict[str, TrunkProfile], where: str) -> NewToken:
    width = _width(plans)
    if body.sequence is not None and len(body.sequence) != width:
        raise invalid([(f"{where}sequence", f"must have {width} digits")])
    return NewToken(body.caller, body.extension, body.data, body.sequence)


def _width(plans: dict[str, TrunkProfile]) -> int:
    # the trunks of one tenant have one width: another is refused when the tenant is configured
    return next(iter(plans.values())).plan.sequence_width


def _ttl(tenant: Tenant, body: _Whose) -> float:
    if body.ttl is None:
        return tenant.token_ttl
    if body.ttl > tenant.token_ttl:
        raise invalid([("ttl", f"must be at most {tenant.token_ttl:g}, the tenant's token_ttl")])
    return body.ttl


def _answer(tenant: Tenant, plans: dict[str, TrunkProfile], token: Token) -> dict[str, Any]:
    numbers = {name: profile.plan.compose(tenant.access_id, token.sequence) for name, profile in plans.items()}
    first = next(iter(numbers.values()))
    answer = {
        "tenant": tenant.id,
        "access_id": tenant.access_id,
        "sequence": token.sequence,
        "original_called_number": first,
        "expires_at": token.expires_at,
    }
    if any(number != first for number in numbers.values()):
        answer["original_called_numbers"] = numbers
    return answer


def _json(status: int, content: Any) -> Response:
    return Response(json.dumps(content).encode(), status, media_type="application/json")
