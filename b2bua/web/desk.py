"""What a handler gets: the node, the repositories over its storage, the caller's rights."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection, Request

from b2bua.importing.imports import Imports
from b2bua.log import logger
from b2bua.settings import Settings
from b2bua.storage import StorageUnavailable
from b2bua.storage.api_keys import ApiKeys
from b2bua.storage.audit import Audit
from b2bua.storage.business import Business
from b2bua.storage.calls import Calls
from b2bua.storage.campaigns import Campaigns
from b2bua.storage.catalogue import access_numbers, agents, check_with, routes, tenants
from b2bua.storage.dial_store import DialStore
from b2bua.storage.do_not_call import DoNotCall
from b2bua.storage.messages import Messages
from b2bua.storage.plan import Plans
from b2bua.storage.recordings import Recordings, keys_of
from b2bua.storage.tokens import Tokens
from b2bua.web.keyring import KeyRing
from b2bua.web.limits import Limits
from b2bua.web.ports import Node
from b2bua.web.rights import Caller, Right
from routing.conflicts import Conflict
from routing.correlation import TrunkProfile

log = logger("tandem.web")


class Desk:
    """One for each app; it holds no state of requests."""

    def __init__(self, node: Node, limits: Limits, wall: Callable[[], float] = time.time) -> None:
        self.node, self.limits, self.wall = node, limits, wall

        def check(all_: Business) -> Sequence[Conflict]:
            return check_with(list(self.profiles.values()), self.settings.calls.default_route)(all_)

        self.tenants, self.access_numbers = tenants(node.storage, check), access_numbers(node.storage, check)
        self.agents, self.routes = agents(node.storage, check), routes(node.storage, check)
        self.plans = Plans(node.storage, check)
        self.tokens = Tokens(node.storage, node.settings.node.name)
        self.cdrs, self.audit, self.keys = Calls(node.storage), Audit(node.storage), ApiKeys(node.storage)
        self.recordings = Recordings(node.settings.recordings, keys=keys_of(node.settings.recording.key_file))
        self.messages = Messages(node.settings.messages)
        self.campaigns, self.do_not_call = Campaigns(node.storage), DoNotCall(node.storage)
        self.dialling = DialStore(node.storage)
        self.imports = Imports(
            node.storage,
            node.settings.database_url,
            node.settings.node.name,
            node.settings.node.data_dir / "imports",
        )
        "Runs as long as the API listens."
        self.uploading: Counter[str] = Counter()
        "Files that are being received now, by key."
        self.keyring = node.keyring or KeyRing(self.keys, node.settings.api.rate)
        self.changing = asyncio.Lock()
        "Held while the configuration is read, changed and written: two PATCHes do not undo each other."

    @property
    def settings(self) -> Settings:
        """Those in force: a reload brings others."""
        return self.node.settings if self.node.operation is None else self.node.operation.settings

    @property
    def profiles(self) -> dict[str, TrunkProfile]:
        """The trunks, as correlation knows them."""
        return self.settings.profiles()

    async def changed(self) -> None:
        """A change was committed: this node routes by it when the answer goes out."""
        try:
            await self.node.reload_directory()
        except StorageUnavailable:
            # the change is made; the feed of the directory picks it up when the database answers again
            log.warning("a change is not in force yet: the database does not answer", do="nothing; it comes by itself")

    async def note(self, caller: Caller, action: str, kind: str, key: str, after: dict[str, Any] | None = None) -> None:
        """An audit entry for something that was done already; that it cannot be written does not undo it."""
        try:
            await self.audit.note(at=self.wall(), actor=caller.by, action=action, kind=kind, key=key, after=after)
        except StorageUnavailable:
            log.warning(
                "not in the audit log: the database does not answer",
                actor=caller.by,
                action=action,
                kind=kind,
                key=key,
                do="keep this line",
            )


def desk_of(connection: HTTPConnection) -> Desk:
    """The app's desk."""
    desk: Desk = connection.app.state.desk
    return desk


async def _desk(request: Request) -> Desk:
    return desk_of(request)


_bearer = HTTPBearer(auto_error=False, description="An API key: `tdm_...`", scheme_name="key")


def may(right: Right) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, whose key the door has verified, if his role has this right."""

    async def caller(request: Request, _scheme: Annotated[object, Depends(_bearer)]) -> Caller:
        found: Caller = request.scope["caller"]
        found.must(right)
        return found

    return caller


def address_of(connection: HTTPConnection) -> str:
    """The address at the other end of the connection."""
    return connection.client.host if connection.client else "?"


TheDesk = Annotated[Desk, Depends(_desk)]
Configurer = Annotated[Caller, Depends(may(Right.CONFIGURE))]
SeesAll = Annotated[Caller, Depends(may(Right.SEE_ALL))]
SeesTenant = Annotated[Caller, Depends(may(Right.SEE_TENANT))]
KeyKeeper = Annotated[Caller, Depends(may(Right.KEYS))]
Auditor = Annotated[Caller, Depends(may(Right.AUDIT))]
TokenUser = Annotated[Caller, Depends(may(Right.TOKENS))]
CallUser = Annotated[Caller, Depends(may(Right.CALLS))]
Starter = Annotated[Caller, Depends(may(Right.START))]
BoardReader = Annotated[Caller, Depends(may(Right.EVENTS))]
Attendant = Annotated[Caller, Depends(may(Right.ATTEND))]
Recorder = Annotated[Caller, Depends(may(Right.RECORD))]
RecordingUser = Annotated[Caller, Depends(may(Right.RECORDINGS))]
Campaigner = Annotated[Caller, Depends(may(Right.CAMPAIGNS))]
CdrReader = Annotated[Caller, Depends(may(Right.CDRS))]
Tracer = Annotated[Caller, Depends(may(Right.TRACE))]
Operator = Annotated[Caller, Depends(may(Right.OPERATE))]
