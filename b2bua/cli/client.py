"""Speaks with a running server over its HTTP API; every problem becomes one plain message and exit status 1."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import httpx
import typer

from b2bua.cli.output import fail
from b2bua.settings import Api, SettingsError, find, load

Explain = Callable[[httpx.Response], list[str]]

TIMEOUT = 15.0
"Seconds for one request."
LONGEST = 75.0
"Seconds for one that makes the server look at everything it has, for which it takes a minute at most."

Url = Annotated[
    str, typer.Option("--url", envvar="TANDEM_URL", help="Server's API; without it, that of the local configuration.")
]
Json = Annotated[bool, typer.Option("--json", help="Print what the server answered, as JSON.")]


def token() -> str:
    """The API key to show; asked from the environment only, because arguments are seen in the list of processes."""
    found = os.environ.get("TANDEM_API_TOKEN", "").strip()
    if not found:
        fail(
            "TANDEM_API_TOKEN is not set: this command needs an API key.",
            'Make one on the server with: export TANDEM_API_TOKEN="$(tandem api-key create NAME)"',
        )
    return found


def local_url() -> str:
    """Where the API of this machine's configuration listens; one with mistakes elsewhere still says where."""
    file = find(None)
    try:
        api = load(file).api
    except SettingsError:
        api = _as_written(file)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(api.address, api.address)
    scheme = "https" if api.tls_certificate else "http"
    return f"{scheme}://[{host}]:{api.port}" if ":" in host else f"{scheme}://{host}:{api.port}"


def _as_written(file: Path | None) -> Api:
    """The table of the API alone, the embedded one where that cannot be read either."""
    try:
        return Api.model_validate(tomllib.loads(file.read_text(encoding="utf-8")).get("api", {}) if file else {})
    except (OSError, ValueError):  # no file, no TOML, or mistakes in this very table
        return Api()


class Client:
    """One server; each method is one request and returns the parsed answer."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: Any, *, within: float = TIMEOUT) -> Any:
        return self.ask("POST", path, body=body, within=within)

    def put(self, path: str, body: Any) -> Any:
        return self.ask("PUT", path, body=body)

    def patch(self, path: str, body: Any) -> Any:
        return self.ask("PATCH", path, body=body)

    def delete(self, path: str) -> Any:
        return self.ask("DELETE", path)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        explain: Explain | None = None,
        within: float = TIMEOUT,
    ) -> Any:
        """The answer as JSON (None when it is empty); query values that are None are left out.

        `explain`: makes lines of a refusal where `problem` knows too little.
        """
        answer = self._request(method, path, query, body, explain or problem, within=within)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            fail(f"{self._http.base_url} does not speak our API: its answer to {method} {path} is no JSON")

    def upload(self, path: str, file: BinaryIO, media_type: str, **query: Any) -> Any:
        """Send a file as it is read; the answer as JSON."""
        answer = self._request("PUT", path, query, None, problem, content=file, media_type=media_type)
        return answer.json()

    def save(self, path: str, to: BinaryIO, **query: Any) -> None:
        """Write the answer as it comes, however long it is."""
        params = {key: value for key, value in query.items() if value is not None}
        try:
            with self._http.stream("GET", path, params=params) as answer:
                if answer.is_error:
                    answer.read()
                    fail(*problem(answer))
                for piece in answer.iter_bytes():
                    to.write(piece)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            fail(f"cannot speak with {self._http.base_url}: {error}")

    def text(self, path: str, **query: Any) -> str:
        """The answer as text."""
        return self._request("GET", path, query, None, problem).text

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        explain: Explain,
        *,
        content: BinaryIO | None = None,
        media_type: str = "",
        within: float = TIMEOUT,
    ) -> httpx.Response:
        params = {key: value for key, value in (query or {}).items() if value is not None}
        headers = {"Content-Type": media_type} if media_type else None
        try:
            answer = self._http.request(
                method, path, params=params, json=body, content=content, headers=headers, timeout=within
            )
        except httpx.ConnectError:
            fail(
                f'no server answers at {self._http.base_url}: start it ("tandem serve"), or say where it is with --url'
            )
        except httpx.TimeoutException:
            fail(f"the server at {self._http.base_url} did not answer within {within:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            fail(f"cannot speak with {self._http.base_url}: {error}")
        if answer.is_error:
            fail(*explain(answer))
        return answer


def problem(answer: httpx.Response) -> list[str]:
    """A refusal as lines: what the server says (RFC 9457), and what to do where we know."""
    try:
        told = answer.json()
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    errors = [one for one in told.get("errors", []) if isinstance(one, dict)]
    lines = [": ".join(filter(None, (one.get("field"), one.get("message")))) for one in errors]
    if not lines:
        lines = [str(told.get("detail") or f"the server answered {answer.status_code} {answer.reason_phrase}")]
    if answer.status_code == 401:
        lines.append("The API key in TANDEM_API_TOKEN is not valid on this server.")
    return lines


@contextmanager
def server(url: str) -> Iterator[Client]:
    """The server at `url` ("": the local one), with the API key of the environment."""
    key = token()
    try:
        with httpx.Client(
            base_url=url or local_url(), headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT
        ) as http:
            yield Client(http)
    except httpx.InvalidURL as error:
        fail(f'"{url}" is no URL: {error}')
