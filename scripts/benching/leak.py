"""What many calls leave behind: live calls, legs, descriptors, memory, and a record of every one of them."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .accounting import descriptors, pss
from .console import headline, note
from .stage import Stage
from .tandem import Tandem

BLOCKS = 3
REST = 36.0
"Seconds after a block: the SIP stack remembers finished transactions for 32."
WARM_UP = 200
BACK_WITHIN = 0.10
"Memory may end so much above its plateau, as a share."


@dataclass(frozen=True, slots=True)
class Leaks:
    """What was found after all calls."""

    calls: int
    failed: int
    live_calls: int
    live_legs: int
    descriptors: int
    "More than before the first block."
    missing_records: int
    missing_tokens: int
    "Tokens not consumed."
    start_mb: float
    plateau_mb: float
    "PSS when the first block had come to rest."
    end_mb: float
    "PSS when the last one had."

    @property
    def clean(self) -> bool:
        """Nothing is left, and memory is back."""
        left = (self.failed, self.live_calls, self.live_legs, self.missing_records, self.missing_tokens)
        return not any(left) and self.descriptors <= 0 and self.end_mb <= self.plateau_mb * (1 + BACK_WITHIN)


def measure(stage: Stage, *, calls: int, rate: float, hold: float = 1.0) -> Leaks:
    """Place so many calls in blocks, let the server rest after the first and the last, and count."""
    headline(f"Tandem: {calls} calls at {rate:g}/s, and what they leave behind")
    with stage.server("tandem") as server:
        assert isinstance(server, Tandem)
        start = pss(server.pid)
        stage.generator.run(server.address, server.numbers(WARM_UP), min(rate, 50.0), hold=0.2)
        open_before, plateau, failed = descriptors(server.pid), 0, 0
        for number in range(BLOCKS):
            size = calls // BLOCKS
            loaded = stage.generator.run(
                server.address, server.numbers(size), rate, hold=hold, meter=lambda: stage.meter(server)
            )
            failed += loaded.calls - loaded.succeeded
            note(f"block {number + 1}: {loaded}, {pss(server.pid) / 1e6:.0f} MB")
            if number in (0, BLOCKS - 1):
                time.sleep(REST)
            plateau = plateau or pss(server.pid)
        end, metrics = pss(server.pid), server.metrics()
        placed = WARM_UP + BLOCKS * (calls // BLOCKS)
        live = server.get("/v1/calls")["total"]
        legs = int(metrics["tandem_legs_active"])
        still_open = descriptors(server.pid) - open_before
    records, consumed = _stored(server.database)
    return Leaks(
        calls=placed,
        failed=failed,
        live_calls=live,
        live_legs=legs,
        descriptors=still_open,
        missing_records=placed - records,
        missing_tokens=placed - consumed,
        start_mb=start / 1e6,
        plateau_mb=plateau / 1e6,
        end_mb=end / 1e6,
    )


def _stored(database: Path) -> tuple[int, int]:
    """Records of answered calls that ended, and consumed tokens."""
    with closing(sqlite3.connect(database)) as connection:
        answered = "SELECT count(*) FROM calls WHERE answered_at IS NOT NULL AND ended_at IS NOT NULL"
        records = connection.execute(answered).fetchone()[0]
        consumed = connection.execute("SELECT count(*) FROM tokens WHERE state = 'consumed'").fetchone()[0]
    return int(records), int(consumed)
