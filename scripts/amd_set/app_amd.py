"""The rules of Asterisk's app_amd with its default parameters, from its documentation and its sample configuration.

Voice and silence are told apart by the mean amplitude of a frame of 20 ms.  For each frame, in this order: the total
time is over; silence before any greeting, silence after one; one word too long, too many words, too long a greeting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FRAME_MS = 20


@dataclass(frozen=True, slots=True)
class Parameters:
    """amd.conf: milliseconds, counts, and an amplitude."""

    initial_silence: int = 2500
    greeting: int = 1500
    after_greeting_silence: int = 800
    total_analysis_time: int = 5000
    minimum_word_length: int = 100
    maximum_word_length: int = 5000
    between_words_silence: int = 50
    maximum_number_of_words: int = 2
    silence_threshold: int = 256


@dataclass(frozen=True, slots=True)
class Result:
    """AMDSTATUS and AMDCAUSE."""

    status: str
    "HUMAN, MACHINE, NOTSURE, or HANGUP where the recording ended first."
    cause: str
    at: float
    "Seconds since the answer."


def judge(sound: npt.NDArray[np.int16], limits: Parameters | None = None) -> Result:
    """What app_amd says about a call that sounds like this."""
    limits = limits or Parameters()
    frames = np.abs(sound[: len(sound) // 160 * 160].astype(np.int32)).reshape(-1, 160)
    voiced = frames.mean(axis=1) >= limits.silence_threshold
    silence = voice = word = words = 0
    in_word, greeting_began = True, False  # a word is counted only after a silence
    for number, speaks in enumerate(voiced.tolist(), start=1):
        total = number * FRAME_MS
        at = total / 1000
        if total >= limits.total_analysis_time:
            return Result("NOTSURE", "TOOLONG", at)
        if not speaks:
            silence += FRAME_MS
            if silence >= limits.between_words_silence:
                in_word, word = False, 0
            if not greeting_began and silence >= limits.initial_silence:
                return Result("MACHINE", "INITIALSILENCE", at)
            if greeting_began and silence >= limits.after_greeting_silence:
                return Result("HUMAN", "HUMAN", at)
            continue
        silence = 0
        word += FRAME_MS
        voice += FRAME_MS
        if word >= limits.minimum_word_length and not in_word:
            words += 1
            in_word = True
        if word >= limits.maximum_word_length:
            return Result("MACHINE", "MAXWORDLENGTH", at)
        if words > limits.maximum_number_of_words:
            return Result("MACHINE", "MAXWORDS", at)
        if greeting_began and voice >= limits.greeting:
            return Result("MACHINE", "LONGGREETING", at)
        if word >= limits.minimum_word_length:
            greeting_began = True
    return Result("HANGUP", "", len(voiced) * FRAME_MS / 1000)
