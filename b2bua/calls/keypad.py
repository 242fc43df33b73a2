"""Which presses of a caller count: some sides send a key both as an event and as a tone, and some callers end with #
what was whole already.  Pure."""

SAME = 0.5
"Seconds within which a tone and an event of the same key are one press."


class Keypad:
    """The keys of one leg.  `now` is any clock in seconds."""

    def __init__(self) -> None:
        self.has_events = False
        "Keys have come as telephone events or INFO: tones count no more."
        self._tone, self._at = "", 0.0
        self._late, self._until = "", 0.0

    def whole(self, terminator: str, until: float) -> None:
        """A number was taken without its terminator: pressed until then as the next key, that belongs to it still."""
        self._late, self._until = terminator, until

    def pressed(self, digit: str, method: str, now: float) -> str:
        """The key that counts; empty where it was counted before, in its other form, or ends what is whole."""
        key = self._once(digit, method, now)
        if not key:
            return ""
        late, self._late = self._late, ""
        return "" if key == late and now <= self._until else key

    def _once(self, digit: str, method: str, now: float) -> str:
        if method == "inband":
            if self.has_events:
                return ""
            self._tone, self._at = digit, now
            return digit
        self.has_events = True
        twice = digit == self._tone and now - self._at <= SAME
        self._tone = ""
        return "" if twice else digit
