"""Which presses of a caller count: some sides send a key both as an event and as a tone.  Pure."""

SAME = 0.5
"Seconds within which a tone and an event of the same key are one press."


class Keypad:
    """The keys of one leg.  `now` is any clock in seconds."""

    def __init__(self) -> None:
        self.has_events = False
        "Keys have come as telephone events or INFO: tones count no more."
        self._tone, self._at = "", 0.0

    def pressed(self, digit: str, method: str, now: float) -> str:
        """The key that counts; empty where it was counted before, in its other form."""
        if method == "inband":
            if self.has_events:
                return ""
            self._tone, self._at = digit, now
            return digit
        self.has_events = True
        twice = digit == self._tone and now - self._at <= SAME
        self._tone = ""
        return "" if twice else digit
