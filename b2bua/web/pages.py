"""The pages: static files, read once, served under a policy that lets nothing but themselves into the browser.

They need no key: what they show comes from the API with the key that is typed in.
"""

from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

FOLDER = Path(__file__).parent / "static"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

router = APIRouter(include_in_schema=False)


def _path(file: Path) -> str:
    return f"/{file.stem}" if file.suffix == ".html" else f"/static/{file.name}"


FILES: dict[str, tuple[bytes, str, str]] = {
    _path(file): (body, TYPES[file.suffix], f'"{sha256(body).hexdigest()[:16]}"')
    for file in sorted(FOLDER.iterdir())
    if file.suffix in TYPES
    for body in [file.read_bytes()]
}
"Path -> content, type, entity tag.  Nothing else is served, so no path leads out of the folder."

PATHS = frozenset({"/", *FILES})


@router.get("/")
async def start_page() -> Response:
    """The agent's page is the one most people want."""
    return RedirectResponse("/agent", 307)


async def page(request: Request) -> Response:
    """One file; 304 where the browser has it."""
    body, kind, tag = FILES[request.url.path]
    headers = HEADERS | {"ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


for _file in FILES:
    router.add_api_route(_file, page, methods=["GET"], name=_file)
