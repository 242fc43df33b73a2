"""One process: the last life is put in order, then everything runs until it is told to end."""

from __future__ import annotations

import asyncio
import gc
import signal
import time

from b2bua import log as logging
from b2bua.app import Tandem
from b2bua.events import EventLog
from b2bua.reports.last_life import LastLife
from b2bua.services import serve
from b2bua.settings import Settings
from b2bua.storage import Storage
from b2bua.storage.agent_states import last_states
from b2bua.storage.directory import DirectoryFeed
from b2bua.storage.history import EventHistory
from b2bua.storage.recover import Heartbeat, next_to, recover
from b2bua.storage.spool import Spool

log = logging.logger("tandem.app")

GATHER = 0.25
"Seconds in which records gather for one transaction: it rewrites the same pages for one row as for hundreds."
GC_THRESHOLDS = (20_000, 20, 50)
"Fewer collections: calls free themselves by reference counts, cycles are rare."


async def serve_until(settings: Settings, stop: asyncio.Event) -> None:
    """Open storage, put the last life in order, run everything until `stop` is set."""
    folder, name = settings.node.data_dir, settings.node.name
    folder.mkdir(parents=True, exist_ok=True)
    storage = await Storage.open(settings.database_url, pool=settings.storage.pool)
    spool = Spool.open(folder / "spool", storage, linger=GATHER)
    try:
        heartbeat = Heartbeat(folder / "heartbeat")
        recovered = await recover(storage, spool, name, time.time(), heartbeat.last())
        if recovered.lost or recovered.released:
            log.warning(
                "the last run ended in a crash; its calls are closed as lost",
                lost=len(recovered.lost),
                released=recovered.released,
                replayed=recovered.replayed,
                do="look at the lines before the crash",
            )
        feed = DirectoryFeed(storage)
        await feed.refresh()
        history = EventHistory(storage, name, spool)
        last, at_work = next_to(await history.last(), heartbeat), await last_states(storage, name)
        events = EventLog(name, spool, history, last=last, ring=settings.events.backlog)
        before = LastLife(events, history, recovered.alive_until)
        before.tell()
        await before.end_calls(recovered.lost, feed.plan.filters.values())
        tandem = Tandem(settings, storage, spool, events, feed)
        tandem.attending.come_back(at_work)
        async with tandem.puller:
            await serve(tandem.services(heartbeat), stop, up=lambda: _up(tandem))
    finally:
        await spool.close()
        await storage.close()


def _up(tandem: Tandem) -> None:
    gc.collect()
    gc.freeze()  # what lives as long as the server is not looked at again
    tandem.up = True
    settings = tandem.settings
    log.info(
        "ready",
        node=settings.node.name,
        listeners={n: f"{ls.transport} {ls.address}:{ls.port}" for n, ls in settings.listeners.items()},
        api=f"{settings.api.address}:{settings.api.port}",
    )


def run(settings: Settings) -> None:
    """`tandem serve`: until SIGTERM or SIGINT.  Raises an ExceptionGroup of what failed."""
    gc.set_threshold(*GC_THRESHOLDS)
    writer = logging.start(settings.log)
    try:
        asyncio.run(_main(settings))
    finally:
        writer.close()


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve_until(settings, stop)
