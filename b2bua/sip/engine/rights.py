"""Which addresses may get credentials of ours: those that trunks with a password lead to, as long as they do.

The rows themselves stand in C (native/credentials.c), where every request passes; here is who has put them there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.log import logger

if TYPE_CHECKING:
    from b2bua.settings import Trunk

log = logger("trunks")

MOST = 500
"Rows; native/credentials.c has 512."
LASTS = 86400.0
"Seconds that an address keeps its right to which nothing was sent: a name's records lead elsewhere by then."

Row = tuple[str, str]
"Realm and IP address."


@dataclass(slots=True)
class _Right:
    used: float
    "When something was sent there last."
    trunks: dict[str, str | None]
    "The trunks that lead there, with the target that each had."


class Rights:
    """Keeps the rows of C down to what the trunks need."""

    def __init__(self, allow: Callable[[str, str], int], clear: Callable[[], None], clock: Callable[[], float]) -> None:
        """`allow` adds a row and returns 0 or PJSIP's status, `clear` takes all away."""
        self._allow, self._clear, self._clock = allow, clear, clock
        self._rights: dict[Row, _Right] = {}
        "The one used longest ago first."

    def grant(self, name: str, trunk: Trunk, host: str) -> None:
        """Something is about to be sent to an address of a trunk, which may ask for credentials."""
        row, now = (trunk.realm, host), self._clock()
        right = self._rights.pop(row, None)
        if right is None:
            oldest = next(iter(self._rights.values()), None)
            if oldest is not None and (len(self._rights) >= MOST or now - oldest.used > LASTS):
                self._tidy(now)
            status = self._allow(*row)
            if status:
                log.warning("an address of a trunk gets no credentials", trunk=name, address=host, status=status)
                return
            right = _Right(now, {})
        right.used = now
        right.trunks[name] = trunk.target
        self._rights[row] = right

    def follow(self, trunks: Mapping[str, Trunk], leaving: Collection[Row] = ()) -> None:
        """The trunks are these now: what was another's, or led elsewhere, has no right any more, but for those in
        `leaving` until this is called again."""
        for (realm, _), right in self._rights.items():
            right.trunks = {
                name: target
                for name, target in right.trunks.items()
                if name in trunks
                and trunks[name].password is not None
                and (trunks[name].realm, trunks[name].target) == (realm, target)
            }
        self._put({row: right for row, right in self._rights.items() if right.trunks or row in leaving})

    def _tidy(self, now: float) -> None:
        """Room for others: what was not used for long goes, and where that is not enough the older half."""
        kept = {row: right for row, right in self._rights.items() if now - right.used <= LASTS}
        if len(kept) >= MOST:
            kept = dict(list(kept.items())[MOST // 2 :])
        self._put(kept)

    def _put(self, rights: dict[Row, _Right]) -> None:
        self._clear()
        self._rights = {row: right for row, right in rights.items() if self._allow(*row) == 0}
