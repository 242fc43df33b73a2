"""Routes: named destinations for calls that no token directs (R1-05)."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter

from b2bua.web.desk import Configurer, Desk, SeesAll, TheDesk
from b2bua.web.models import Extension, In, Out, Slug, merged
from routing.directory import Route

router = APIRouter(prefix="/v1/routes", tags=["routes"])


class RouteFields(In):
    """A route without its name."""

    extension: Extension = Field(description="The agent it leads to.", examples=["8001"])


class RouteIn(RouteFields):
    """A new route."""

    name: Slug = Field(examples=["reception"])


class RouteOut(Out):
    """A route as it is kept."""

    name: str
    extension: str


class RouteList(Out):
    """All routes, by name."""

    routes: list[RouteOut]


_FIELDS = TypeAdapter(RouteFields)


@router.get("")
async def list_routes(desk: TheDesk, caller: SeesAll) -> RouteList:
    """All routes."""
    return RouteList(routes=[RouteOut.model_validate(route) for route in await desk.routes.list()])


@router.post("", status_code=201)
async def create_route(body: RouteIn, desk: TheDesk, caller: Configurer, response: Response) -> RouteOut:
    """Add a route."""
    route = Route(body.name, body.extension)
    async with desk.changing:
        await desk.routes.create(route, by=caller.by, now=desk.wall())
        await desk.changed()
    response.headers["Location"] = f"/v1/routes/{route.name}"
    return RouteOut.model_validate(route)


@router.get("/{name}")
async def show_route(name: str, desk: TheDesk, caller: SeesAll) -> RouteOut:
    """One route."""
    return RouteOut.model_validate(await desk.routes.get(name))


@router.put("/{name}")
async def replace_route(name: str, body: RouteFields, desk: TheDesk, caller: Configurer) -> RouteOut:
    """Let it lead elsewhere."""
    async with desk.changing:
        return await _replace(desk, Route(name, body.extension), caller.by)


@router.patch("/{name}")
async def change_route(name: str, body: dict[str, Any], desk: TheDesk, caller: Configurer) -> RouteOut:
    """Change what is named (JSON merge patch, RFC 7396)."""
    async with desk.changing:
        before = await desk.routes.get(name)
        fields = merged(_FIELDS, {"extension": before.extension}, body)
        return await _replace(desk, Route(name, fields.extension), caller.by)


@router.delete("/{name}", status_code=204)
async def delete_route(name: str, desk: TheDesk, caller: Configurer) -> None:
    """Remove it. 409 while an access number or the configuration names it."""
    async with desk.changing:
        await desk.routes.delete(name, by=caller.by, now=desk.wall())
        await desk.changed()


async def _replace(desk: Desk, route: Route, by: str) -> RouteOut:
    await desk.routes.replace(route, by=by, now=desk.wall())
    await desk.changed()
    return RouteOut.model_validate(route)
