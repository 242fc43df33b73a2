"""The plan over HTTP: for each kind (queues, VDNs, menus ...) the same end points, and all of it at once.

A kind of tenants is also seen by a tenant's own key: what belongs to that tenant, nothing else.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Response
from pydantic import Field, TypeAdapter, ValidationError

from b2bua.jsontext import encode
from b2bua.storage import Conflict
from b2bua.storage.plan_values import BadValue, SecretNeeded, adapter, plain, read, with_kept_secrets
from b2bua.web.agents import AgentIn, agent_of
from b2bua.web.desk import Configurer, Desk, TheDesk, may
from b2bua.web.models import Out, merge
from b2bua.web.problems import Problem, invalid, not_found, of_validation
from b2bua.web.rights import Caller, Right
from routing.directory import Agent
from routing.plan import KINDS, Kind

REF = "#/components/schemas/{model}"

OfTenant = Annotated[str | None, Query(description="Only what belongs to this tenant.")]


def describe(document: dict[str, Any]) -> None:
    """Put the kinds as JSON schemas into the OpenAPI document, whose operations refer to them."""
    inputs = [(kind.word, "validation", adapter(kind)) for kind in KINDS.values()]
    _, made = TypeAdapter.json_schemas(inputs, ref_template=REF)  # type: ignore[arg-type]
    document["components"]["schemas"].update(made.get("$defs", {}))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if "$ref" in schema or path == router.prefix:
                # the framework puts beside it what it knows of the body: some object
                for known in ("additionalProperties", "title", "type"):
                    schema.pop(known, None)


def router_of(kind: Kind) -> APIRouter:
    """The end points of one kind."""
    router = APIRouter(prefix=f"/v1/{kind.word}", tags=[kind.word.replace("-", " ")])
    sees = Depends(may(Right.SEE_TENANT if kind.of_tenants else Right.SEE_ALL))
    one, many = kind.one.replace("-", "_"), kind.field
    value = {"$ref": REF.format(model=kind.type.__name__)}
    answer = {"content": {"application/json": {"schema": value}}}
    lists = {"type": "object", "properties": {many: {"type": "array", "items": value}}, "required": [many]}
    asks = {"requestBody": {"required": True, "content": {"application/json": {"schema": value}}}}

    def called(text: str) -> Callable[[Any], Any]:
        def named(function: Any) -> Any:
            function.__doc__ = text
            return function

        return named

    words = kind.word.replace("-", " ")

    @router.get(
        "",
        name=f"list_{many}",
        response_model=None,
        responses={200: {"content": {"application/json": {"schema": lists}}}},
    )
    @called(f"All {words}, by key.")
    async def list_all(desk: TheDesk, caller: Annotated[Caller, sees], tenant: OfTenant = None) -> Response:
        return await _shown({many: await desk.plans.list(kind)}, caller.scope(tenant))

    @router.post(
        "", name=f"create_{one}", status_code=201, response_model=None, responses={201: answer}, openapi_extra=asks
    )
    @called("Add one. 409 lists everything that speaks against it.")
    async def create(
        body: Annotated[dict[str, Any], Body()], desk: TheDesk, caller: Configurer, response: Response
    ) -> Any:
        made = _value(kind, body, None)
        async with desk.changing:
            await desk.plans.create(made, by=caller.by, now=desk.wall())
            await desk.changed()
        response.headers["Location"] = f"/v1/{kind.word}/{kind.key(made)}"
        return plain(made)

    @router.get("/{key}", name=f"show_{one}", response_model=None, responses={200: answer})
    @called("One of them; secrets are shown as `***`.")
    async def show(key: str, desk: TheDesk, caller: Annotated[Caller, sees]) -> Any:
        found = await desk.plans.get(kind, key)
        if not caller.reaches(_tenant(found)):
            raise not_found(kind.one, key)
        return plain(found)

    @router.put("/{key}", name=f"put_{one}", response_model=None, responses={200: answer}, openapi_extra=asks)
    @called("Create it, or replace all of it; a secret that is left out stays. 409 lists every mistake.")
    async def put(key: str, body: Annotated[dict[str, Any], Body()], desk: TheDesk, caller: Configurer) -> Any:
        if body.setdefault(kind.key_field, key) != key:
            raise invalid([(kind.key_field, f"must be {key}, as in the path: a key cannot be changed")])
        async with desk.changing:
            # Else a secret that is left out could be one that another node has just replaced.
            await desk.node.reload_directory()
            made = _value(kind, body, desk.node.plan().of_kind(kind.word).get(key))
            await desk.plans.put_all([made], by=caller.by, now=desk.wall())
            await desk.changed()
        return plain(made)

    @router.patch("/{key}", name=f"change_{one}", response_model=None, responses={200: answer}, openapi_extra=asks)
    @called("Change what is named (JSON merge patch, RFC 7396); lists are replaced whole.")
    async def change(key: str, body: Annotated[dict[str, Any], Body()], desk: TheDesk, caller: Configurer) -> Any:
        async with desk.changing:
            old = await desk.plans.get(kind, key)
            made = _value(kind, merge(plain(old), body), old)
            if kind.key(made) != key:
                raise invalid([(kind.key_field, "a key cannot be changed")])
            await desk.plans.replace(made, by=caller.by, now=desk.wall())
            await desk.changed()
        return plain(made)

    @router.delete("/{key}", name=f"delete_{one}", status_code=204)
    @called("Remove it. 409 while anything names it.")
    async def delete(key: str, desk: TheDesk, caller: Configurer) -> None:
        async with desk.changing:
            await desk.plans.delete(kind, key, by=caller.by, now=desk.wall())
            await desk.changed()

    return router


routers = [router_of(kind) for kind in KINDS.values()]

router = APIRouter(prefix="/v1/plan", tags=["plan"])


class DoneOut(Out):
    """What a change of many values came to."""

    created: int
    replaced: int
    unchanged: int = Field(description="Were there like that already.")
    removed: list[str] = Field(description="What `whole` has removed, or would: `queue night`.")


Rehearse = Annotated[bool, Query(description="Only say what would come of it; nothing is changed.")]
Whole = Annotated[bool, Query(description="The lists are all there shall be of their kinds: the rest is removed.")]
OnlyOf = Annotated[str | None, Query(description="With `whole`: remove nothing but what belongs to this tenant.")]

ALL = {
    "properties": {
        kind.word: {"type": "array", "items": {"$ref": REF.format(model=kind.type.__name__)}} for kind in KINDS.values()
    },
}


@router.get(
    "", name="show_plan", response_model=None, responses={200: {"content": {"application/json": {"schema": ALL}}}}
)
async def show_plan(
    desk: TheDesk, caller: Annotated[Caller, Depends(may(Right.SEE_TENANT))], tenant: OfTenant = None
) -> Response:
    """Everything, by kind; with a tenant, or a tenant's key, what belongs to it."""
    whose = caller.scope(tenant)
    return await _shown({kind.word: await desk.plans.list(kind) for kind in KINDS.values()}, whose)


_AGENT = TypeAdapter(AgentIn)


@router.post(
    "",
    name="import_plan",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": ALL}}}},
)
async def import_plan(
    body: Annotated[dict[str, Any], Body()],
    desk: TheDesk,
    caller: Configurer,
    rehearse: Rehearse = False,
    whole: Whole = False,
    tenant: OnlyOf = None,
) -> DoneOut:
    """Create or replace many values together, or none: lists by kind, and `agents`. All mistakes come at once."""
    async with desk.changing:
        await desk.node.reload_directory()
        wrong, values, agents = await asyncio.to_thread(_all, desk, body)
        try:
            done = await desk.plans.put_all(
                values,
                agents,
                by=caller.by,
                now=desk.wall(),
                rehearse=rehearse or bool(wrong),
                whole=KINDS.keys() & body.keys() if whole and not wrong else frozenset(),
                tenant=tenant,
            )
        except Conflict as conflict:
            if not wrong:
                raise
            # what only misses something that could not be read is no mistake of its own
            unread = {one.get("entity", "").partition(" ")[2] for one in wrong}
            found = [one for one in conflict.problems if one.message.rpartition(" ")[2] not in unread]
            wrong += [{"field": one.field, "message": one.message, "entity": one.entity} for one in found]
        if wrong:
            told = "; ".join(f"{one['field']}: {one['message']}" for one in wrong[:5])
            raise Problem(422, "invalid", told, errors=wrong)
        if not rehearse:
            await desk.changed()
    return DoneOut.model_validate(done)


def _all(desk: Desk, body: Mapping[str, Any]) -> tuple[list[Mapping[str, str]], list[Any], list[Agent]]:
    """The mistakes of a whole import, each with its place, and the values that can be read."""
    wrong: list[Mapping[str, str]] = []
    values: list[Any] = []
    agents: list[Agent] = []
    for word, items in body.items():
        kind = KINDS.get(word)
        if (kind is None and word != "agents") or not isinstance(items, list):
            known = ", ".join(["agents", *KINDS])
            wrong.append({"field": word, "message": f"must be a list under one of: {known}"})
            continue
        for at, item in enumerate(items):
            try:
                if not isinstance(item, dict):
                    raise invalid([("", "must be an object")])
                if kind is None:
                    agents.append(_agent(desk, item))
                else:
                    old = desk.node.plan().of_kind(word).get(str(item.get(kind.key_field)))
                    values.append(_value(kind, item, old))
            except Problem as problem:
                place = f"{word}.{at}"
                entity = _entity(kind, item)
                wrong += [
                    {**one, "field": f"{place}.{one['field']}".rstrip("."), "entity": entity} for one in problem.errors
                ]
    return wrong, values, agents


def _entity(kind: Kind | None, item: Any) -> str:
    """What an item that cannot be read is called, as far as it says."""
    key = item.get(kind.key_field if kind else "extension", "?") if isinstance(item, dict) else "?"
    return f"{kind.one if kind else 'agent'} {key}"


def _agent(desk: Desk, item: Mapping[str, Any]) -> Agent:
    try:
        body = _AGENT.validate_python(item)
    except ValidationError as error:
        raise of_validation(error.errors()) from None
    return agent_of(desk, body.extension, body)


def _value(kind: Kind, data: Mapping[str, Any], old: Any) -> Any:
    """The value these fields make; secrets that are left out come from `old`. Raises Problem 422."""
    try:
        return read(kind, with_kept_secrets(data, kind.type, old))
    except BadValue as error:
        raise of_validation(error.errors) from None
    except SecretNeeded as error:
        raise invalid([(error.field, str(error))]) from None


async def _shown(values: Mapping[str, Sequence[Any]], whose: str | None) -> Response:
    """Values by kind, those of one tenant (None: all). There may be thousands, and the loop carries the calls."""

    def text() -> str:
        return encode(
            {
                word: [plain(one) for one in some if whose is None or _tenant(one) == whose]
                for word, some in values.items()
            }
        )

    return Response(await asyncio.to_thread(text), media_type="application/json")


def _tenant(value: Any) -> str | None:
    found: str | None = getattr(value, "tenant", None)
    return found
