"""`tandem api-key`: keys of the API, made in the database itself, because the first one cannot come through the API."""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from b2bua.cli.client import Json
from b2bua.cli.config import Config, settings_or_exit
from b2bua.cli.database import prepare
from b2bua.cli.output import as_json, fail, say, table
from b2bua.settings import Settings

if TYPE_CHECKING:
    from b2bua.storage.api_keys import ApiKey, ApiKeys

T = TypeVar("T")

app = typer.Typer(help="Keys of the HTTP API, directly in the database.", no_args_is_help=True)


class RoleName(StrEnum):
    """What a key may do; the same words as in the database."""

    ADMIN = "admin"
    OPERATOR = "operator"
    TENANT = "tenant"
    AGENT = "agent"
    LISTENER = "listener"
    METRICS = "metrics"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for, in your own words.")],
    role: Annotated[
        RoleName,
        typer.Option(
            help="admin: everything; operator: all tenants' calls, campaigns and records; tenant: one tenant's own; "
            "agent: his own state and call; listener: events; metrics: /metrics."
        ),
    ] = RoleName.ADMIN,
    tenant: Annotated[str | None, typer.Option(help="The only tenant it reaches (role tenant).")] = None,
    extension: Annotated[str | None, typer.Option(help="The agent whose key it is (role agent).")] = None,
    days: Annotated[float | None, typer.Option(min=0.001, help="Days until it expires; without it, never.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Make a key and print it. It is shown this once: only a hash of it is kept."""

    async def work(keys: "ApiKeys") -> tuple[str, "ApiKey"]:
        from b2bua.storage.api_keys import Role

        now = time.time()
        expires = None if days is None else now + days * 86400
        return await keys.create(
            name, Role(role.value), by=_me(), now=now, tenant=tenant, expires_at=expires, extension=extension
        )

    secret, key = _in_database(settings_or_exit(config), work)
    if json:
        as_json({"secret": secret, **_row(key)})
        return
    say(f"key {key.id} with the role {key.role.value}; this is the only time it is shown:")
    typer.echo(secret)


@app.command("list")
def list_(config: Config = None, json: Json = False) -> None:
    """All keys, revoked ones too."""

    async def work(keys: "ApiKeys") -> "list[ApiKey]":
        return await keys.list()

    rows = [_row(key) for key in _in_database(settings_or_exit(config), work)]
    columns = (
        "id",
        "name",
        "role",
        "tenant",
        "extension",
        "created_at=created",
        "expires_at=expires",
        "last_used_at=last used",
        "state",
    )
    if json:
        as_json(rows)
    else:
        table(rows, columns, "no keys yet: tandem api-key create NAME")


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The key's id, from `tandem api-key list`.")], config: Config = None
) -> None:
    """End a key. A running server notices within seconds."""

    async def work(keys: "ApiKeys") -> "ApiKey":
        return await keys.revoke(id, by=_me(), now=time.time())

    key = _in_database(settings_or_exit(config), work)
    typer.echo(f"key {key.id} ({key.name}) is revoked")


def _in_database(settings: Settings, work: "Callable[[ApiKeys], Awaitable[T]]") -> T:
    from b2bua.storage import SchemaOutdated, Storage, StorageError
    from b2bua.storage.api_keys import ApiKeys

    async def run(url: str) -> T:
        storage = await Storage.open(url, pool=1)
        try:
            return await work(ApiKeys(storage))
        finally:
            await storage.close()

    try:
        return asyncio.run(run(prepare(settings)))
    except SchemaOutdated as error:
        fail(f"{error}: run tandem db upgrade")
    except (StorageError, ValueError) as error:
        fail(str(error))


def _row(key: "ApiKey") -> dict[str, Any]:
    now = time.time()
    state = "revoked" if key.revoked_at is not None else "valid" if key.is_valid(now) else "expired"
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "tenant": key.tenant,
        "extension": key.extension,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used,
        "state": state,
    }


def _me() -> str:
    try:
        return f"command line, {getpass.getuser()}"
    except (KeyError, OSError):
        return "command line"  # a user without a name, as in some containers
