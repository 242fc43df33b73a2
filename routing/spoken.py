"""What is said to a caller: pieces of speech, texts with values in them, and the sentences a queue announces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PLACE = re.compile(r"\{([a-z][a-z0-9_.]*)(\|digits)?\}")
"A value in a text: `{order}`; `{order|digits}` is read digit by digit."

SOUND_FILE = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_-]{0,63}(?:/[0-9A-Za-z_][0-9A-Za-z_-]{0,63})?\.wav")
"A sound file's name below the folder of sounds: no way leads out of it."


@dataclass(frozen=True, slots=True)
class Piece:
    """One sound in a row of sounds: a recorded file, or where there is none, a text that is spoken."""

    file: str = ""
    "Name below the folder of sounds, or of the language in it."
    text: str = ""


def places(text: str) -> Iterator[str]:
    """The names of the values that a text has places for."""
    for found in PLACE.finditer(text):
        yield found[1]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its values; one that is not known leaves its place empty."""

    def value(found: re.Match[str]) -> str:
        known = values.get(found[1], "")
        return spelled(known) if found[2] else known

    return PLACE.sub(value, text)


def spelled(text: str) -> str:
    """So that a voice reads it digit by digit: `4711` is "4 7 1 1"."""
    return " ".join(text)


@dataclass(frozen=True, slots=True)
class Sentences:
    """What a queue says in one language; `{n}` is the number."""

    next: str
    position: str
    estimate_one: str
    "The wait is a minute or less."
    estimate: str
    agent: str
    calling_back: str


SENTENCES: dict[str, Sentences] = {
    "en": Sentences(
        "You are the next caller.",
        "You are caller number {n}.",
        "You will be connected within a minute.",
        "The expected waiting time is {n} minutes.",
        "Agent {n|digits} will help you.",
        "We will call you back. You keep your place. Goodbye.",
    ),
    "de": Sentences(
        "Sie sind als Nächster an der Reihe.",
        "Sie sind auf Platz {n}.",
        "Sie werden in weniger als einer Minute verbunden.",
        "Die voraussichtliche Wartezeit beträgt {n} Minuten.",
        "Es bedient Sie Platz {n|digits}.",
        "Wir rufen Sie zurück. Sie behalten Ihren Platz. Auf Wiederhören.",
    ),
    "zh": Sentences(
        "您是下一位。",
        "您前面排队的位置是第{n}位。",
        "预计一分钟内为您接通。",
        "预计等待时间为{n}分钟。",
        "工号{n|digits}为您服务。",
        "我们会给您回电, 您的排队位置将保留。再见。",
    ),
}
"By language; a language that is not here hears English, unless its folder has the sound files."


def _said(language: str, name: str, number: int | str | None = None) -> Piece:
    """A sentence, with a number in it or not; its file is `queue/position-3.wav`, or `queue/next.wav`."""
    sentences = SENTENCES.get(language.partition("-")[0], SENTENCES["en"])
    text: str = getattr(sentences, name)
    word = name.replace("_", "-")
    if number is None:
        return Piece(f"queue/{word}.wav", text)
    return Piece(f"queue/{word}-{number}.wav", filled(text, {"n": str(number)}))


def place_in_queue(language: str, position: int | None, estimate: float | None) -> tuple[Piece, ...]:
    """What somebody who waits is told: his position (1 is the next) and the seconds he is expected to wait."""
    pieces: list[Piece] = []
    if position is not None:
        pieces.append(_said(language, "next") if position <= 1 else _said(language, "position", position))
    if estimate is not None:
        minutes = -(-max(0.0, estimate) // 60)
        one = minutes <= 1
        pieces.append(_said(language, "estimate_one") if one else _said(language, "estimate", int(minutes)))
    return tuple(pieces)


def agent_number(language: str, extension: str) -> tuple[Piece, ...]:
    """The number of the agent whom the caller is about to hear."""
    return (_said(language, "agent", extension),)


def calling_back(language: str) -> tuple[Piece, ...]:
    """The caller may hang up: he keeps his place and is called."""
    return (_said(language, "calling_back"),)
