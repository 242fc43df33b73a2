"""What a peer says and hears: its sound end point, and the descriptions of it that go into SIP."""

from __future__ import annotations

from collections.abc import Sequence

from tests.peers import sdp as descriptions
from tests.peers.rtp import Rtp
from tests.peers.sdp import Sdp


class Voice:
    """The part of a peer that has to do with sound."""

    def __init__(self, name: str, host: str, rtp: Rtp | None, codecs: Sequence[str]) -> None:
        self.name, self.host, self.rtp = name, host, rtp
        self.codecs = codecs
        "Offered and taken, best first."
        self._version = 0

    @property
    def sound(self) -> Rtp:
        """The sound end point. AssertionError for a peer opened without one."""
        assert self.rtp, f"{self.name} has no sound"
        return self.rtp

    async def hears(self, other: Voice | Rtp | float, within: float | None = None) -> None:
        """Wait until we clearly hear the tone another peer (or end point) sends, or a frequency."""
        tone = other.sound.tone if isinstance(other, Voice) else other.tone if isinstance(other, Rtp) else other
        assert tone, "the other side sends no tone"
        await self.sound.expect_tone(tone, within)

    async def hears_nothing(self, within: float | None = None) -> None:
        """Wait until nothing is heard any more."""
        await self.sound.expect_silence(within)

    def sdp(
        self,
        *,
        rtp: Rtp | None = None,
        codecs: Sequence[str] | None = None,
        direction: str | None = None,
        c: str | None = None,
        events: bool = True,
        extra: Sequence[str] = (),
        audio: bool = True,
        more_media: Sequence[str] = (),
    ) -> bytes:
        """A description of our sound end point; what the arguments mean is said at `sdp.write`."""
        point = rtp or self.rtp
        self._version += 1
        return descriptions.write(
            point.host if point else self.host,
            point.port if point else 9,
            codecs=self.codecs if codecs is None else codecs,
            direction=direction,
            c=c,
            events=events,
            extra=extra,
            audio=audio,
            more_media=more_media,
            version=self._version,
        )

    def answer(self, offer: Sdp, *, rtp: Rtp | None = None, direction: str | None = None) -> bytes:
        """Our answer to an offer."""
        point = rtp or self.rtp
        assert point, f"{self.name} has no sound to answer with"
        self._version += 1
        return descriptions.answer(
            offer, point.host, point.port, codecs=self.codecs, direction=direction, version=self._version
        )
