"""Keys of a phone as one leg tells them: each press once, however many packets speak of it (RFC 4733 section 2.5)."""

KEYS = frozenset("0123456789*#ABCD")
"What is passed on; events that are no key (flash, tones) are not."

KEYS_A_SECOND, KEYS_AT_ONCE = 20.0, 40
"Automatic diallers send some ten a second, and send a card number in one go."
SEGMENT_SLACK = 40
"Milliseconds by which the next segment of a very long press may miss the end of the one before."


def key_of(text: str) -> str | None:
    """The key that the body of an application/dtmf INFO names; None where it names none."""
    key = text.strip().upper()
    return key if key in KEYS else None


class KeyRate:
    """Keys of one far end that are heard: each is an event on disk and to every listener, and no finger is faster."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._at, self._left = 0.0, float(KEYS_AT_ONCE)

    def allows(self, now: float) -> bool:
        """Whether one more is heard at this moment (seconds of any clock); one that is not is as if never pressed."""
        self._left = min(float(KEYS_AT_ONCE), self._left + (now - self._at) * KEYS_A_SECOND)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Presses:
    """Tells the presses apart in the telephone-events of one stream.

    A press is known by the RTP timestamp of its beginning, which all its packets carry: its first packets may be lost,
    and the same key may be pressed twice.  A press of more than 8 s comes in segments with timestamps of their own.
    """

    __slots__ = ("_at", "_duration", "_ended", "_key")

    def __init__(self) -> None:
        self._key, self._at, self._duration, self._ended = "", -1, 0, True

    def begins(self, key: str, at: int, duration: int, *, ended: bool) -> bool:
        """Whether this packet is the first that is seen of a press; times in milliseconds of the sender's clock."""
        same = key == self._key and (at == self._at or self._goes_on(at))
        self._ended = ended or (same and at == self._at and self._ended)
        self._key, self._at, self._duration = key, at, duration
        return not same

    def _goes_on(self, at: int) -> bool:
        return not self._ended and abs(at - self._at - self._duration) <= SEGMENT_SLACK
