"""The API as an ASGI application: end points, their errors, the door in front of them, and its OpenAPI document."""

import asyncio
import json
from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import Response

from b2bua.web import (
    acd,
    agents,
    answers,
    api_keys,
    audit,
    bans,
    batches,
    board,
    calls,
    campaigns,
    cdrs,
    consulting,
    contacts,
    dialling,
    do_not_call,
    evidence,
    feed,
    health,
    messages,
    monitor,
    numbers,
    operation,
    pages,
    parking,
    plan,
    problems,
    queues,
    recordings,
    registrations,
    reports,
    routes,
    screen,
    tenants,
    tokens,
    trace,
    transfers,
    trunks,
)
from b2bua.web.board import Boards
from b2bua.web.desk import Desk
from b2bua.web.door import Door
from b2bua.web.limits import Limits
from b2bua.web.ports import Node
from b2bua.web.problems import MEDIA_TYPE, ProblemOut
from b2bua.web.screens import Screens

ABOUT = """Every request but the health checks carries an API key: `Authorization: Bearer tdm_...`.

Roles: `admin` everything; `operator` calls, records, tokens, campaigns, and sees the configuration; `tenant` its own
tokens, calls, records, events and campaigns; `agent` his own state and call; `listener` events; `metrics` the metrics.
Errors are problem details (RFC 9457) with all mistakes at once. Times are seconds since 1970-01-01 UTC. Trunks belong
to the configuration file and are only shown; `POST /v1/reload` reads it again.
"""

PROBLEMS = {
    401: "No key, or one that is not valid.",
    403: "The key's role may not do this, or it belongs to another tenant.",
    404: "There is no such thing.",
    409: "It contradicts what is there; all reasons are listed.",
    413: "The body is too large.",
    422: "The request has mistakes; all are listed.",
    429: "Too many requests with this key; Retry-After says when to come back.",
    503: "The database does not answer; Retry-After says when to come back.",
}

PARTS = (
    tokens,
    calls,
    answers,
    trace,
    operation,
    cdrs,
    recordings,
    messages,
    tenants,
    numbers,
    acd,
    agents,
    registrations,
    routes,
    transfers,
    parking,
    monitor,
    consulting,
    campaigns,
    batches,
    contacts,
    dialling,
    do_not_call,
    evidence,
    trunks,
    api_keys,
    audit,
    queues,
    reports,
    bans,
    board,
    screen,
    feed,
    health,
    pages,
)
"The framework tries them in this order, and tokens are what is asked for most."
WITHOUT_PROBLEMS = (feed, health, pages)
"Parts whose answers are not those of the API."


def make_app(node: Node, limits: Limits | None = None) -> FastAPI:
    """The application over this node. Its state lives as long as it does; nothing in it runs by itself."""
    app = FastAPI(
        title="Tandem",
        description=ABOUT,
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.router.redirect_slashes = False  # a POST that is redirected loses its body
    app.state.desk = desk = Desk(node, limits or Limits())
    for router in (*(part.router for part in PARTS), plan.router, *plan.routers):
        # The routes themselves: of an included router the framework makes each a second time, a quarter of a second of
        # work in the first request that comes past it, on the thread that carries the calls.
        app.router.routes.extend(router.routes)
    methods: dict[str, set[str]] = defaultdict(set)
    for route in app.router.routes:
        if isinstance(route, APIRoute):
            methods[route.path].update(route.methods or ())
    app.state.methods = methods
    app.state.boards, app.state.screens = Boards(desk), Screens(node.events)
    app.add_middleware(Door, desk=desk)
    problems.install(app)

    document: list[bytes] = []

    @app.get("/v1/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        if not document:
            # a tenth of a second of work, and the calls are carried on this thread
            document.append(await asyncio.to_thread(lambda: json.dumps(_schema(app)).encode()))
        return Response(document[0], media_type="application/json")

    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: operations by the names of their functions, each with the problems it may answer with."""
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    plan.describe(made)
    campaigns.describe(made)
    schemas = made["components"]["schemas"]
    schemas["ProblemOut"] = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["ProblemOut"].pop("$defs")
    del schemas["HTTPValidationError"], schemas["ValidationError"]
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    told = {str(status): {"description": text, "content": problem} for status, text in PROBLEMS.items()}
    without = {id(route) for part in WITHOUT_PROBLEMS for route in part.router.routes}
    for route in app.routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            described = made["paths"][route.path_format][method.lower()]
            described["operationId"] = route.name
            if id(route) not in without:
                described["responses"].pop("422", None)  # the framework's own form of mistakes, which nobody gets here
                described["responses"] = {**described["responses"], **told}
            for status, response in described["responses"].items():
                if status >= "400" and "application/json" in response.get("content", {}):
                    response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
    return made
