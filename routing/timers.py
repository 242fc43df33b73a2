"""Times at which something must be looked at again."""

import heapq
from collections.abc import Iterator


class Timers:
    """A heap of times.  Nothing is taken out early: whoever is woken looks whether there is still something to do."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str, str]] = []
        self._count = 0

    def at(self, when: float, kind: str, key: str) -> None:
        """Wake `key` of this kind at `when`."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, kind, key))

    def due(self) -> float | None:
        """The next time; None when there is none."""
        return self._heap[0][0] if self._heap else None

    def pop(self, now: float) -> Iterator[tuple[str, str]]:
        """Those whose time has come, in order of time; kind and key."""
        while self._heap and self._heap[0][0] <= now:
            _, _, kind, key = heapq.heappop(self._heap)
            yield kind, key
