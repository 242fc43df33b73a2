"""The product's own listening, frame by frame, over many recordings at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.amd_bank import Bank
from media.amd_decision import Progress
from media.amd_values import AmdSettings, Beep, Kind, Stage, Verdict
from media.speech_timing import FRAME, FRAME_SAMPLES

AT_ONCE = 200
"Recordings in one batch."
AFTER = 3.0
"Seconds of silence after each recording, so that the last pause is as long as every limit."


@dataclass(frozen=True, slots=True)
class Found:
    """What was made of one recording."""

    verdict: Verdict
    ready: float | None
    "When a message could have begun; None: not known."
    beep: Beep | None


def listen(
    sounds: Sequence[npt.NDArray[np.int16]],
    settings: AmdSettings,
    *,
    call: Callable[[AmdSettings, Stage], Progress] = Progress,
    messages: bool = False,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> list[Found]:
    """A verdict for each; with `messages` the machines are listened to until they are ready for one."""
    found: list[Found] = []
    for start in range(0, len(sounds), AT_ONCE):
        found += _batch(sounds[start : start + AT_ONCE], settings, call, messages)
        progress(len(found), len(sounds))
    return found


def _batch(
    sounds: Sequence[npt.NDArray[np.int16]],
    settings: AmdSettings,
    call: Callable[[AmdSettings, Stage], Progress],
    messages: bool,
) -> list[Found]:
    bank = Bank(call)
    owners = {bank.open(settings, Stage.ANSWERED): number for number in range(len(sounds))}
    verdicts: dict[int, Verdict] = {}
    ready: dict[int, tuple[float, Beep | None]] = {}
    silence = np.zeros(FRAME_SAMPLES, dtype=np.int16)
    longest = max(len(sound) for sound in sounds) // FRAME_SAMPLES + round(AFTER / FRAME)
    for number in range(longest):
        if not owners:
            break
        at = number * FRAME_SAMPLES
        frames = [_frame(sounds[owner], at, silence) for owner in owners.values()]
        for told in bank.feed(np.fromiter(owners, dtype=np.intp), np.array(frames)):
            owner = owners[told.row]
            if told.verdict is not None:
                verdicts[owner] = told.verdict
            if told.finished:
                ready[owner] = ((number + 1) * FRAME, told.beep)
            if told.finished or (not messages and owner in verdicts):
                bank.close(told.row)
                del owners[told.row]
    nobody = Verdict(Kind.LOST, "recording ended", longest * FRAME)
    return [Found(verdicts.get(number, nobody), *ready.get(number, (None, None))) for number in range(len(sounds))]


def _frame(sound: npt.NDArray[np.int16], at: int, silence: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    frame = sound[at : at + FRAME_SAMPLES]
    return frame if len(frame) == FRAME_SAMPLES else silence
