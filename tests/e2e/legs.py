"""How most tests of one leg's behaviour begin: a call from the trunk to the agent, and a server several tests share."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, diverted
from tests.peers.configuration import Changes
from tests.peers.exchange import Received
from tests.peers.message import as_pairs
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone


@asynccontextmanager
async def shared_server(
    pool: list[Server],
    folder: Path,
    config: Changes,
    template: Template,
    *,
    env: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Server]:
    """A server with a configuration of its own that the tests of a module share: found empty, swept up after each.

    `pool` is the module's list, empty at first; whoever made it calls `close_now` on what is in it at the end.
    """
    if not pool or not pool[-1].child.alive:
        pool.append(Server(folder / f"server-{len(pool)}", config, template=template))
        pool[-1].env |= env
        await pool[-1].start()
        await pool[-1].close_clients()
    server = pool[-1]
    await server.begin()
    yield server
    try:
        await server.finish()
    except BaseException:
        server.close_now()
        raise
    finally:
        print(f"--- log of {server!r}\n{server.log()[-12_000:]}")
    faults = [] if server.faults_expected else server.faults()
    assert not faults, "the server logged faults:\n" + "\n".join(faults[:5])


async def call_in(server: Server, caller: Caller, contact: str, **invite: Any) -> None:
    """Furnish the server, leave a token and send the trunk's INVITE to `server.outside`."""
    await server.api.furnish(contact)
    await call_again(server, caller, **invite)


async def call_again(server: Server, caller: Caller, **invite: Any) -> None:
    """One more call on a server that is furnished already."""
    token = await server.api.issue_token()
    headers: Sequence[tuple[str, str]] = [*diverted(token).items(), *as_pairs(invite.pop("headers", ()))]
    given = {"caller": BILLING_NUMBER, **invite}
    await caller.invite(given.pop("target", server.outside), ACCESS_NUMBER, headers=headers, **given)


async def ringing(server: Server, caller: Caller, phone: Phone, **invite: Any) -> Received:
    """The agent's phone rings and the trunk knows; returns the phone's INVITE."""
    await call_in(server, caller, phone.uri, **invite)
    ring = await phone.rings()
    await caller.expect(180)
    return ring


async def talking(server: Server, caller: Caller, phone: Phone, **invite: Any) -> None:
    """Both talk: their tones are heard at the other end."""
    await call_in(server, caller, phone.uri, **invite)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)


async def hear_each_other(caller: Caller, phone: Phone) -> None:
    """Sound passes both ways."""
    await caller.hears(phone)
    await phone.hears(caller)


async def end(caller: Caller, phone: Phone) -> None:
    """The trunk hangs up, and so does the server on the other side."""
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
