"""Both ends of the calls of a random walk, and the engine that has them (walk.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pjsua2 as pj

from media import Sound
from media.path import Codec
from media.ports import Line

if TYPE_CHECKING:
    from tests.unit.media.walk import Walk


class Half(pj.Call):
    """One end of a call as the server's engine has it: guarded sockets, a line for each stream, a sound."""

    def __init__(self, walk: Walk, call_id: int = -1) -> None:
        super().__init__(walk.account, call_id)
        self.walk, self.slot = walk, call_id
        self.sound = Sound(f"leg {next(walk.numbers)}", walk.desk)
        self.line: Line | None = None
        self.codec: Codec | None = None
        self.stream = 0
        self.up = self.over = False
        self.history: list[int] = []
        "States of its dialog."
        walk.halves[self] = None

    def __repr__(self) -> str:
        return f"<{self.sound.name} in {self.getId()}, {'over' if self.over else 'up' if self.up else self.history}>"

    def onCreateMediaTransport(self, prm: Any) -> None:
        if pj.tandem_guard(int(prm.mediaTp), self.walk.rule, "127.0.0.1"):
            self.walk.fault("a leg without a guard")

    def onStreamCreated(self, prm: Any) -> None:
        self.stream = int(prm.pPort) if pj.tandem_gap(int(prm.stream), int(prm.pPort)) else 0
        agreed = pj.tandem_agreed(int(prm.stream))
        self.codec = Codec(agreed[0], agreed[1], agreed[3]) if agreed is not None else None

    def onStreamDestroyed(self, prm: Any) -> None:
        self.drop_line()

    def drop_line(self) -> None:
        self.stream = 0
        if self.line is not None:
            self.line.gone()
            self.line = None

    def onCallMediaState(self, prm: Any) -> None:
        self.slot = self.getId()
        brief = pj.tandem_brief(self.slot)
        if brief is None or brief[3] < 0:
            self.walk.later(self.sound.attach, None)
            return
        if self.line is None:
            self.line = Line(self.getAudioMedia(brief[3]), self.slot, self.codec, self.stream)
        self.walk.later(self.sound.attach, self.line)

    def onCallState(self, prm: Any) -> None:
        brief = pj.tandem_brief(self.getId())
        if brief is None:
            return
        self.history.append(brief[0])
        self.up = brief[0] == pj.PJSIP_INV_STATE_CONFIRMED
        if brief[0] == pj.PJSIP_INV_STATE_DISCONNECTED and not self.over:
            self.over = True
            self.drop_line()
            self.walk.later(self.sound.close)
            self.walk.dead.append(self)
            self.walk.halves.pop(self, None)


class Engine(pj.Endpoint):
    """Whoever had a slot before is gone before it serves anybody else, as in the server."""

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self.walk = walk

    def onSelectAccount(self, prm: Any) -> None:
        self.walk.dead.clear()


class Door(pj.Account):
    """Answers every call."""

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self.walk = walk

    def onIncomingCall(self, prm: Any) -> None:
        half = Half(self.walk, prm.callId)
        self.walk.later(self.walk.answer, half)
