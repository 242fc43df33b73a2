"""Is one of the two directions of a leg silent that should not be?  Pure: counters and `now` in, a word out.

Nothing counts while the far end need not send (hold), and a far end that pauses when nobody speaks (comfort noise, RFC
3389; silence suppression) is judged by its RTCP as well: RFC 3550 section 6.3.5 lets nobody fall silent there too.
"""

from __future__ import annotations

from enum import StrEnum

from media.leg_sound import NOTHING, LegSound
from media.silence import comfort_noise

PATIENCE = 15.0
"Seconds without RTP and RTCP that a far end gets which pauses: three times the usual interval of reports."
REPORTS = 3
"Reports in a row without a word about what we send, after which it is taken as not heard."
ALL = 255
"Everything was lost, in 1/256 (RFC 3550, section 6.4.1)."
UNEASY = 0.35
"Seconds of silence from which on a leg is looked at again sooner."


class Trouble(StrEnum):
    """What is wrong with a leg's sound."""

    NONE = "good"
    ONE_WAY = "one-way"
    "Nothing has ever come, though by its SDP the far end sends."
    UNHEARD = "unheard"
    "The far end reports that nothing of what we send arrives."
    DEAD = "dead"
    "Sound came, and then nothing more."


class LegAlarm:
    """One leg under watch; look as often as you like."""

    __slots__ = (
        "_at",
        "_before",
        "_comfort",
        "_gap",
        "_held",
        "_mute",
        "_since",
        "pauses",
        "quiet",
        "trouble",
        "troubled",
    )

    def __init__(self, now: float) -> None:
        """`now`: since when sound may be expected."""
        self.trouble = Trouble.NONE
        self.troubled = 0.0
        "Seconds in trouble so far, those of a far end that pauses not counted."
        self.pauses = False
        "It has sent nothing for a while without having lost anything: its talker pauses."
        self.quiet = 0.0
        "Seconds without RTP at the last look, as far as sound was expected."
        self._at = self._since = now
        self._before = NOTHING
        self._comfort = self._gap = self._held = False
        self._mute = 0

    def __repr__(self) -> str:
        return f"<leg {self.trouble}, {self.quiet:.1f} s quiet{', pauses' if self.pauses else ''}>"

    @property
    def uneasy(self) -> bool:
        """Whether to look again soon: it is silent, or held, and in no trouble yet."""
        return self.trouble is Trouble.NONE and (self.quiet >= UNEASY or self._held)

    def look(
        self,
        now: float,
        sound: LegSound,
        *,
        expected: bool,
        after: float,
        announced: bool = False,
        believe: bool = True,
    ) -> Trouble:
        """How the leg is.

        `expected`: by the SDP in force the far end sends to us.  `after`: seconds of silence that are too many.
        `announced`: it has said that it pauses.  `believe`: its reports count.
        """
        passed, self._at = max(0.0, now - self._at), now
        before, self._before = self._before, sound
        if sound.packets < before.packets:
            before = NOTHING
        self._came(sound, before)
        if not expected:
            self._held, self._since, self._mute, self._gap, self.quiet = True, now, 0, False, 0.0
            return self._is(Trouble.NONE, passed)
        if self._held:
            self._held, self._since = False, now
        self.quiet = now - self._since
        if sound.packets:
            self.quiet = min(self.quiet, sound.rtp_age_ms / 1000)
        self._gap = self._gap or (self.quiet >= after and not self._comfort)
        if self._too_quiet(sound, after, announced):
            return self._is(Trouble.DEAD if sound.packets else Trouble.ONE_WAY, passed)
        if believe and self._unheard(sound, before, passed):
            return self._is(Trouble.UNHEARD, passed)
        return self._is(Trouble.NONE, passed)

    def _is(self, trouble: Trouble, passed: float) -> Trouble:
        if self.trouble is not Trouble.NONE and not self.pauses:
            self.troubled += passed
        self.trouble = trouble
        return trouble

    def _came(self, sound: LegSound, before: LegSound) -> None:
        packets = sound.packets - before.packets
        if not packets:
            return
        self._comfort = comfort_noise(packets, sound.octets - before.octets)
        if self._gap and before.packets and sound.lost == before.lost:
            self.pauses = True
        self._gap = False

    def _too_quiet(self, sound: LegSound, after: float, announced: bool) -> bool:
        if not sound.packets or not (self._comfort or self.pauses or announced):
            return self.quiet >= after
        if sound.rtcp_age_ms < 0:
            return not self._comfort and self.quiet >= PATIENCE
        return min(self.quiet, sound.rtcp_age_ms / 1000) >= PATIENCE

    def _unheard(self, sound: LegSound, before: LegSound, passed: float) -> bool:
        if sound.rtcp_age_ms < 0 or sound.sent <= before.sent:
            return self.trouble is Trouble.UNHEARD and sound.sent <= before.sent
        if sound.told_loss >= 0:
            self._mute = 0
            return sound.told_loss >= ALL
        if sound.rtcp_age_ms < passed * 1000:
            self._mute += 1
        return self._mute >= REPORTS
