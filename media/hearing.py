"""One leg hears another, and not the other way round: what a supervisor's listening is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from media.sound import Sound


class Hearing:
    """`ear` hears `voice` besides all else that it hears, from now on, or from when both have a line, until `close`.

    Legs that are part of one are mixed in the conference.
    """

    __slots__ = ("_ear", "_open", "_voice")

    def __init__(self, ear: Sound, voice: Sound) -> None:
        self._ear, self._voice, self._open = ear, voice, True
        ear.desk.hear(ear.point, voice.point)

    def __repr__(self) -> str:
        return f"<{self._ear.name} hears {self._voice.name}, {'open' if self._open else 'closed'}>"

    def close(self) -> None:
        """He does so no longer; harmless when closed, or when one of the legs has ended."""
        if self._open:
            self._open = False
            self._ear.desk.unhear(self._ear.point, self._voice.point)
