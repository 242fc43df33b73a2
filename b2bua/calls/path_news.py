"""Tells in the event stream which way the sound of a call takes, whenever that is another one than before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from media.path import RELAYED, Reason

if TYPE_CHECKING:
    from b2bua.calls.session import Session


class PathNews:
    """What listeners know of one call's path.  They take every call to be on the relay until they are told otherwise,
    so one that never leaves it costs nothing."""

    __slots__ = ("_call", "_due", "_known")

    def __init__(self, call: Session) -> None:
        self._call: Session | None = call
        "None once it has ended: nothing is told behind that, and no way back to it keeps its legs alive."
        self._known = RELAYED
        self._due = False

    def changed(self) -> None:
        """A pair of the call goes another way.  What lasts no longer than this turn of the loop is not told."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._tell)

    def over(self) -> None:
        """The call has ended."""
        self._call = None

    def _tell(self) -> None:
        self._due = False
        call, known = self._call, self._known
        now = call.sound_path if call is not None else None
        # without a stream nothing goes any way: at the end of a call, and between two streams of a re-INVITE
        if call is None or now is None or now == known or now.reason is Reason.WAITING:
            return
        self._known = now
        call.exchange.tell("call.path", call, {"path": now.way, "reason": now.reason, "before": known.way})
