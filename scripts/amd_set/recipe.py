"""Draws one recording: who answers, what is said when.  Seed and split are fixed.

The shares below are our own idea of a campaign's calls; nothing was counted on real calls.  Machines are shorter here
than most are in life (half of them 4.5 to 7 s; one in eight says one sentence), so that the set is rather too hard.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from . import voices
from .resampling import RATE
from .sentences import COMPANIES, LANGUAGES, PLACES, Language, part
from .sounds import Sound, hum, music, pink, tone, white

SEED = 20261122
"Every recording follows from this, its split, its label and its number."

SPLITS: dict[str, dict[str, int]] = {
    "tuning": {"human": 5000, "machine": 4000, "network": 300, "fax": 60, "music": 250, "silence": 60, "busy": 60},
    "held-back": {"human": 1000, "machine": 1000, "network": 120, "fax": 60, "music": 60, "silence": 60, "busy": 60},
}
"Recordings by label."

PEOPLE = {"hello": 46, "twice": 9, "named": 14, "company": 21, "wait": 5, "hello-named": 5}
"How people answer, in percent."
SIT_TONES = {
    "IC": ((913.8, 0.274), (1370.6, 0.274), (1776.7, 0.380)),
    "VC": ((985.2, 0.380), (1370.6, 0.274), (1776.7, 0.380)),
    "NC'": ((985.2, 0.380), (1428.5, 0.380), (1776.7, 0.380)),
    "RO''": ((985.2, 0.274), (1370.6, 0.380), (1776.7, 0.380)),
    "ITU": ((950.0, 0.330), (1400.0, 0.330), (1800.0, 0.330)),
}
BUSY_TONES: dict[str, tuple[tuple[tuple[int, ...], float, float], ...]] = {
    "busy": (((480, 620), 0.5, 0.5), ((425,), 0.5, 0.5), ((425,), 0.48, 0.48), ((450,), 0.35, 0.35),
             ((400,), 0.38, 0.38)),
    "congestion": (((480, 620), 0.25, 0.25), ((425,), 0.25, 0.25), ((425,), 0.2, 0.2)),
}  # fmt: skip
"Frequencies, seconds on and off."
MIXED = 0.4
"Part of tuning's longer greetings that are put together from pieces, so that lengths are not learned by heart."
LONGEST = 15.0
"Seconds after which a recording ends."


@dataclass(slots=True)
class Take:
    """What is said and when, before line and background.  Seconds."""

    sound: Sound
    greeting_start: float = 0.0
    greeting_end: float = 0.0
    "0: nobody speaks."
    kind: str = ""
    "How the greeting is made, for the report."
    beep_end: float = 0.0
    "0: no beep."
    recorded: tuple[float, float] | None = None
    "When the noise of a recording is heard: as long as the recording is played; None: all the time."
    talk: list[tuple[float, float]] = field(default_factory=list)
    "When the voice itself is heard, gaps inside it left out."


class Track:
    """Pieces one after another."""

    def __init__(self) -> None:
        self._pieces: list[Sound] = []
        self._count = 0
        self.talk: list[tuple[float, float]] = []

    @property
    def now(self) -> float:
        return self._count / RATE

    def put(self, sound: Sound) -> None:
        self._pieces.append(sound)
        self._count += len(sound)

    def wait(self, seconds: float) -> None:
        self.put(np.zeros(round(seconds * RATE)))

    def sound(self) -> Sound:
        return np.concatenate(self._pieces)[: round(LONGEST * RATE)]


def chooser(split: str, label: str, number: int) -> random.Random:
    """The source of chance of one recording."""
    return random.Random(f"{SEED}/{split}/{label}/{number}")


def take(split: str, label: str, pick: random.Random) -> tuple[Take, voices.Voice]:
    """One recording's take; the voice also where nobody speaks."""
    held = split == "held-back"
    voice = voices.draw(pick, held_back=held)
    language = LANGUAGES[voice.language]
    if label == "human":
        return _human(pick, voice, language, held), voice
    if label == "machine":
        return _machine(pick, voice, language, held), voice
    if label == "network":
        return _network(pick, voice, language, held), voice
    return {"fax": _fax, "music": _music, "silence": _silence, "busy": _busy}[label](pick), voice


def _say(track: Track, pick: random.Random, voice: voices.Voice, text: str) -> None:
    text = text.replace("{c}", pick.choice(COMPANIES)).replace("{p}", pick.choice(PLACES))
    sound = voices.say(voice, text)
    track.talk += [(track.now + start, track.now + end) for start, end in voices.heard(sound)]
    track.put(sound)


def _human(pick: random.Random, voice: voices.Voice, language: Language, held: bool) -> Take:
    track = Track()
    before = pick.random()
    if before < 0.7:
        track.wait(pick.triangular(0.15, 1.2, 0.4))
    else:
        track.wait(pick.uniform(1.0, 2.3) if before < 0.88 else pick.uniform(0.0, 0.15))
    start = track.now
    kind = pick.choices(list(PEOPLE), list(PEOPLE.values()))[0]
    if kind in ("hello", "twice", "hello-named"):
        _say(track, pick, voice, pick.choice(language.hello))
    if kind == "twice":
        track.wait(pick.uniform(0.3, 1.4))
        _say(track, pick, voice, pick.choice(language.hello))
    if kind in ("named", "hello-named"):
        if kind == "hello-named":
            track.wait(pick.uniform(0.1, 0.6))
        _say(track, pick, voice, pick.choice(part(language.named, held)))
    if kind == "company":
        _say(track, pick, voice, _company(pick, language, held))
    if kind == "wait":
        _say(track, pick, voice, pick.choice(language.wait))
        if pick.random() < 0.5:
            track.wait(pick.uniform(0.8, 1.5))
            _say(track, pick, voice, pick.choice(language.hello))
    end = track.now
    track.wait(pick.uniform(2.0, 3.0))
    if pick.random() < 0.3:
        _say(track, pick, voice, pick.choice(language.hello))
        track.wait(1.0)
    return Take(track.sound(), start, end, kind, talk=track.talk)


def _company(pick: random.Random, language: Language, held: bool) -> str:
    if held or not language.company_parts or pick.random() >= MIXED:
        return pick.choice(part(language.company, held))
    return ", ".join(filter(None, (pick.choice(some) for some in language.company_parts)))


def _greeting(pick: random.Random, language: Language, held: bool) -> list[str]:
    """A machine's, in pieces."""
    greetings = part(language.machine, held)
    if held or pick.random() >= MIXED:
        return pick.choice(greetings).split("|")
    pieces = [piece for greeting in greetings for piece in greeting.split("|")]
    return [pick.choice(pieces) for _ in range(pick.choice((2, 3, 3, 4, 4)))]


def _machine(pick: random.Random, voice: voices.Voice, language: Language, held: bool) -> Take:
    track = Track()
    track.wait(pick.triangular(0.05, 2.4, 0.6))
    start = track.now
    lead = pick.choice((0.0, 0.1, 0.3, 0.5))
    track.wait(lead)
    short = pick.random() < 0.12
    if short:
        _say(track, pick, voice, pick.choice(language.short))
    else:
        for number, piece in enumerate(_greeting(pick, language, held)):
            if number:
                track.wait(pick.triangular(0.12, 1.1, 0.35))
            _say(track, pick, voice, piece)
    end, beep_end = track.now, 0.0
    if pick.random() < 0.78:
        track.wait(pick.triangular(0.15, 1.8, 0.5))
        _beeps(track, pick)
        beep_end = track.now
    track.wait(3.0)
    sound = track.sound()
    if pick.random() < 0.12:
        bed = music(len(sound), pick) * 10 ** (-pick.uniform(12, 22) / 20)
        bed[: round(start * RATE)] = 0
        bed[round(end * RATE) :] = 0
        sound = sound + bed
    recorded = (start, end) if pick.random() < 0.4 else None
    heard = beep_end if beep_end < LONGEST - 1 else 0.0
    return Take(sound, start, min(end, LONGEST), "short" if short else "long", heard, recorded, track.talk)


def _beeps(track: Track, pick: random.Random) -> None:
    frequency = pick.choice((440, 600, 700, 800, 850, 950, 1000, 1000, 1100, 1200, 1400, 1500, 1800, 2000))
    frequencies = [frequency * pick.uniform(0.98, 1.02)]
    if pick.random() < 0.12:
        frequencies.append(frequency * pick.choice((1.25, 1.5, 2.0)))
    length = pick.triangular(0.15, 1.5, 0.4)
    strength = 10 ** (pick.uniform(-8, 4) / 20)
    track.put(tone(frequencies, length) * strength)
    if pick.random() < 0.06:
        track.wait(0.12)
        track.put(tone(frequencies, length) * strength)


def _network(pick: random.Random, voice: voices.Voice, language: Language, held: bool) -> Take:
    track = Track()
    track.wait(pick.uniform(0.05, 1.0))
    code = pick.choice([*SIT_TONES, ""])
    for frequency, length in SIT_TONES.get(code, ()):
        track.put(tone([frequency * pick.uniform(0.997, 1.003)], length * pick.uniform(0.96, 1.04)))
        track.wait(pick.uniform(0.0, 0.03))
    track.wait(pick.uniform(0.1, 0.5))
    start = track.now
    pieces = pick.choice(part(language.network, held)).split("|")
    for piece in [*pieces, *pieces]:
        _say(track, pick, voice, piece)
        track.wait(pick.uniform(0.2, 0.7))
    end = track.now
    track.wait(2.5)
    return Take(track.sound(), start, min(end, LONGEST), code or "no tone", talk=track.talk)


def _fax(pick: random.Random) -> Take:
    track = Track()
    track.wait(pick.uniform(0.1, 1.8))
    if pick.random() < 0.6:
        track.put(tone([2100 * pick.uniform(0.995, 1.005)], pick.uniform(2.6, 3.8)))
        track.wait(3.0)
        return Take(track.sound(), kind="answers")
    for _ in range(3):
        track.put(tone([1100 * pick.uniform(0.98, 1.02)], 0.5))
        track.wait(3.0)
    return Take(track.sound(), kind="calls")


def _music(pick: random.Random) -> Take:
    track = Track()
    track.wait(pick.uniform(0.0, 1.0))
    track.put(music(12 * RATE, pick))
    return Take(track.sound(), kind="music")


def _silence(pick: random.Random) -> Take:
    return Take(np.zeros(8 * RATE), kind="silence")


def _busy(pick: random.Random) -> Take:
    kind = pick.choice(list(BUSY_TONES))
    frequencies, on, off = pick.choice(BUSY_TONES[kind])
    track = Track()
    track.wait(pick.uniform(0.1, 1.0))
    track.put(np.zeros(0))
    for _ in range(10):
        track.put(tone([f * pick.uniform(0.995, 1.005) for f in frequencies], on))
        track.wait(off)
    return Take(track.sound(), kind=kind)


def pickup(count: int, pick: random.Random) -> Sound:
    """Somebody picks up: a knock and a rustle, in three calls of ten."""
    sound = np.zeros(count)
    if pick.random() < 0.3:
        start, length = round(pick.uniform(0, 0.15) * RATE), round(pick.uniform(0.02, 0.12) * RATE)
        knock = pink(length, pick) * np.exp(-np.arange(length) / (length / 3))
        sound[start : start + length] += (knock * pick.uniform(0.05, 0.4))[: max(0, count - start)]
    return sound


def faint_noise(count: int, pick: random.Random) -> Sound:
    """What even a quiet room and its telephone give."""
    return pick.choice((white, pink, hum))(count, pick)
