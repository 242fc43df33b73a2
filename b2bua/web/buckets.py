"""Token buckets: so many a second for each key, with a burst; pure, time comes in as `now`."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """What one key has left."""

    left: float
    at: float


class Buckets:
    """One bucket for each name, `rate` a second, `burst` at once. The fullest are forgotten when there are too many."""

    def __init__(self, rate: float, burst: float, most: int = 10_000) -> None:
        self.rate, self.burst, self.most = rate, max(1.0, burst), most
        self._buckets: dict[str, Bucket] = {}

    def take(self, name: str, now: float) -> float:
        """0.0 when `name` may go on, else the seconds until he may."""
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= self.most:
                self._forget(now)
            bucket = self._buckets[name] = Bucket(self.burst, now)
        left = min(self.burst, bucket.left + (now - bucket.at) * self.rate)
        bucket.at = now
        if left < 1.0:
            bucket.left = left
            return (1.0 - left) / self.rate
        bucket.left = left - 1.0
        return 0.0

    def give_back(self, name: str) -> None:
        """What was taken last did not count after all."""
        if bucket := self._buckets.get(name):
            bucket.left = min(self.burst, bucket.left + 1.0)

    def __len__(self) -> int:
        return len(self._buckets)

    def _forget(self, now: float) -> None:
        """Drop those that are full again: forgetting them changes nothing. If none is, the oldest half goes."""
        full_after = self.burst / self.rate
        kept = {name: b for name, b in self._buckets.items() if now - b.at < full_after}
        if len(kept) > self.most // 2:
            kept = dict(sorted(kept.items(), key=lambda item: item[1].at)[-(self.most // 2) :])
        self._buckets = kept
