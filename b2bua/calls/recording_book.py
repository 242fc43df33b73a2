"""What the recorder tells of one file: counted, logged, told, and in the call's record once it is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from b2bua.log import logger
from media.recording import Began, Failed, Finished, News

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.record import Record

log = logger("calls")

FULL = "free some space, or lower recording.keep_days; recording.keep_free_mb says how much is left to others"


class Book:
    """It outlives the call: a file is whole some moments after the last word."""

    __slots__ = ("_began", "_exchange", "_loop", "_name", "_record", "_stop")

    def __init__(self, exchange: Exchange, record: Record, name: str, stop: Callable[[], None]) -> None:
        """`stop`: called where nothing can be written (any more)."""
        self._exchange, self._record, self._name, self._stop = exchange, record, name, stop
        self._loop = asyncio.get_running_loop()
        self._began = False

    def note(self, news: News) -> None:
        """On the recorder's threads."""
        try:
            self._loop.call_soon_threadsafe(self._note, news)
        except RuntimeError:  # the loop is closed: the server is down
            pass

    def _note(self, news: News) -> None:
        match news:
            case Began():
                self._began = True
                self._exchange.metrics.recordings.inc("started")
            case Failed(why, full):
                self._failed(why, full)
            case Finished(index):
                detail = self._record.row.detail
                sums: dict[str, str] = detail.setdefault("recording_sha256", {})
                sums[index.file] = index.sha256
                self._exchange.metrics.recordings.inc("cut-off" if index.cut_off else "finished")
                self._tell(
                    "call.recorded",
                    {
                        "file": index.file,
                        "seconds": index.seconds,
                        "size": index.size,
                        "sha256": index.sha256,
                        "cut_off": index.cut_off or None,
                    },
                )
                if self._record.over:  # else the call's end writes it
                    self._exchange.spool.append("call", self._record.row.as_record())

    def _failed(self, why: str, full: bool) -> None:
        self._stop()
        self._exchange.metrics.recordings.inc("full" if full else "failed")
        do = FULL if full else "see to the folder of recordings"
        log.warning(
            "a call is not recorded any more" if self._began else "a call is not recorded",
            call=self._record.row.id, file=self._name, error=why, do=do,
        )  # fmt: skip
        files: list[str] = self._record.row.detail.get("recordings", [])
        if not self._began and self._name in files:
            files.remove(self._name)
        self._tell("call.recording", {"state": "off", "by": "tandem", "files": list(files)})

    def _tell(self, type: str, data: dict[str, Any]) -> None:
        row = self._record.row
        self._exchange.events.append(type, row.id, {"tenant": row.tenant, **data} if row.tenant else data)
        self._exchange.metrics.events.inc(type)
