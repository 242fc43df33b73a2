"""A campaign under test: its queue and agents, its contacts in the server's database, and a carrier whose numbers each
do something else when they are called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Self

import sqlalchemy as sa

from b2bua.storage import Storage, batch_rows, campaign_rows, command_rows
from b2bua.storage.dial_store import DialStore
from b2bua.storage.dial_tables import dial_commands, dial_snapshots
from dialer.batch import Prepared
from dialer.campaign import ALIVE, Campaign, Mode, Pacing
from dialer.command import Record
from dialer.contact import PhoneNumber
from dialer.outcome import Outcome
from dialer.retry_rule import RetryRule
from tests.e2e.queues import open_queue
from tests.peers.exchange import AUTO, Received
from tests.peers.ports import PORTS
from tests.peers.server import Server
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

CALLER_ID, CALL_BACK = "+442079460999", "+442079460998"
CARRIER = PORTS.keep(1)
"Where the trunk's calls go."
LAW = {
    "hours": ["daily 00:00-24:00"],
    "windows": ["campaign"],
    "ring_least": 0.5,
    "connect_limit": 2.0,
}
"A law of short times."
CONFIG: dict[str, Mapping[str, Any] | None] = {
    "trunks.carrier": {"target": f"127.0.0.1:{CARRIER}", "command_header": True, "probe": False},
    "law_profiles.test": LAW,
}
IDS = count(1)
Habit = Callable[[Received], Awaitable[None]]
"What a number does when it is called."


def numbers(n: int, first: int = 0) -> list[str]:
    """Numbers that somebody could have (a range kept free for films)."""
    return [f"+44207946{at:04}" for at in range(first, first + n)]


class Carrier:
    """The far end of the trunk."""

    def __init__(self, peer: Phone) -> None:
        self.peer = peer
        self.habits: dict[str, Habit] = {}
        self.usual: Habit = self.answers
        self.rung: list[str] = []
        "The numbers that were called, in order."
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, port: int = CARRIER, *, manual: Sequence[str] = (), sound: bool = False, quiet: bool = False
    ) -> AsyncIterator[Self]:
        """At work until the end of the block; `quiet`: what was sent and received is not shown then."""
        async with await Phone.open("carrier", port=port, sound=sound, manual=manual) as peer:
            carrier = cls(peer)
            listening = asyncio.create_task(carrier._listen())
            try:
                yield carrier
            finally:
                for task in (listening, *carrier._tasks):
                    task.cancel()
                with suppress(asyncio.CancelledError):
                    await listening
                if not quiet:
                    print(peer.ladder()[-20_000:])

    async def _listen(self) -> None:
        while True:
            ring = await self.peer.expect("INVITE", within=3600)
            number = self.number_of(ring)
            self.rung.append(number)
            task = asyncio.create_task(self._habit(number, ring))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _habit(self, number: str, ring: Received) -> None:
        await self.habits.get(number, self.usual)(ring)

    @staticmethod
    def number_of(ring: Received) -> str:
        return ring.start.split("sip:")[1].partition("@")[0]

    # habits

    async def answers(self, ring: Received) -> None:
        """A person, until somebody hangs up."""
        ring.reply(180)
        self._pick_up(ring)

    async def busy(self, ring: Received) -> None:
        ring.reply(486)

    async def silent(self, ring: Received) -> None:
        """It rings, and nobody comes; CANCEL is answered by the peer itself."""
        ring.reply(180)

    async def unknown(self, ring: Received) -> None:
        ring.reply(404, headers={"Reason": 'Q.850;cause=1;text="Unallocated number"'})

    async def broken(self, ring: Received) -> None:
        ring.reply(503)

    def _pick_up(self, ring: Received) -> None:
        ring.reply(200, sdp=AUTO if self.peer.rtp else self.peer.sdp())


class Campaigns:
    """The database of the server, as the API and the imports write it."""

    def __init__(self, server: Server, storage: Storage) -> None:
        self.server, self.storage, self.store = server, storage, DialStore(storage)

    @classmethod
    @asynccontextmanager
    async def open(cls, server: Server, url: str = "") -> AsyncIterator[Self]:
        """`url`: of a database that is not the server's usual one."""
        storage = await Storage.open(url or f"sqlite:///{server.data / 'tandem.db'}")
        try:
            yield cls(server, storage)
        finally:
            await storage.close()

    async def add(self, dialled: Sequence[str | Sequence[str]], *, for_agent: str = "", **fields: Any) -> Campaign:
        """A campaign with these contacts (several numbers: one contact with all of them), as a draft.

        `for_agent`: call-backs that were agreed with him.
        """
        id_ = f"campaign-{next(IDS)}"
        given: dict[str, Any] = {
            "mode": Mode.PROGRESSIVE,
            "trunks": ("carrier",),
            "caller_id": CALLER_ID,
            "callback_number": CALL_BACK,
            "seller": "Gas and Light",
            "queue": "orders",
            "profile": "test",
            "ring_for": 1.0,
            "redial_gap": 0.0,
            "retries": {Outcome.TRUNK_FAULT: RetryRule(1.0, 0), Outcome.UNKNOWN: RetryRule(3600.0, 1)},
            "pacing": Pacing(rate=100.0),
            **fields,
        }
        made = Campaign(id_, "acme", **given)
        await self.storage.write(lambda conn: campaign_rows.create(conn, made, by="test", now=time.time()))
        await self.fill(made, dialled, for_agent=for_agent)
        return made

    async def fill(
        self, campaign: Campaign, dialled: Sequence[str | Sequence[str]], batch: str = "b1", *, for_agent: str = ""
    ) -> None:
        """More contacts."""
        due = time.time() if for_agent else 0.0
        prepared = [
            Prepared(
                row, tuple(PhoneNumber(one) for one in ([who] if isinstance(who, str) else who)), 5,
                {"name": f"contact {row}", "order": f"A-{row}"}, "", "", None, due, for_agent,
            )
            for row, who in enumerate(dialled, 1)
        ]  # fmt: skip
        ids = count(1)

        def op(conn: sa.Connection) -> None:
            begun = batch_rows.begin(conn, campaign.id, batch, "test", "test", "test", time.time())
            batch_rows.add(
                conn, campaign, begun, prepared, [], rows=len(prepared), share=1.0,
                new_id=lambda: f"{campaign.id}-{batch}-{next(ids):06}",
            )  # fmt: skip
            after: int | None = 0
            while after is not None:
                after = batch_rows.open_some(conn, campaign.id, batch, after)
            batch_rows.finish(conn, campaign.id, batch, time.time())

        await self.storage.write(op)

    async def order(self, campaign: Campaign, word: str) -> Campaign:
        """start, pause, resume, drain or stop."""
        return await self.store.order(campaign.id, word, time.time(), node="test", by="test")

    async def over(self, campaign: Campaign, within: float | None = None) -> Campaign:
        """The campaign once it is over."""

        async def is_over() -> Campaign | None:
            found = await self.store.campaign(campaign.id)
            return found if found.state not in ALIVE else None

        found = await eventually_true(is_over, f"{campaign.id} is over", within)
        assert found is not None
        return found

    async def records(self, campaign: Campaign) -> list[tuple[str, Record | None]]:
        """Number and record of each command, in order; None: it has none (yet)."""
        query = (
            sa.select(dial_commands.c.number, dial_commands.c.record)
            .where(dial_commands.c.campaign == campaign.id)
            .order_by(dial_commands.c.id)
        )

        def op(conn: sa.Connection) -> list[tuple[str, Record | None]]:
            return [(row[0], command_rows.record_of(row[1]) if row[1] else None) for row in conn.execute(query)]

        return await self.storage.read(op)

    async def outcomes(self, campaign: Campaign) -> dict[str, Outcome | None]:
        """The outcome of each number's last command."""
        found = await self.records(campaign)
        return {number: None if record is None else record.outcome for number, record in found}

    async def record(self, campaign: Campaign) -> Record:
        """The only one, once it is there."""

        async def booked() -> Record | None:
            found = await self.records(campaign)
            return found[0][1] if len(found) == 1 else None

        found = await eventually_true(booked, "the command has its record")
        assert found is not None
        return found

    async def snapshots(self, campaign: Campaign) -> list[str]:
        """The kinds of its snapshots, once there is one."""
        query = sa.select(dial_snapshots.c.kind).where(dial_snapshots.c.campaign == campaign.id)

        async def kept() -> list[str]:
            return await self.storage.read(lambda conn: [str(kind) for (kind,) in conn.execute(query)])

        return await eventually_true(kept, f"a snapshot of {campaign.id} is kept")


async def centre(server: Server, **queue: Any) -> None:
    """The tenant and the queue of the tests."""
    await server.api.add_tenant()
    await open_queue(server, **{"wrap_up": 0.0, **queue})
