"""For machines that watch us: is the process alive, may it get calls, what does it count.

/healthz and /readyz need no key and say nothing about what is inside. /metrics needs none from this machine itself,
else a key with the role metrics, operator or admin; a request that a proxy passed on is never taken for a local one.
"""

from ipaddress import ip_address

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from b2bua.metrics import CONTENT_TYPE
from b2bua.storage import StorageUnavailable
from b2bua.web.desk import Desk, TheDesk, address_of
from b2bua.web.rights import Right

router = APIRouter(tags=["health"])

STORAGE_WITHIN = 1.0
"Seconds the database has to answer before it counts as away."
FORWARDED = ("forwarded", "x-forwarded-for", "via")


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives and its event loop turns."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Not now."}})
async def readyz(desk: TheDesk) -> Response:
    """Whether this node should get calls: each part, `ok` or `failed`. A database that is away does not stop calls."""
    parts = {name: "ok" if check() is None else "failed" for name, check in desk.node.checks.items()}
    ready = "failed" not in parts.values()
    parts["storage"] = await _storage(desk)
    return JSONResponse({"ready": ready, "checks": parts}, 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, desk: TheDesk) -> Response:
    """Everything counted and measured, in Prometheus' text format."""
    authorization = request.headers.get("authorization")
    if authorization is not None or not is_local(request):
        caller = await desk.keyring.caller(authorization, address_of(request))
        caller.must(Right.METRICS)
    return Response(desk.node.metrics.text(), media_type=CONTENT_TYPE)


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine and from nobody behind it."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ip_address(address_of(request))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


async def _storage(desk: Desk) -> str:
    try:
        await desk.node.storage.read(_look, timeout=STORAGE_WITHIN)
    except StorageUnavailable:
        return "away"
    return "ok"


def _look(conn: sa.Connection) -> None:
    conn.execute(sa.select(1)).scalar_one()
